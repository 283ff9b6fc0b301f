"""The list of deliveries by itself: what the ledger is asked for, and what is shown of it."""

from datetime import UTC, datetime
from types import SimpleNamespace as Given

import pytest
from flask import Flask, g

from receiver.core.delivery import Status
from receiver.store import digests
from receiver.store.accounts import Role
from receiver.store.entry import Entry
from receiver.web.console import listing

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
NOTHING = dict.fromkeys(listing.FILTERS, "")
UNASKED = {"process": None, "status": None, "since": None, "until": None}


KEYS = ["mrn", "visit", "order", "case", "zone", "dob"]


def entry(id_: str, at: datetime = MARCH) -> Entry:
    return Entry(id_, "scans", "1", 1, at, "", "")


class Ledger:
    """A ledger that has these entries, and remembers what it was asked for."""

    def __init__(self, *found: object, count: int = 7) -> None:
        self.found, self.number, self.asked = found, count, []

    def search(self, **asked):
        self.asked.append(asked)
        return list(self.found)

    def count(self, **asked):
        self.asked.append(asked)
        return self.number

    def find(self, id_):
        self.asked.append(id_)
        return next((each for each in self.found if each.id == id_), None)

    def having(self, digested, limit):
        self.asked.append((digested, limit))
        return [entry("KEYED")]


@pytest.fixture
def noted(monkeypatch):
    found = []
    monkeypatch.setattr(listing, "accounts", lambda: Given(note=lambda *note: found.append(note)))
    return found


@pytest.fixture
def shown(monkeypatch, noted):
    """Return what a view shows of a ledger to a role."""
    monkeypatch.setattr(listing, "render_template", lambda _name, **shown: shown)
    monkeypatch.setattr(listing, "PAGE", 3)
    monkeypatch.setattr(digests, "digest", lambda data, name, text: f"{data} {name} {text}")
    processes = {name: Given(config=Given(console=Given(keys=keys))) for name, keys in (("b", KEYS), ("a", ["dob"]))}

    def shown(view, ledger, role=Role.OPERATOR, **request):
        context = Given(ledger=ledger, processes=processes, settings=Given(data="data"))
        monkeypatch.setattr(listing, "service", lambda: Given(context=context))
        with Flask(__name__).test_request_context("/deliveries", **request):
            g.user = Given(name="ada", role=role)
            return view()

    return shown


def test_a_list_is_asked_for_by_its_filters_and_older_ones_from_where_it_ended(shown):
    ledger = Ledger(
        entry("A", datetime(2026, 4, 1, tzinfo=UTC)),
        "a damaged row",
        entry("B", datetime(2026, 5, 1, tzinfo=UTC)),
        entry("C"),
    )
    filters = {"process": "a", "status": "held", "since": "2026-01-01", "before": "2026-03-01"}
    found = shown(listing.deliveries, ledger, query_string=filters | {"older": "2026-02-01T00:00:00+00:00"})
    wanted = {"process": "a", "status": Status.HELD, "since": datetime(2026, 1, 1, tzinfo=UTC), "until": MARCH}
    assert ledger.asked == [
        wanted | {"until": datetime(2026, 2, 1, tzinfo=UTC), "limit": 3},
        wanted | {"most": listing.COUNTED + 1},
    ]
    assert [each.id for each in found.pop("entries")] == ["A", "B", "C"]
    chips = found.pop("chips")
    assert [text for text, _ in chips] == ["a", "held", "received since 2026-01-01", "received before 2026-03-01"]
    assert chips[1][1] == filters | {"status": None}
    assert found == {
        "filters": filters,
        "given": filters,
        "count": 7,
        "known": "",
        "keys": sorted(KEYS),
        "newest": False,
        "older": "2026-03-01T00:00:00+00:00",
        "processes": ["a", "b"],
        "statuses": list(Status),
    }


@pytest.mark.parametrize(
    ("before", "older", "until"),
    [("2026-03-01", "", MARCH), ("", "2026-03-01", MARCH), ("2026-03-01", "2027-01-01", MARCH)],
)
def test_a_page_ends_before_the_earlier_of_both(shown, before, older, until):
    ledger = Ledger()
    found = shown(listing.deliveries, ledger, query_string={"before": before, "older": older})
    assert ledger.asked[0] == UNASKED | {"until": until, "limit": 3}
    assert (found["older"], found["newest"]) == ("", not older)


def test_what_no_filter_can_be_is_no_filter(shown):
    ledger = Ledger(entry("A"), count=listing.COUNTED)
    found = shown(listing.deliveries, ledger, query_string={"status": "x", "since": "x", "before": "x", "older": "x"})
    assert ledger.asked == [UNASKED | {"limit": 3}, UNASKED | {"most": listing.COUNTED + 1}]
    assert (found["filters"], found["given"], found["chips"]) == (NOTHING, {}, [])
    assert (found["newest"], found["older"], found["count"]) == (True, "", listing.COUNTED)
    assert shown(listing.deliveries, Ledger(count=listing.COUNTED + 1))["count"] == "more than 1,000"


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.OPERATOR, Role.OWNER])
def test_a_search_asks_by_source_id_id_and_for_who_may_see_values_by_keys(shown, noted, role):
    ledger = Ledger(entry("S"), entry("ID"))
    found = shown(listing.search, ledger, role, method="POST", data={"known": " id\n"})
    assert ledger.asked[:2] == [{"source_id": "id", "limit": 3}, "ID"]
    keyed = [(sorted(keys), limit) for keys, limit in ledger.asked[2:]]
    assert keyed == ([] if role is Role.AUDITOR else [([f"data {key} id" for key in sorted(KEYS)], 3)])
    ids = ["S", "ID"] if role is Role.AUDITOR else ["S", "ID", "KEYED"]
    assert ([each.id for each in found["entries"]], found["count"]) == (ids, len(ids))
    assert (found["known"], found["older"], found["filters"]) == ("id", "", NOTHING)
    assert noted == [("ada", "search")]


@pytest.mark.parametrize("form", [{}, {"known": " "}])
def test_a_search_for_nothing_finds_nothing(shown, form):
    ledger = Ledger(entry("S"))
    found = shown(listing.search, ledger, method="POST", data=form)
    assert (found["entries"], found["count"], ledger.asked) == ([], 0, [])


def test_what_is_not_there_is_not_found(shown):
    assert [each.id for each in shown(listing.search, Ledger(), method="POST", data={"known": "x"})["entries"]] == [
        "KEYED"
    ]
