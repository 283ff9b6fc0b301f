"""Every question that the ledger answers, over a dozen rows; on both databases."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from receiver.core.delivery import Kind, Output, Status
from receiver.core.problems import Code
from receiver.store import ledger_reader, queries
from receiver.store.entry import Attempt, Unaccepted, Waiting
from receiver.store.ledger_reader import LedgerReader
from receiver.store.queries import Claims
from receiver.store.rows import NO_ROOTS
from tests.store.test_small_parts import AT, ENTRY

HOUR = timedelta(hours=1)
ROWS = [  # id, process, source id, version, status, hours after AT, code
    ("A", "scans", "1", 1, Status.PUBLISHED, 0, None),
    ("B", "scans", "1", 2, Status.PUBLISHED, 1, None),
    ("C", "scans", "2", 1, Status.COMMITTED, 2, None),
    ("D", "scans", "3", None, Status.HELD, 3, Code.CONFIDENCE_LOW),
    ("E", "scans", "4", None, Status.REFUSED, 4, Code.PART_TYPE),
    ("F", "scans", "4", None, Status.REFUSED, 4, Code.PART_TYPE),
    ("G", "scans", "5", None, Status.DISCARDED, 5, Code.PART_TYPE),
    ("H", "forms", "1", 1, Status.PUBLISHED, 5, None),
    ("I", "forms", "6", None, Status.HELD, 6, Code.RULE_BROKEN),
]


@pytest.fixture
def ledger(place):
    """The ledger of a place, with a row for each of ROWS."""

    def write(connection):
        for id_, process, source_id, version, status, hours, code in ROWS:
            at = AT + hours * HOUR
            entry = ENTRY._replace(
                id=id_,
                process=process,
                source_id=source_id,
                version=version,
                status=status,
                received_at=at,
                committed_at=at if version else None,
                published_at=at + HOUR if status is Status.PUBLISHED else None,
                code=code,
                stage=f"/stage/{id_}",
                attempts=(Attempt(at, "", "held", note="first"), Attempt(at + HOUR / 2, "", "held")),
                attempt_count=2,
                digests=(f"digest {source_id}", f"digest {id_}"),
            )
            queries.put(connection, entry)

    place.ledger.connections.write(write)
    return place.ledger


def ids(entries) -> str:
    return "".join(entry.id for entry in entries)


@pytest.mark.both_ledgers
@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, "IHGFEDCBA"),
        ({"oldest_first": True}, "ABCDEFGHI"),
        ({"limit": 3}, "IHG"),
        ({"process": "scans"}, "GFEDCBA"),
        ({"status": Status.HELD}, "ID"),
        ({"status": Status.PUBLISHED}, "HBA"),
        ({"status": Status.COMMITTED}, "C"),
        ({"status": Status.DISCARDED}, "G"),
        ({"source_id": "1"}, "HBA"),
        ({"source_id": "1", "process": "scans"}, "BA"),
        ({"since": AT + 4 * HOUR}, "IHGFE"),
        ({"until": AT + 4 * HOUR}, "DCBA"),
        ({"since": AT + HOUR, "until": AT + 2 * HOUR}, "B"),
        ({"status": Status.REFUSED, "process": "scans", "since": AT, "until": AT + 5 * HOUR}, "FE"),
        ({"process": "nothing"}, ""),
    ],
)
def test_a_search_finds_what_is_asked_for(ledger, given, found):
    assert ids(ledger.search(**given)) == found
    if not {"limit", "oldest_first", "source_id"} & set(given):
        assert ledger.count(**given, most=100) == len(found)
        assert ledger.count(**given, most=1) == min(len(found), 1)


@pytest.mark.both_ledgers
def test_single_rows_and_versions_are_found(ledger):
    assert ledger.find("A").source_id == "1"
    assert ledger.find("X") is None
    assert (ledger.latest("scans", "1").id, ledger.latest("forms", "1").id) == ("B", "H")
    assert (ledger.latest("scans", "3"), ledger.latest("scans", "9")) == (None, None)
    assert [ledger.next_version("scans", each) for each in ("1", "2", "3", "9")] == [3, 2, 1, 1]
    known, latest = ledger.before("A", "scans", "1")
    assert (known.id, latest.id) == ("A", "B")
    assert ledger.before("X", "scans", "3") == (None, None)
    assert ids(ledger.unfinished()) == "C"


@pytest.mark.both_ledgers
def test_the_version_before_is_the_one_that_was_accepted(ledger):
    assert ledger.before_version(ledger.find("B")).id == "A"
    assert ledger.before_version(ledger.find("A")) is None
    assert ledger.before_version(ledger.find("A")._replace(version=None)) is None


def test_a_version_before_that_is_damaged_is_not_told(ledger):
    damage = "UPDATE deliveries SET parts = 'torn' WHERE id = 'A'"
    ledger.connections.write(lambda connection: connection.execute(damage) and None)
    assert ledger.before_version(ledger.find("B")) is None


def test_damaged_rows_are_named_and_no_others(ledger):
    assert ledger.damaged() == []
    damage = "UPDATE deliveries SET parts = 'torn' WHERE id IN ('A', 'D')"
    ledger.connections.write(lambda connection: connection.execute(damage) and None)
    assert sorted(each.id for each in ledger.damaged()) == ["A", "D"]


@pytest.mark.parametrize(
    ("status", "source_id", "index"),
    [
        (None, None, queries.OF_ONE),
        (Status.PUBLISHED, None, queries.OF_ONE),
        (Status.HELD, None, queries.IS_KEPT),
        (Status.REFUSED, "1", queries.IS_KEPT),
        (Status.COMMITTED, None, queries.UNPUBLISHED),
        (Status.DISCARDED, None, queries.UNPUBLISHED),
        (None, "1", ""),
        (Status.PUBLISHED, "1", ""),
    ],
)
def test_a_search_repeats_the_condition_of_the_index_that_serves_it(status, source_id, index):
    where, values = ledger_reader._where("scans", status, source_id, None, None)
    assert [each for each in (queries.OF_ONE, queries.IS_KEPT, queries.UNPUBLISHED) if each in where] == [index][
        : bool(index)
    ]
    assert {type(each) for each in values} == {str}, "a database may write the name of an enumeration's member"


def test_a_hundred_rows_are_read_unless_others_are_asked_for(monkeypatch):
    asked = []
    reader = LedgerReader(SimpleNamespace(flush=lambda: None, read=lambda query: query(None)), None)
    for name in ("select", "having"):
        monkeypatch.setattr(queries, name, lambda *given: asked.append(given[-1]))
    reader.search()
    reader.having(["digest"])
    assert asked == [100, 100]


def test_the_database_is_asked_itself_whether_it_is_sound_and_what_a_table_has():
    asked = []
    connections = SimpleNamespace(flush=lambda: asked.append("flush"), read=lambda query: query("connection"))
    own = SimpleNamespace(require_sound=asked.append, columns=lambda *given: given)
    reader = LedgerReader(connections, own)
    reader.require_sound()
    assert asked == ["flush", "connection"]
    assert reader.columns("jobs") == ("connection", "jobs")


@pytest.mark.both_ledgers
def test_a_folder_of_the_stage_is_used_until_its_delivery_is_published(ledger):
    assert [ledger.uses_stage(f"/stage/{each}") for each in "ACD"] == [False, True, False]


@pytest.mark.both_ledgers
def test_ids_are_found_by_their_beginning(ledger):
    assert ids(ledger.starting("A", 10)) == "A"
    assert ledger.starting("Z", 10) == []


@pytest.mark.both_ledgers
def test_deliveries_are_found_by_keyed_digests(ledger):
    assert ids(ledger.having(["digest 1"])) == "HBA"
    assert ids(ledger.having(["digest 1"], limit=2)) == "HB"
    assert ids(ledger.having(["digest A", "digest D"])) == "DA"
    assert ledger.having([]) == []
    entry = ledger.find("A")._replace(digests=("other",))
    ledger.connections.write(lambda connection: queries.put(connection, entry) and None)
    assert ids(ledger.having(["digest 1"])) == "HB"
    assert ids(ledger.having(["other"])) == "A"


@pytest.mark.both_ledgers
@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"process": None, "status": Status.HELD, "until": None, "limit": 9}, ["I", "D"]),
        ({"process": "scans", "status": Status.REFUSED, "until": None, "limit": 9}, ["F", "E"]),
        ({"process": "scans", "status": Status.REFUSED, "until": None, "limit": 1}, ["F"]),
        ({"process": None, "status": Status.HELD, "until": AT + 6 * HOUR, "limit": 9}, ["D"]),
    ],
)
def test_a_job_is_given_what_a_search_would_find(ledger, given, found):
    assert ledger.matching(**given) == [(id_, 2) for id_ in found]


@pytest.mark.both_ledgers
def test_each_process_and_state_is_counted(ledger):
    assert ledger.counts() == {
        ("scans", Status.PUBLISHED): 2,
        ("scans", Status.COMMITTED): 1,
        ("scans", Status.HELD): 1,
        ("scans", Status.REFUSED): 2,
        ("scans", Status.DISCARDED): 1,
        ("forms", Status.PUBLISHED): 1,
        ("forms", Status.HELD): 1,
    }


@pytest.mark.both_ledgers
def test_it_is_told_how_each_process_stands(ledger):
    found = ledger.standing()
    assert found["scans"].counts == {Status.COMMITTED: 1, Status.HELD: 1, Status.REFUSED: 2, Status.DISCARDED: 1}
    assert (found["scans"].oldest_unpublished, found["scans"].last_success) == (AT + 2 * HOUR, AT + 2 * HOUR)
    assert (found["forms"].oldest_unpublished, found["forms"].last_success) == (None, AT + 6 * HOUR)


@pytest.mark.both_ledgers
def test_arrivals_are_counted_by_span_and_hour(ledger):
    assert ledger.last_arrival("scans") == AT + 5 * HOUR
    assert ledger.last_arrival("nothing") is None
    assert ledger.arrivals("scans", AT, AT + 9 * HOUR, 100) == 7
    assert ledger.arrivals("scans", AT, AT + 9 * HOUR, 3) == 3
    assert ledger.arrivals("scans", AT + HOUR, AT + 2 * HOUR, 100) == 1
    assert ledger.arrivals("forms", AT, AT + 5 * HOUR, 100) == 0
    assert ledger.hours(AT + 4 * HOUR) == {
        "scans": {"2026-03-01T16": 2, "2026-03-01T17": 1},
        "forms": {"2026-03-01T17": 1, "2026-03-01T18": 1},
    }


@pytest.mark.both_ledgers
def test_what_is_not_accepted_is_counted_by_its_reason(ledger):
    assert ledger.unaccepted(AT) == [
        Unaccepted("scans", Status.REFUSED, Code.PART_TYPE, 2),
        Unaccepted("scans", Status.HELD, Code.CONFIDENCE_LOW, 1),
        Unaccepted("forms", Status.HELD, Code.RULE_BROKEN, 1),
    ]
    assert [each.code for each in ledger.unaccepted(AT + 6.5 * HOUR)] == [Code.RULE_BROKEN]
    assert ledger.unaccepted(AT + 6.6 * HOUR) == []


@pytest.mark.both_ledgers
def test_what_lies_in_quarantine_is_told_with_its_size_the_longest_there_first(ledger):
    assert ledger.waiting("scans") == [
        Waiting("D", Status.HELD, AT + 3.5 * HOUR, 1),
        Waiting("E", Status.REFUSED, AT + 4.5 * HOUR, 1),
        Waiting("F", Status.REFUSED, AT + 4.5 * HOUR, 1),
    ]


@pytest.mark.both_ledgers
@pytest.mark.parametrize(("hours", "count"), [(0, 0), (1, 1), (2, 2), (6, 3)])
def test_what_is_over_is_forgotten_and_nothing_else(ledger, hours, count):
    before = AT + hours * HOUR
    assert ledger.prunable("scans", before) == count
    assert ledger.prune("scans", before) == count
    left = ids(ledger.search(oldest_first=True))
    assert left == "".join(each for each in "ABCDEFGHI" if each not in "ABG"[:count])
    assert ledger.prune("scans", before) == 0
    assert len(ledger.having(["digest 1"])) == 3 - min(count, 2)


@pytest.mark.parametrize(
    ("targets", "folders"),
    [
        (["/out/a"], set()),
        (["/out/x/a", "/out/x/y/b"], {"/out/x", "/out/x/y"}),
    ],
)
def test_a_delivery_claims_its_names_and_the_folders_below_the_output(targets, folders):
    outputs = tuple(Output(Kind.RECORD, "s", "p", target, 1, "") for target in targets)
    outputs += (Output(Kind.ORIGINALS, "s", "", "/data/originals/x", 1, ""),)
    claims = Claims.of(ENTRY._replace(outputs=outputs, output="/out"), NO_ROOTS)
    assert (claims.id, claims.targets, set(claims.folders)) == (ENTRY.id, targets, folders)
