"""Actions on many deliveries: counted, tried, done in the background, each with its outcome."""

import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace as Given

import pytest
from flask import Flask, g

from receiver.core.delivery import Status
from receiver.core.problems import Code, Problem
from receiver.store import jobs as jobs_module
from receiver.store.accounts import Role
from receiver.store.jobs import Item, Jobs, State
from receiver.store.ledger import Ledger
from receiver.web.console import acting, bulk, runner

from .conftest import settled
from .test_console import OURS, act, client


@pytest.fixture
def held(settings, ids):
    """The ids of what is held now, whatever other tests left."""
    return {entry.id for entry in Ledger(settings.ledger).search(status=Status.HELD, limit=1000)}


def finish():
    """Wait for whoever works on jobs."""
    for thread in threading.enumerate():
        if thread.name.startswith("job "):
            thread.join()


def begin(made, action="release", **form):
    form = {"action": action, "status": "held", "process": "referrals"} | form
    answer = made.post("/jobs", data=form, headers=OURS)
    assert answer.status_code == 303, answer.text
    finish()
    return answer.headers["Location"]


def step(made, place, name):
    answer = made.post(f"{place}/{name}", headers=OURS)
    finish()
    return answer


def test_a_job_is_tried_before_anything_is_changed(console, settings, held):
    made = client(console)
    page = made.get(begin(made)).text
    assert "The dry run is complete" in page
    assert f"<dt>would be published</dt><dd>{len(held)}</dd>" in page
    assert all(Ledger(settings.ledger).find(id_).status is Status.HELD for id_ in held)


def test_a_job_takes_what_its_filters_match_and_says_them(console, held):
    made = client(console)
    page = made.get(begin(made, since="2026-01-01", before="2999-01-01")).text
    assert f"{len(held)} deliveries: held, referrals, since 2026-01-01 00:00 UTC, before 2999-01-01 00:00 UTC" in page
    assert "0 deliveries: held" in made.get(begin(made, since="2999-01-01")).text


def test_what_was_tried_is_done_once_and_each_delivery_has_its_outcome(console, settings, accounts, held):
    made = client(console)
    place = begin(made)
    assert step(made, place, "do").status_code == 303
    page = made.get(place).text
    assert "Done." in page
    assert f"<dt>published</dt><dd>{len(held)}</dd>" in page
    assert all(settled(settings, id_).status is Status.PUBLISHED for id_ in held)
    assert {look.event for look in accounts.looks(delivery=held.pop())} == {"release"}
    assert step(made, place, "do").status_code == 409


def test_what_came_again_since_the_dry_run_is_left_as_it_is(console, settings, ids, held):
    made = client(console)
    place = begin(made, "discard", reason="test faxes")
    act(made, settings, ids["held"], "replay")
    step(made, place, "do")
    assert Ledger(settings.ledger).find(ids["held"]).status is Status.HELD
    assert "somebody was at it meanwhile" in made.get(place).text
    others = held - {ids["held"]}
    assert all(Ledger(settings.ledger).find(id_).status is Status.DISCARDED for id_ in others)


def test_each_step_of_a_job_is_in_the_audit(console, accounts, ids, held):
    made = client(console)
    place = begin(made, process="")
    id_, count = place.rpartition("/")[2], f"{len(held)} deliveries"
    step(made, place, "stop")
    notes = [(look.event, look.note) for look in accounts.looks(person="operator person")[:2]]
    begun = f"{id_}: dry run of release, held, every process, {count}"
    assert notes == [("job", f"{id_}: stop"), ("job", begun)]


def test_a_step_that_there_is_not_is_told(console, ids):
    made = client(console)
    assert step(made, begin(made), "undo").status_code == 404
    assert made.get("/jobs/none").status_code == 404


def test_a_filter_reaches_no_further_than_it_says(console, settings, ids):
    made = client(console)
    place = begin(made, process="lab-reports")
    assert "0 of 0" in made.get(place).text
    assert Ledger(settings.ledger).find(ids["held"]).status is Status.HELD


@pytest.mark.parametrize(
    ("state", "looks", "stops"),
    [
        (State.TRYING, True, True),
        (State.TRIED, False, True),
        (State.RUNNING, True, True),
        (State.DONE, False, False),
        (State.STOPPED, False, False),
    ],
)
def test_a_page_looks_again_while_a_job_is_at_work_and_offers_to_stop_it(console, settings, state, looks, stops):
    made = client(console)
    place = begin(made)
    Jobs(Ledger(settings.ledger).connections).move(place.rpartition("/")[2], [State.TRIED], state)
    page = made.get(place, query_string={"part": 1}).text
    assert ("hx-get" in page, f"{place}/stop" in page) == (looks, stops)


def test_a_job_is_bounded(console, ids, monkeypatch):
    monkeypatch.setattr(bulk, "MOST", 1)
    made = client(console)
    page = made.get(begin(made)).text
    assert "1 of 1" in page
    assert "begin another job for the rest" in page


def test_the_page_of_a_job_shows_so_many_and_a_reason_of_so_many_characters(console, ids, held, monkeypatch):
    monkeypatch.setattr("receiver.web.console.bulk.SHOWN", 0)
    made = client(console)
    page = made.get(begin(made, reason="x" * 201)).text
    assert f"and {len(held)} more" in page
    assert (any(id_ in page for id_ in held), "x" * 200 in page, "x" * 201 in page) == (False, True, False)


def test_what_is_stopped_stays_as_it_was(console, settings, ids, monkeypatch):
    made = client(console)
    place = begin(made)
    with monkeypatch.context() as patched:
        patched.setattr(bulk, "_runner", lambda: pytest.fail("what is stopped needs nobody who does it"))
        assert step(made, place, "stop").status_code == 303
    assert step(made, place, "do").status_code == 409
    assert Ledger(settings.ledger).find(ids["held"]).status is Status.HELD


def test_what_is_stopped_before_its_turn_is_not_touched(console, settings, ids):
    made, turn = client(console), console.extensions["runner"]._turn
    with turn:  # another job is at work
        form = {"action": "discard", "status": "held", "process": "referrals"}
        place = made.post("/jobs", data=form, headers=OURS).headers["Location"]
        assert made.post(f"{place}/stop", headers=OURS).status_code == 303
    finish()
    assert Ledger(settings.ledger).find(ids["held"]).status is Status.HELD


def test_a_job_whose_console_died_is_gone_on_with(console, settings, ids, monkeypatch):
    made = client(console)
    place = begin(made)
    Jobs(Ledger(settings.ledger).connections).move(place.rpartition("/")[2], [State.TRIED], State.RUNNING)
    assert step(made, place, "resume").status_code == 409  # it may be at work
    monkeypatch.setattr(jobs_module, "QUIET", timedelta(seconds=-1))
    assert "Whoever worked on it has gone" in made.get(place).text
    assert step(made, place, "resume").status_code == 303
    assert settled(settings, ids["held"]).status is Status.PUBLISHED


def test_somebody_elses_job_is_seen_and_stopped_but_not_done(console, ids):
    place = begin(client(console))
    other = client(console, Role.OWNER)
    assert other.get(place).status_code == 200
    assert step(other, place, "do").status_code == 403
    assert step(other, place, "stop").status_code == 303


def test_an_auditor_neither_begins_nor_sees_jobs(console, ids):
    place = begin(client(console))
    auditor = client(console, Role.AUDITOR)
    assert auditor.post("/jobs", data={"action": "discard", "status": "held"}, headers=OURS).status_code == 403
    assert auditor.get(place).status_code == 403
    assert auditor.post(f"{place}/do", headers=OURS).status_code == 403


@pytest.mark.parametrize("form", [{"status": "published"}, {"action": "correct"}, {"status": ""}])
def test_what_is_no_action_on_kept_deliveries_is_refused(console, form):
    data = {"action": "release", "status": "held"} | form
    assert client(console).post("/jobs", data=data, headers=OURS).status_code == 400


class Kept:
    """One job as its store has it, which somebody stops after so many notes."""

    def __init__(self, state: State, stopped_after: int = 99) -> None:
        self.job = Given(id="J", person="ada", action="release", reason="", state=state)
        self.rows = [Item(name, 1, "tried" * (name == "done"), name * (name == "done")) for name in DELIVERIES]
        self.noted, self.moved, self.stopped_after = [], [], stopped_after

    def find(self, _id):
        return self.job

    def items(self, _id):
        return self.rows

    def note(self, _id, delivery, column, found):
        self.noted.append((delivery, column, found))
        return len(self.noted) < self.stopped_after

    def move(self, _id, _states, state):
        self.moved.append(state)


DELIVERIES = ("done", "gone", "broken", "good")


@pytest.fixture
def run(monkeypatch):
    """Run a job over four deliveries, of which one was done before, one is gone, and one fails."""

    def act(_context, entry, *_):
        if entry.id == "broken":
            raise Problem(Code.STORAGE_FAILED, "away")
        return "published"

    monkeypatch.setattr(acting, "act", act)
    monkeypatch.setattr(acting, "rehearse", act)
    entries = {name: Given(id=name, attempt_count=1) for name in DELIVERIES if name != "gone"}
    service = Given(context=Given(ledger=Given(find=entries.get)))

    def run(kept):
        runner.Runner(service, kept, Given(note=lambda *_: None))._work("J")
        return kept

    return run


@pytest.mark.parametrize(
    ("state", "column", "gone", "end"),
    [
        (State.TRYING, "tried", "it is not there any more", State.TRIED),
        (State.RUNNING, "outcome", runner.CHANGED, State.DONE),
    ],
)
def test_a_job_goes_on_after_what_is_gone_or_fails_and_does_nothing_twice(run, state, column, gone, end):
    kept = run(Kept(state))
    found = [("gone", column, gone), ("broken", column, "failed: storage-failed"), ("good", column, "published")]
    assert (kept.noted, kept.moved) == (found, [end])


def test_a_job_that_is_stopped_does_nothing_more_and_is_not_done(run):
    kept = run(Kept(State.RUNNING, stopped_after=1))
    assert ([name for name, _, _ in kept.noted], kept.moved) == (["gone"], [])


@pytest.mark.parametrize("state", [State.TRIED, State.DONE, State.STOPPED])
def test_a_job_whose_state_asks_for_nothing_when_its_turn_comes_does_nothing(run, monkeypatch, state):
    acted = []
    monkeypatch.setattr(acting, "act", lambda _context, entry, *_: acted.append(entry.id))
    kept = run(Kept(state))
    assert (acted, kept.noted, kept.moved) == ([], [], [])


def test_a_job_that_is_forgotten_is_not_worked_on(run, monkeypatch):
    crashed = []
    monkeypatch.setattr("receiver.log.crashed", crashed.append)
    run(Given(find=lambda _: None))
    assert crashed == []


def test_one_job_is_worked_on_at_a_time_by_a_thread_that_the_console_need_not_wait_for():
    found, done = [], threading.Event()

    def find(_id):
        found.append((threading.current_thread().name, threading.current_thread().daemon, one._turn.locked()))
        done.set()

    one = runner.Runner(None, Given(find=find), None)
    one.start("J")
    assert done.wait(60)
    assert found == [("job J", True, True)]


def test_a_job_that_fails_as_a_whole_is_in_the_log(run, monkeypatch):
    crashed = []
    monkeypatch.setattr("receiver.log.crashed", crashed.append)
    run(Given(find=None))
    assert [type(error) for error in crashed] == [TypeError]


@pytest.mark.parametrize(
    ("state", "query", "template", "going", "done", "counts"),
    [
        (State.TRYING, "", "job.html", True, 2, [("would", 2)]),
        (State.TRIED, "part", "progress.html", False, 2, [("would", 2)]),
        (State.RUNNING, "part", "progress.html", True, 1, [("published", 1)]),
        (State.DONE, "", "job.html", False, 1, [("published", 1)]),
        (State.STOPPED, "", "job.html", False, 1, [("published", 1)]),
    ],
)
def test_how_far_a_job_has_come_is_shown(monkeypatch, state, query, template, going, done, counts):
    items = [Item("A", 1, "would", "published"), Item("B", 1, "would", ""), Item("C", 1, "", "")]
    found = Given(state=state, is_abandoned=lambda now: now.tzinfo is UTC)
    monkeypatch.setattr(bulk, "SHOWN", 2)
    monkeypatch.setattr(bulk, "_jobs", lambda: Given(find=lambda _: found, items=lambda _: items))
    monkeypatch.setattr(bulk, "render_template", lambda template, /, **shown: shown | {"template": template})
    with Flask(__name__).test_request_context("/", query_string=query):
        g.user = Given(role=Role.OPERATOR)
        assert bulk.job("J") == {
            "template": template,
            "job": found,
            "items": items[:2],
            "total": 3,
            "done": done,
            "counts": counts,
            "going": going,
            "abandoned": True,
            "most": bulk.MOST,
        }


def test_jobs_are_found_again_until_they_are_old(console, settings, ids):
    made = client(console)
    place = begin(made)
    assert place in made.get("/jobs").text
    jobs = Jobs(Ledger(settings.ledger).connections)
    assert jobs.find(place.rpartition("/")[2]).began > datetime.now(UTC) - jobs_module.KEPT
