"""What is kept whole: quarantine and originals."""

import json
import os
import threading
from contextlib import contextmanager, suppress
from dataclasses import replace

import apsw
import pytest

from receiver.core.delivery import Receipt, Replay, Status
from receiver.core.problems import Code, Problem, Violation
from receiver.store import originals, quarantine
from receiver.store.entry import Attempt
from receiver.store.stage import lock_folder
from tests.support.place import AT, PEER, Sent, bare_entry, deliver, refuse, refuse_at_last, write_parts

SENT = Sent()


@pytest.mark.both_ledgers
def test_a_refused_delivery_is_kept_whole_with_the_reason(place):
    violations = (Violation("/fields/mrn", "pattern", "The number must be digits."),)
    with place.stage.open() as staged:
        parts = write_parts(staged, SENT)
        staged.add(b"a record that was rendered in vain", ".hl7")
        entry = bare_entry(place, SENT, parts, None)._replace(
            status=Status.HELD, code=Code.FIELDS_INVALID, violations=violations
        )
        receipt = quarantine.keep(place.ledger, place.data, staged, entry, parts, "The fields are wrong.")
    assert receipt == Receipt(SENT.id, Status.HELD, "referrals", "S1", None)
    folder = quarantine.folder(place.data, "referrals", SENT.id)
    assert sorted(path.name for path in folder.iterdir()) == ["1.tif", "2.json", "problem.json"]
    kept = quarantine.load(place.data, "referrals", SENT.id)
    assert [part.path.read_bytes() for part in kept.parts] == [SENT.content, b'{"patient": "invented"}']
    assert kept.parts == tuple(SENT.parts(folder))
    assert kept.entry == entry._replace(output=kept.entry.output)
    assert kept.detail == "The fields are wrong."
    assert place.ledger.find(SENT.id).violations == violations
    assert place.staged() == set()


@pytest.mark.both_ledgers
def test_the_same_delivery_refused_again_has_the_new_reason_and_parts_of_any_order(place):
    refuse(place, SENT)
    with place.stage.open() as staged:
        staged.part(".json").write(b'{"patient": "invented"}')
        staged.part(".tif").write(SENT.content)
        parts = SENT.parts(staged.folder, ("2.tif", "1.json"))
        entry = bare_entry(place, SENT, parts, None)._replace(status=Status.HELD, code=Code.TEMPLATE_FAILED)
        quarantine.keep(place.ledger, place.data, staged, entry, parts, "The template is wrong.")
    kept = quarantine.load(place.data, "referrals", SENT.id)
    assert (kept.entry.status, kept.entry.code, kept.detail) == (
        Status.HELD,
        Code.TEMPLATE_FAILED,
        "The template is wrong.",
    )
    assert [part.path.read_bytes() for part in kept.parts] == [SENT.content, b'{"patient": "invented"}']
    entry = place.ledger.find(SENT.id)
    assert (entry.status, entry.attempt_count) == (Status.HELD, 2)


def test_a_row_that_the_owner_did_not_write_is_written_once(place):
    refuse(place, SENT)
    folder = quarantine.folder(place.data, "referrals", SENT.id)
    (folder / quarantine.UNSETTLED).touch()
    assert place.recover().quarantined == 1
    assert place.ledger.find(SENT.id).attempt_count == 1
    with apsw.Connection(str(place.ledger.path)) as connection:
        connection.execute("DELETE FROM deliveries")
    (folder / quarantine.UNSETTLED).touch()
    assert place.recover().quarantined == 1
    entry = place.ledger.find(SENT.id)
    assert entry.attempts == (Attempt(entry.received_at, PEER, "refused", Code.FIELDS_INVALID),)
    assert place.recover().quarantined == 0


@pytest.mark.both_ledgers
def test_what_was_accepted_since_leaves_quarantine(place):
    refuse(place, SENT)
    deliver(place, SENT)
    quarantine.discard(place.data, "referrals", SENT.id)
    assert quarantine.places(place.data) == []
    quarantine.discard(place.data, "referrals", SENT.id)
    with pytest.raises(Problem):
        quarantine.load(place.data, "referrals", SENT.id)


def let_go(place, entry):
    attempt = Attempt(AT, "", "discarded", note="its time is over")
    return quarantine.let_go(place.ledger, place.data, entry, attempt)


@pytest.mark.both_ledgers
def test_what_is_let_go_leaves_a_row_that_says_so(place):
    refuse(place, SENT, Status.HELD)
    assert let_go(place, place.ledger.find(SENT.id))
    entry = place.ledger.find(SENT.id)
    assert (entry.status, entry.code) == (Status.DISCARDED, Code.FIELDS_INVALID)
    assert [attempt.outcome for attempt in entry.attempts] == ["held", "discarded"]
    assert quarantine.places(place.data) == []
    assert list((place.data / "quarantine" / ".stage").iterdir()) == []


@pytest.mark.both_ledgers
def test_what_came_again_meanwhile_is_not_let_go(place):
    refuse(place, SENT)
    seen = place.ledger.find(SENT.id)
    refuse(place, SENT)
    assert not let_go(place, seen)
    assert place.ledger.find(SENT.id).status is Status.REFUSED
    assert quarantine.load(place.data, "referrals", SENT.id)


@pytest.mark.both_ledgers
def test_a_row_that_was_written_since_it_was_read_is_not_discarded(place):
    """Between looking for the folder and writing the row, a sender may keep it again."""
    refuse(place, SENT)
    seen = place.ledger.find(SENT.id)
    refuse(place, SENT)
    assert not place.ledger.discard(seen, Attempt(AT, "", "discarded"))
    assert place.ledger.find(SENT.id).status is Status.REFUSED
    assert place.ledger.discard(place.ledger.find(SENT.id), Attempt(AT, "", "discarded"))
    assert place.ledger.find(SENT.id).status is Status.DISCARDED


def test_what_somebody_works_on_is_not_let_go(place):
    refuse(place, SENT)
    folder = quarantine.folder(place.data, "referrals", SENT.id)
    lock = lock_folder(folder)
    assert not let_go(place, place.ledger.find(SENT.id))
    os.close(lock)
    assert let_go(place, place.ledger.find(SENT.id))


def test_a_delivery_that_was_let_go_may_come_again(place):
    refuse(place, SENT)
    let_go(place, place.ledger.find(SENT.id))
    refuse(place, SENT, Status.HELD)
    entry = place.ledger.find(SENT.id)
    assert (entry.status, entry.attempt_count) == (Status.HELD, 3)
    assert quarantine.load(place.data, "referrals", SENT.id)
    assert not deliver(place, SENT).duplicate


def test_letting_go_that_was_cut_off_by_a_crash_is_finished(place):
    refuse(place, SENT)
    place.ledger.discard(place.ledger.find(SENT.id), Attempt(AT, "", "discarded"))
    assert place.recover().quarantined == 1
    assert quarantine.places(place.data) == []
    assert place.ledger.find(SENT.id).attempt_count == 2


@pytest.mark.both_ledgers
def test_the_same_refused_delivery_many_times_at_once_is_kept_once(place):
    senders = [threading.Thread(target=refuse_at_last, args=(place, SENT)) for _ in range(12)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    entry = place.ledger.find(SENT.id)
    assert entry.status is Status.REFUSED
    assert entry.attempt_count >= 12
    folder = quarantine.folder(place.data, "referrals", SENT.id)
    assert sorted(path.name for path in folder.iterdir()) == ["1.tif", "2.json", "problem.json"]


@pytest.mark.both_ledgers
def test_senders_and_a_pruner_at_once_never_leave_a_row_without_its_delivery(place):
    """Whoever is answered may rely on the row: held means that it lies in quarantine."""
    over = threading.Event()

    def prune():
        while not over.is_set():
            with suppress(Problem):  # it waits no longer for the sender
                if entry := place.ledger.find(SENT.id):
                    let_go(place, entry)

    pruner = threading.Thread(target=prune)
    pruner.start()
    try:
        for _ in range(40):
            refuse_at_last(place, SENT, Status.HELD)
    finally:
        over.set()
        pruner.join()
    kept = place.ledger.find(SENT.id).status is Status.HELD
    assert kept == (len(quarantine.places(place.data)) == 1)
    refuse(place, SENT, Status.HELD)
    assert quarantine.load(place.data, "referrals", SENT.id).entry.status is Status.HELD


def test_a_replay_that_died_before_its_row_is_noted_as_a_replay(place):
    refuse(place, SENT)
    replay = Replay(AT, "an operator")
    with place.stage.open() as staged:
        parts = write_parts(staged, SENT)
        entry = bare_entry(place, SENT, parts, None)._replace(status=Status.HELD, code=Code.TEMPLATE_FAILED)
        entry = entry._replace(replay=replay)
        with pytest.raises(ZeroDivisionError), replaced_once(place.ledger, "quarantine"):
            quarantine.keep(place.ledger, place.data, staged, entry, parts, "The template is wrong.")
    assert place.recover().quarantined == 1
    [first, second] = place.ledger.find(SENT.id).attempts
    assert second == Attempt(AT, "", "held", Code.TEMPLATE_FAILED, "replay by an operator")
    assert first.note == ""


@contextmanager
def replaced_once(ledger, name):
    """Fail as a crash would, at one step."""
    kept = getattr(ledger, name)
    setattr(ledger, name, lambda *_: 1 / 0)
    try:
        yield
    finally:
        setattr(ledger, name, kept)


def test_a_damaged_description_is_told_and_does_not_stop_recovery(place):
    for number in (1, 2):
        refuse(place, Sent(f"S{number}"))
    folder = quarantine.folder(place.data, "referrals", Sent("S1").id)
    for damage in ("not json", "[]", "{}", json.dumps({"parts": [{}]})):
        (folder / "problem.json").write_text(damage)
        with pytest.raises(Problem, match="damaged"):
            quarantine.load(place.data, "referrals", Sent("S1").id)
    (folder / quarantine.UNSETTLED).touch()
    (quarantine.folder(place.data, "referrals", Sent("S2").id) / quarantine.UNSETTLED).touch()
    report = place.recover()
    assert set(report.failed) == {Sent("S1").id}
    assert report.quarantined == 1


def test_a_part_cannot_lead_out_of_its_folder(place):
    refuse(place, SENT)
    description = quarantine.folder(place.data, "referrals", SENT.id) / "problem.json"
    told = json.loads(description.read_text())
    told["parts"][0]["file"] = "../../../../etc/passwd"
    description.write_text(json.dumps(told))
    kept = quarantine.load(place.data, "referrals", SENT.id)
    assert kept.parts[0].path == kept.folder / "passwd"


@pytest.mark.both_ledgers
def test_originals_outlive_what_downstream_takes_away_and_cost_no_second_copy(place):
    sent = replace(SENT, keep=True)
    deliver(place, sent)
    kept = originals.load(place.data, "referrals", sent.id)
    document = place.output / f"{sent.id}.tif"
    assert kept.parts[0].path.stat().st_ino == document.stat().st_ino
    for name in place.outputs():
        (place.output / name).unlink()
    assert [part.path.read_bytes() for part in kept.parts] == [sent.content, b'{"patient": "invented"}']
    assert kept.parts[0].filename == "Jane Invented.tif"


def test_originals_of_an_earlier_life_stay(place):
    sent = replace(SENT, keep=True)
    at = deliver(place, sent) and place.ledger.find(sent.id).received_at
    place.ledger.prune("referrals", at.replace(year=2030))
    for name in place.outputs():
        (place.output / name).unlink()
    assert not deliver(place, sent).duplicate
    assert originals.load(place.data, "referrals", sent.id).parts[0].path.read_bytes() == sent.content
