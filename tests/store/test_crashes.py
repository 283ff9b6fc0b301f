"""A crash at every step: after recovery a delivery is wholly absent, or wholly there once."""

import errno
from dataclasses import replace
from itertools import count

import pytest

from receiver.core.delivery import Status
from receiver.store import durable, originals, quarantine
from tests.support import dying
from tests.support.place import AT, Place, Sent, deliver, refuse

SENT = Sent()
EARLIER = Sent("S0", b"the delivery before" * 100, keep=True)
LATER = [replace(SENT, source_id=f"S{number}") for number in range(2, 5)]


def assert_wholly_absent_or_there_once(place: Place, sent: Sent, *others: Sent, answered: bool) -> bool:
    """Tell whether it is there; `others` are, too, and nothing else."""
    entry = place.ledger.find(sent.id)
    there = entry is not None
    assert there or not answered, "a 2xx was sent for a delivery that is not there"
    assert not there or entry.status is Status.PUBLISHED
    published = {name: (place.output / name).read_bytes() for name in place.outputs()}
    expected = [*([sent] if there else []), *others]
    assert published == {name: content for one in expected for name, content in one.files().items()}
    assert place.staged() == set()
    kept = originals.folder(place.data, sent.process, sent.id)
    assert kept.exists() == (there and sent.keep)
    if kept.exists():
        assert [part.path.read_bytes() for part in originals.load(place.data, sent.process, sent.id).parts] == [
            sent.content,
            b'{"patient": "invented"}',
        ]
    return there


def assert_accepted_at_one_step(outcomes: list[bool], *, before: int, after: int) -> None:
    """What is accepted once stays accepted; more than so many steps were tried before and after it."""
    accepted = outcomes.index(True)
    assert not any(outcomes[:accepted])
    assert all(outcomes[accepted:])
    assert accepted > before
    assert len(outcomes) - accepted > after


@pytest.mark.parametrize("keep", [False, True], ids=["", "with originals"])
def test_a_crash_at_any_step_of_a_delivery_neither_loses_nor_doubles_it(tmp_path, keep):
    sent = replace(SENT, keep=keep)
    outcomes = []
    for step in count():
        place = Place.at(tmp_path / str(step))
        answered = dying.run(lambda place=place: deliver(place, sent), step)
        place.recover()
        outcomes.append(assert_wholly_absent_or_there_once(place, sent, answered=answered))
        receipt = deliver(place, sent)
        assert receipt.duplicate == outcomes[-1]
        assert assert_wholly_absent_or_there_once(place, sent, answered=True)
        place.ledger.close()
        if answered:
            break
    assert_accepted_at_one_step(outcomes, before=20, after=9)


def test_what_was_taken_away_before_recovery_is_not_published_again_on_any_file_system(tmp_path, monkeypatch):
    """Where nothing can be renamed without overwriting; whoever imports takes what is there right after the crash."""

    def unknown(*_: object) -> None:
        raise OSError(errno.EINVAL, "no such flag")

    monkeypatch.setattr(durable, "rename_new", unknown)
    for step in count():
        place = Place.at(tmp_path / str(step))
        answered = dying.run(lambda place=place: deliver(place, SENT), step)
        taken = place.outputs()
        for name in taken:
            (place.output / name).unlink()
        place.recover()
        assert taken.isdisjoint(place.outputs())
        if place.ledger.find(SENT.id):
            assert taken | place.outputs() == SENT.files().keys()
        place.ledger.close()
        if answered:
            break


@pytest.mark.parametrize("keep", [False, True], ids=["", "with originals"])
def test_a_crash_at_any_step_of_a_delivery_in_a_folder_used_before_concerns_that_delivery_alone(tmp_path, keep):
    sent = replace(SENT, keep=keep)
    outcomes = []
    for step in count():
        place = Place.at(tmp_path / str(step))
        answered = dying.run(
            lambda place=place: deliver(place, sent), step, lambda place=place: deliver(place, EARLIER)
        )
        place.recover()
        outcomes.append(assert_wholly_absent_or_there_once(place, sent, EARLIER, answered=answered))
        assert assert_wholly_absent_or_there_once(place, EARLIER, *[sent] * outcomes[-1], answered=True)
        if outcomes[-1]:
            assert place.ledger.find(sent.id).stage == place.ledger.find(EARLIER.id).stage
        assert deliver(place, EARLIER).duplicate
        assert deliver(place, sent).duplicate == outcomes[-1]
        place.ledger.close()
        if answered:
            break
    assert_accepted_at_one_step(outcomes, before=10, after=10)


def test_a_crash_at_any_step_of_a_recovery_is_harmless(tmp_path):
    for step in count():
        place = Place.at(tmp_path / str(step))
        accept_but_do_not_publish(place, SENT)
        ended = dying.run(place.recover, step)
        dying.run(place.recover, step // 2)
        place.recover()
        assert assert_wholly_absent_or_there_once(place, SENT, answered=True)
        assert place.recover().finished == []
        place.ledger.close()
        if ended:
            break
    assert step > 15


def test_a_crash_at_any_step_of_a_refusal_keeps_it_whole_or_not_at_all(tmp_path):
    kept = []
    for step in count():
        place = Place.at(tmp_path / str(step))
        ended = dying.run(lambda place=place: refuse(place, SENT), step)
        place.recover()
        entry = place.ledger.find(SENT.id)
        folder = quarantine.folder(place.data, SENT.process, SENT.id)
        kept.append(entry is not None)
        assert folder.exists() == kept[-1]
        assert place.staged() == set()
        if entry:
            assert entry.attempt_count == 1
            assert sorted(path.name for path in folder.iterdir()) == ["1.tif", "2.json", "problem.json"]
        place.ledger.close()
        if ended:
            break
    assert kept.index(True) > 10
    assert all(kept[kept.index(True) :])


def test_a_crash_while_a_delivery_leaves_quarantine_leaves_nothing_of_it(tmp_path):
    for step in count():
        place = Place.at(tmp_path / str(step))
        refuse(place, SENT)
        deliver(place, SENT)
        ended = dying.run(lambda place=place: quarantine.discard(place.data, SENT.process, SENT.id), step)
        place.recover()
        assert not quarantine.folder(place.data, SENT.process, SENT.id).exists()
        place.ledger.close()
        if ended:
            break
    assert step >= 3


def test_many_unfinished_deliveries_are_finished_together(place):
    for sent in (SENT, *LATER):
        accept_but_do_not_publish(place, sent)
    report = place.recover()
    assert sorted(report.finished) == sorted(sent.id for sent in (SENT, *LATER))
    assert place.outputs() == {name for sent in (SENT, *LATER) for name in sent.files()}


def accept_but_do_not_publish(place: Place, sent: Sent) -> None:
    """Die between the row and the first rename."""

    def work() -> None:
        from receiver.store import publish

        publish.release = lambda entries: dying.os._exit(dying.DIED)
        deliver(place, sent)

    assert not dying.run(work, -1)
    assert place.ledger.find(sent.id).status is Status.COMMITTED
    assert place.ledger.find(sent.id).received_at == AT
    place.ledger.close()
