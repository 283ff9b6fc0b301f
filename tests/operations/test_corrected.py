"""A delivery that a person has corrected: what is done with it later goes by the corrections, not by what was sent."""

import pytest

from receiver.core.delivery import Replay, Status
from receiver.core.problems import Code, Problem
from receiver.operations import replay
from receiver.operations.rehearsal import Result, rehearse
from tests.support.home import NOON

CORRECTED = {"mrn": "00071235"}


def corrected(home, entry):
    """Publish a held delivery, corrected by a person who has looked."""
    return replay.replay(home.context, entry, Replay(NOON, "ada", accept_confidence=True, corrections=CORRECTED))


def say_so(record):
    assert "00071235" in record.decode()
    assert "142637A" not in record.decode()


@pytest.fixture
def held(home):
    home.section('[retention]\noriginals = "30d"')
    entry = home.deliver(confidence=0.1)
    assert entry.status is Status.HELD
    return entry


@pytest.fixture
def scanner(monkeypatch):
    """Return a scanner that finds something, in what the trial has let pass."""

    def scan(*_):
        raise Problem(Code.MALWARE_FOUND, "Something is found in a document.")

    with monkeypatch.context() as patched:
        patched.setattr("receiver.delivery.receive.scan", scan)
        patched.setattr("receiver.delivery.receive._is_scanned", bool)  # every part
        yield patched


def test_what_downstream_lost_of_it_is_published_with_its_corrections(home, held):
    published = corrected(home, held).entry
    before = home.outputs()
    for path in home.settings.output.rglob("*.json"):
        path.unlink()
    assert "1 files, " in home.receiver("republish", published.id).stdout
    assert home.outputs() == before
    say_so(before[f"referrals/{published.id}.json"])


def test_a_rehearsal_finds_it_the_same(home, held):
    assert rehearse(home.context, corrected(home, held).entry).result is Result.SAME


def test_a_replay_keeps_the_corrections_of_one_that_was_held_again(home, held, scanner):
    kept = corrected(home, held)
    assert kept.problem.code is Code.MALWARE_FOUND
    scanner.undo()
    told = home.receiver("replay", kept.entry.id, "--accept-confidence")
    assert told.exit_code == 0
    say_so(home.outputs()[f"referrals/{kept.entry.id}.json"])
    assert "1 field corrected" in home.ledger.find(kept.entry.id).attempts[-1].note


def test_a_captured_case_says_that_it_has_what_was_sent(home, held):
    told = home.receiver("capture", corrected(home, held).entry.id, "--as", "doubtful")
    assert "1 of its values were corrected by a person: the case has what was sent" in told.stdout
