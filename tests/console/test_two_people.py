"""A process that asks for a second pair of eyes: the first person proposes, the second one publishes."""

import json

import pytest

from receiver.core.delivery import Status
from receiver.store import quarantine
from receiver.store.accounts import Role
from receiver.store.ledger import Ledger
from receiver.web.console import create_app

from .conftest import settled
from .test_bulk import begin, finish
from .test_console import OURS, act, client, seen


@pytest.fixture
def console(settings, accounts):
    """Return a console whose referrals ask for two people."""
    made = create_app(settings)
    config = made.extensions["service"].context.processes["referrals"].config.confidence
    object.__setattr__(config, "four_eyes", True)
    return made


def status(settings, ids):
    return settled(settings, ids["held"]).status


def correct(made, settings, ids, value="00071235"):
    return act(made, settings, ids["held"], "correct", **{"field.mrn": value})


def test_one_person_proposes_and_another_one_publishes(console, settings, accounts, ids):
    ada, bob = client(console), client(console, Role.OWNER)
    assert correct(ada, settings, ids).headers["Location"].endswith("done=propose")
    assert correct(ada, settings, ids).headers["Location"].endswith("done=propose")  # the same person is no second one
    assert status(settings, ids) is Status.HELD
    page = bob.get(f"/deliveries/{ids['held']}").text
    assert "operator person has proposed this" in page
    assert 'value="00071235"' in page
    assert correct(bob, settings, ids).headers["Location"].endswith("done=correct")
    assert status(settings, ids) is Status.PUBLISHED
    events = {(look.person, look.event) for look in accounts.looks(delivery=ids["held"])}
    assert {("operator person", "propose"), ("owner person", "correct")} <= events


def test_who_changes_a_proposal_proposes_anew(console, settings, ids):
    ada, bob = client(console), client(console, Role.OWNER)
    correct(ada, settings, ids)
    assert correct(bob, settings, ids, "00071236").headers["Location"].endswith("done=propose")
    assert correct(ada, settings, ids, "00071236").headers["Location"].endswith("done=correct")
    assert status(settings, ids) is Status.PUBLISHED


@pytest.mark.parametrize("action", ["release", "overrule"])
def test_a_release_needs_a_second_person_as_well(console, settings, ids, action):
    ada, bob = client(console), client(console, Role.OWNER)
    for _ in range(2):
        assert act(ada, settings, ids["held"], action).location == f"/deliveries/{ids['held']}?done=propose"
        assert status(settings, ids) is Status.HELD
    assert act(bob, settings, ids["held"], action).location == f"/deliveries/{ids['held']}?done={action}"
    assert status(settings, ids) is Status.PUBLISHED


def test_who_has_a_delivery_judged_anew_proposes_nothing(console, settings, accounts, ids):
    assert act(client(console), settings, ids["held"], "replay").status_code == 200
    assert {look.event for look in accounts.looks(delivery=ids["held"])} == {"replay"}


def test_nobody_gets_at_the_station_what_they_have_proposed(console, settings, ids):
    ada, bob = client(console), client(console, Role.OWNER)
    correct(ada, settings, ids)
    assert ids["held"] not in ada.get("/station/referrals").text
    others = [each.id for each in Ledger(settings.ledger).search(status=Status.HELD) if each.id != ids["held"]]
    page = bob.get("/station/referrals/next", query_string={"not": others}).text
    assert "operator person has proposed this" in page


def test_the_station_is_told_a_proposal_from_what_is_published(console, settings, ids):
    place, form = f"/station/referrals/{ids['held']}", {"seen": seen(settings, ids["held"]), "field.mrn": "00071235"}
    answers = [client(console, role).post(place, data=form, headers=OURS) for role in (Role.OPERATOR, Role.OWNER)]
    assert [answer.status_code for answer in answers] == [202, 204]
    assert status(settings, ids) is Status.PUBLISHED


def test_no_job_releases_what_two_people_are_to_see(console, settings, ids):
    made = client(console)
    place = begin(made)
    made.post(f"{place}/do", headers=OURS)
    finish()
    assert status(settings, ids) is Status.HELD
    assert "two people release it one by one" in made.get(place).text


def test_a_proposal_lies_beside_the_parts_and_goes_with_them(console, settings, ids):
    correct(client(console), settings, ids)
    path = settings.data / "quarantine/referrals" / ids["held"] / quarantine.PROPOSAL
    assert json.loads(path.read_text())["corrections"] == {"mrn": "00071235"}
    assert not any(b"00071235" in each.read_bytes() for each in settings.data.glob("ledger.db*"))
    act(client(console), settings, ids["held"], "discard", reason="a test")
    assert not path.exists()
