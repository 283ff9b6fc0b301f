"""What only the real pass sees after a trial that found nothing: it is never told as published."""

import pytest

from receiver.authoring.cases import outcome
from receiver.core.delivery import Status
from receiver.core.problems import Code, Problem
from receiver.delivery.render import render
from receiver.operations.replay import Replayed, Result
from receiver.store.accounts import Role
from receiver.web.console import create_app

from .conftest import deliver, settled
from .test_bulk import begin, step
from .test_console import OURS, act, client, seen

VIRUS = "Something is found in a document."


@pytest.fixture
def console(settings, accounts):
    return create_app(settings)


def found(*_):
    raise Problem(Code.MALWARE_FOUND, VIRUS)


@pytest.fixture
def infected(monkeypatch):
    monkeypatch.setattr("receiver.delivery.receive.scan", found)
    monkeypatch.setattr("receiver.delivery.receive._is_scanned", bool)  # every part


@pytest.fixture
def turned_away(monkeypatch):
    def scan(*_):
        raise Problem(Code.SOURCE_ID_CONFLICT, VIRUS)

    monkeypatch.setattr("receiver.delivery.receive.scan", scan)
    monkeypatch.setattr("receiver.delivery.receive._is_scanned", bool)  # every part


def rule(console, **keys):
    """Configure the referrals of a console otherwise."""
    config = console.extensions["service"].context.processes["referrals"].config
    for name, value in keys.items():
        object.__setattr__(config.delivery if name == "same_source_id" else config.confidence, name, value)


def status(settings, ids):
    return settled(settings, ids["held"]).status


@pytest.mark.parametrize("action", ["correct", "release"])
def test_a_source_id_that_may_come_once_is_refused_by_the_trial(console, settings, service, ids, action):
    rule(console, same_source_id="refuse")
    deliver(service, ids["source"], {})  # the same sourceId with other content is published meanwhile
    before = seen(settings, ids["held"])
    answer = act(client(console), settings, ids["held"], action, **{"field.mrn": "00071235"})
    assert answer.status_code == 200
    assert "This sourceId came before with other content." in answer.text
    assert (status(settings, ids), seen(settings, ids["held"])) == (Status.HELD, before)


def test_what_was_published_before_under_its_source_id_says_so(console, settings, service, ids):
    rule(console, same_source_id="ignore")
    deliver(service, ids["source"], {})
    answer = act(client(console), settings, ids["held"], "release")
    assert answer.status_code == 200
    assert "was published before" in answer.text
    assert status(settings, ids) is Status.HELD


@pytest.mark.parametrize("action", ["correct", "release", "overrule", "replay"])
def test_a_page_tells_what_only_the_real_pass_has_seen(console, settings, ids, infected, action):
    answer = act(client(console), settings, ids["held"], action, **{"field.mrn": "00071235"})
    assert answer.status_code == 200
    assert VIRUS in answer.text
    assert f'name="seen" value="{seen(settings, ids["held"])}"' in answer.text
    assert status(settings, ids) is Status.HELD


def away(*_):
    raise Problem(Code.SCANNER_AWAY, "The scanner is away.")


@pytest.mark.parametrize("action", ["correct", "release", "overrule", "replay"])
def test_what_could_not_be_judged_is_said_and_stays_as_it_was(console, settings, ids, infected, monkeypatch, action):
    monkeypatch.setattr("receiver.delivery.receive.scan", away)
    answer = act(client(console), settings, ids["held"], action, **{"field.mrn": "00071235"})
    assert (answer.status_code, status(settings, ids)) == (503, Status.HELD)
    assert "The scanner is away." in answer.text


def test_who_publishes_what_is_published_by_then_is_told_so(console, settings, ids, monkeypatch):
    before = Replayed(Result.BEFORE, settled(settings, ids["held"]))
    monkeypatch.setattr("receiver.operations.replay.replay", lambda *_: before)
    assert act(client(console), settings, ids["held"], "release").status_code == 409


def test_a_page_tells_what_the_real_pass_turns_away(console, settings, ids, turned_away):
    answer = act(client(console), settings, ids["held"], "correct", **{"field.mrn": "00071235"})
    assert (answer.status_code, status(settings, ids)) == (200, Status.REFUSED)
    assert VIRUS in answer.text


def test_the_station_gets_the_delivery_back(console, settings, ids, infected):
    place, form = f"/station/referrals/{ids['held']}", {"seen": seen(settings, ids["held"]), "field.mrn": "00071235"}
    answer = client(console).post(place, data=form, headers=OURS)
    assert answer.status_code == 200
    assert VIRUS in answer.text
    assert f'name="seen" value="{seen(settings, ids["held"])}"' in answer.text


def test_a_second_person_is_told_as_well(console, settings, ids, infected):
    rule(console, four_eyes=True)
    ada, bob = client(console), client(console, Role.OWNER)
    assert act(ada, settings, ids["held"], "release").headers["Location"].endswith("done=propose")
    answer = act(bob, settings, ids["held"], "release")
    assert (answer.status_code, status(settings, ids)) == (200, Status.HELD)
    assert VIRUS in answer.text


def test_a_job_tells_why_each_is_not_published(console, ids, infected):
    made = client(console)
    place = begin(made)
    step(made, place, "do")
    assert "held: malware-found" in made.get(place).text


def test_a_trial_is_made_as_the_version_that_it_would_be(console, settings, service, ids, monkeypatch):
    deliver(service, ids["source"], {})
    versions = []

    def rendered(_process, delivery, *_, **_more):
        versions.append(delivery.version)
        return render(_process, delivery, *_, **_more)

    monkeypatch.setattr(outcome, "render", rendered)
    client(console).get(f"/deliveries/{ids['held']}")
    assert versions == [2]


@pytest.mark.parametrize(("action", "fields"), [("correct", {"field.mrn": "00071235"}), ("release", {})])
def test_a_correction_stays_when_it_is_held_again(console, settings, ids, monkeypatch, action, fields):
    ada = client(console)
    with monkeypatch.context() as patched:
        patched.setattr("receiver.delivery.receive.scan", found)
        patched.setattr("receiver.delivery.receive._is_scanned", bool)  # every part
        act(ada, settings, ids["held"], "correct", **{"field.mrn": "00071235"})
    act(ada, settings, ids["held"], action, **fields)
    assert status(settings, ids) is Status.PUBLISHED
    records = [path.read_text() for path in settings.output.rglob(f"{ids['held']}*.hl7")]
    assert records
    assert all("00071235" in text for text in records)
