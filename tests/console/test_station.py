"""The station: a queue of held deliveries, what is next in it, and in a real browser by keyboard alone."""

import shutil
from datetime import UTC, datetime
from types import SimpleNamespace as Given

import pytest
from flask import Flask, g
from werkzeug.exceptions import NotFound

from receiver.core.delivery import Status
from receiver.core.problems import Code, Problem
from receiver.store.accounts import Role
from receiver.store.entry import Entry
from receiver.store.ledger import Ledger
from receiver.web.console import correcting, showing, station

from .conftest import NUMBERS, deliver, opened_by, settled
from .test_console import OURS, client

DOUBT = ".item:not([hidden]) [name='field.mrn']:focus"


@pytest.fixture
def held(settings, service):
    """Rows of held deliveries, in the order in which they came; no other is held."""
    ledger = Ledger(settings.ledger)
    for entry in ledger.search(status=Status.HELD):
        assert ledger.discard(entry, entry.attempts[-1])
    source = f"Q-{next(NUMBERS)}"
    for number in range(6):
        deliver(service, f"{source}-{number}", {"mrn": ("0007123O", 0.61)})
    return ledger.search(process="referrals", status=Status.HELD, oldest_first=True)


def mrn(settings, entry):
    found = settled(settings, entry.id)
    assert found.status is Status.PUBLISHED
    path = next(output.path for output in found.outputs if output.path.endswith(".hl7"))
    return (settings.output / path).read_text().partition("PID|1||")[2].partition("^")[0]


def shown(page, entry):
    page.wait_for_selector(f".item[data-id='{entry.id}']:not([hidden]) [name='field.mrn']:focus")


def following(console, passed):
    answer = client(console).get("/station/referrals/next", query_string={"not": [entry.id for entry in passed]})
    return answer.status_code, answer.text


def test_the_next_one_is_the_oldest_that_the_page_does_not_have(console, held):
    status, item = following(console, held[:2])
    assert status == 200
    assert [entry.id in item for entry in held] == [False, False, True, False, False, False]
    assert following(console, held) == (204, "")


def test_one_that_cannot_be_shown_is_passed_over(console, settings, accounts, held):
    shutil.rmtree(settings.data / "quarantine/referrals" / held[0].id)
    assert held[1].id in following(console, [])[1]
    look = accounts.looks(delivery=held[1].id)[0]
    assert (look.person, look.event, look.note) == ("operator person", "view", "station")
    assert accounts.looks(delivery=held[0].id) == []


def test_the_station_says_how_many_are_held_of_its_process(console, held, monkeypatch):
    made = client(console)
    assert '<span id="waiting">6</span>' in made.get("/station/referrals").text
    assert held[0].id in made.get("/station/referrals").text
    assert '<span id="waiting">0</span>' in made.get("/station/lab-reports").text
    assert made.get("/station/lab-reports/next").status_code == 204
    monkeypatch.setattr(station, "COUNTED", 4)
    assert '<span id="waiting">4</span>' in made.get("/station/referrals").text


def test_what_somebody_else_has_is_not_given_out(console, held):
    ada, bob = client(console), client(console, Role.OWNER)
    for entry in held:
        assert entry.id in ada.get("/station/referrals/next", query_string={"not": passed(held, entry)}).text
    answer = bob.get("/station/referrals/next")
    assert (answer.status_code, answer.text) == (204, "")


def passed(held, entry):
    return [each.id for each in held[: held.index(entry)]]


def test_what_the_trial_refuses_comes_back_with_its_faults(console, settings, held):
    form = {"seen": held[0].attempt_count, "field.mrn": "00071235", "field.patient_dob": "not a day"}
    answer = client(console).post(f"/station/referrals/{held[0].id}", data=form, headers=OURS)
    assert answer.status_code == 200
    assert f'data-id="{held[0].id}"' in answer.text
    assert 'value="not a day"' in answer.text
    assert Ledger(settings.ledger).find(held[0].id).status is Status.HELD


@pytest.mark.parametrize("path", ["/station/nothing", "/station/nothing/next"])
def test_there_is_a_station_only_for_what_is_configured(console, path):
    assert client(console).get(path).status_code == 404


def test_what_changed_meanwhile_is_not_published_by_what_was_seen_before(console, settings, held):
    form = {"seen": held[0].attempt_count - 1, "field.mrn": "00071235"}
    assert client(console).post(f"/station/referrals/{held[0].id}", data=form, headers=OURS).status_code == 409
    assert Ledger(settings.ledger).find(held[0].id).status is Status.HELD


def test_the_next_one_is_looked_for_among_so_many_and_no_further(console, held, monkeypatch):
    monkeypatch.setattr(station, "LOOKED_AT", 3)
    assert following(console, held[:2])[0] == 200
    assert following(console, held[:3]) == (204, "")


def row(id_, process="scans"):
    return Entry(id_, process, "1", 1, datetime(2026, 1, 2, tzinfo=UTC), "", "")


@pytest.fixture
def queue(monkeypatch):
    """Return what is noted; the views show what they are given."""
    noted, entries = [], [row("own"), "a damaged row", row("passed"), row("broken"), row("next"), row("last")]

    def preview(_context, entry, corrections):
        if entry.id == "broken":
            raise Problem(Code.STORAGE_FAILED, "It is gone.")
        return f"{entry.id} {corrections}"

    context = Given(ledger=Given(search=lambda **_: entries), processes={"scans": None})
    monkeypatch.setattr(station, "service", lambda: Given(context=context))
    monkeypatch.setattr(station, "accounts", lambda: Given(note=lambda *note: noted.append(note)))
    monkeypatch.setattr(station, "_reservations", lambda: Given(first=lambda entries, *_: next(iter(entries), None)))
    monkeypatch.setattr(station, "render_template", lambda _, entry, **shown: f"<b>{entry.id}, {shown['preview']}</b>")
    monkeypatch.setattr(station, "entry_of", row)
    monkeypatch.setattr(correcting, "is_own_proposal", lambda entry: entry.id == "own")
    monkeypatch.setattr(correcting, "proposed", lambda entry: Given(corrections="x") if entry.id == "last" else None)
    monkeypatch.setattr(correcting, "require_unchanged", lambda entry: noted.append(entry.id))
    monkeypatch.setattr(correcting, "corrections", lambda _: "said")
    monkeypatch.setattr(showing, "preview", preview)
    return noted


@pytest.mark.parametrize(
    ("passed", "shown", "looks"),
    [
        (["passed"], "<b>next, next None</b>", [("ada", "view", "next", "station")]),
        (["passed", "next"], "<b>last, last x</b>", [("ada", "view", "last", "station")]),
        (["passed", "next", "last"], "", []),
    ],
)
def test_what_is_shown_next_is_free_and_whole_and_has_what_was_proposed(queue, passed, shown, looks):
    with Flask(__name__).test_request_context("/", query_string={"not": passed}):
        g.user = Given(name="ada")
        assert station._next("scans") == shown
    assert queue == looks


@pytest.mark.parametrize(
    ("problem", "replayed", "answer"),
    [
        (None, Given(entry=row("again")), ("", 204)),
        (None, None, ("", 202)),  # it waits for a second person
        ("refused", None, ("<b>A, Preview</b>", 200)),
        ("refused", Given(entry=row("again")), ("<b>again, Preview</b>", 200)),
    ],
)
def test_what_becomes_of_a_form_is_told(queue, monkeypatch, problem, replayed, answer):
    class Preview:
        def __str__(self):
            return "Preview"

    found = Preview()
    found.problem = problem
    published = []
    monkeypatch.setattr(correcting, "publish", lambda *given: published.append(given) or (found, replayed))
    with Flask(__name__).test_request_context("/", method="POST"):
        g.user = Given(name="ada", role=Role.OPERATOR)
        assert station.publish("scans", "A") == answer
        with pytest.raises(NotFound):
            station.publish("other", "A")
    assert [(entry.id, said) for entry, said in published] == [("A", "said")]
    assert queue == ["A"], "somebody else may have been faster"


def test_a_queue_is_worked_through_by_keyboard_and_no_keystroke_is_lost(page, url, settings, held):
    page.goto(f"{url}/station/referrals")
    for number, entry in enumerate(held):
        shown(page, entry)
        page.keyboard.type(f"8000000{number}")
        page.keyboard.press("Enter")
        page.wait_for_selector(".item:not([hidden]) [data-publish]:focus")
        page.keyboard.press("Control+Enter")
    page.wait_for_selector("#nothing:not([hidden])")
    page.wait_for_selector(f"#said:has-text('{held[-1].source_id} is published')")
    page.wait_for_selector("#waiting:text-is('0')")
    assert [mrn(settings, entry) for entry in held] == [f"8000000{number}" for number in range(6)]


def test_what_is_typed_before_the_next_one_is_there_is_kept_for_it(page, url, settings, held):
    answers = []
    page.route("**/next?*", lambda route: answers.append(route) if len(answers) < 1 else route.continue_())
    page.goto(f"{url}/station/referrals")
    shown(page, held[0])
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".item:not([hidden])", state="detached")
    page.keyboard.type("90000001")
    page.keyboard.press("Control+Enter")  # nobody has seen what it would publish
    answers[0].continue_()
    shown(page, held[1])
    assert page.input_value(DOUBT) == "90000001"
    assert Ledger(settings.ledger).find(held[1].id).status is Status.HELD


def test_what_is_refused_comes_back_with_its_faults_and_disturbs_nobody_who_types(page, url, held):
    page.goto(f"{url}/station/referrals")
    shown(page, held[0])
    page.locator(".item:not([hidden]) [name='field.patient_dob']").fill("not a day")
    page.keyboard.press("Control+Enter")
    shown(page, held[1])
    page.keyboard.type("8111")
    page.wait_for_selector(f"#said:has-text('{held[0].source_id} comes back: The fields do not')")
    assert page.input_value(DOUBT) == "8111"
    page.keyboard.press("Control+ArrowDown")
    page.wait_for_selector(f".item[data-id='{held[0].id}']:not([hidden]) .bad [name='field.patient_dob']:focus")
    assert page.input_value(".item:not([hidden]) [name='field.patient_dob']") == "not a day"


def test_two_people_at_once_do_not_get_the_same(page, browser, url, held):
    page.goto(f"{url}/station/referrals")
    shown(page, held[0])
    page.locator(".item >> nth=2").wait_for(state="attached")  # two are fetched ahead
    for other in opened_by(browser, url, "owner person"):
        other.goto(f"{url}/station/referrals")
        shown(other, held[3])


@pytest.mark.expects("409")
def test_somebody_who_was_faster_is_reported(page, url, settings, service, held):
    page.goto(f"{url}/station/referrals")
    shown(page, held[0])
    deliver(service, held[0].source_id, {"mrn": ("0007123O", 0.61)})  # it came again meanwhile
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#said:has-text('somebody else was faster')")
    assert Ledger(settings.ledger).find(held[0].id).status is Status.HELD
