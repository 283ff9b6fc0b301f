"""What seldom happens on a disk and in a ledger: short writes, failing syncs, folders used again."""

import errno
import fcntl
import os
import time
from contextlib import closing, nullcontext
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from types import SimpleNamespace
from typing import Any

import apsw
import pytest

from receiver.core.delivery import Status
from receiver.core.problems import Code, Problem
from receiver.store import durable, publish, queries, recover, stage
from receiver.store.entry import Entry
from receiver.store.publish import finish, release
from receiver.store.sqlite import schema, writers
from receiver.store.sqlite.presence import Presence
from tests.support.place import AT, METADATA, PEER, Place, Sent, deliver, entry_of

ONE, TWO = Sent("S1", b"one"), Sent("S2", b"two")


def accepted(place: Place, sent: Sent) -> Entry:
    """Accept a delivery whose owner then dies: nobody publishes it."""
    with place.stage.open() as staged:
        publish.commit(place.ledger, staged, entry_of(place, staged, sent, 1))
    found = place.ledger.find(sent.id)
    assert found is not None
    return found


# the disk ---------------------------------------------------------------------------------------------------------


def test_a_write_that_takes_less_than_was_given_is_gone_on_with(tmp_path, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: write(descriptor, bytes(content)[:3]))
    durable.write_new(tmp_path / "a", METADATA)
    assert (tmp_path / "a").read_bytes() == METADATA


@pytest.mark.parametrize(("number", "fails"), [(errno.EIO, True), (errno.ENOSPC, True), (errno.EINVAL, False)])
def test_a_folder_that_cannot_be_made_durable_is_told(tmp_path, monkeypatch, number, fails):
    def failing(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(Problem) if fails else nullcontext():
        durable.sync_folder(tmp_path)


@pytest.fixture
def synced(monkeypatch) -> list[str]:
    """The names of what was made durable, in order."""
    names: list[str] = []
    fsync = os.fsync

    def syncing(descriptor: int) -> None:
        names.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", syncing)
    return names


def test_a_copy_is_durable_and_so_is_the_name_of_what_is_replaced(tmp_path, synced):
    (tmp_path / "a").write_bytes(b"content")
    durable.copy(tmp_path / "a", tmp_path / "b")
    assert synced == ["b"]
    synced.clear()
    durable.write_over(tmp_path / "a", b"new", tmp_path / "scratch")
    assert synced == ["scratch", tmp_path.name]


def test_a_folder_that_was_removed_while_it_was_locked_has_no_owner(tmp_path, monkeypatch):
    folder = tmp_path / "folder"
    folder.mkdir()
    flock = fcntl.flock

    def locked_too_late(descriptor: int, how: int) -> None:
        folder.rmdir()
        folder.mkdir()  # of another owner, under the same name
        flock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", locked_too_late)
    assert stage.lock_folder(folder) is None


# the transaction --------------------------------------------------------------------------------------------------


@pytest.fixture
def alone(place):
    """The writers of a ledger, as its only user."""
    place.ledger.close()
    with (
        closing(Presence(place.ledger.path)) as presence,
        closing(writers.Writers(place.ledger.path, presence)) as made,
    ):
        yield made


def ticket(operation: Any, *, durable: bool = True) -> Any:
    return writers._Ticket(operation, durable, time.monotonic() + 1)


def put(number: int) -> Any:
    entry = Entry(f"ID{number}", "referrals", f"S{number}", 1, AT, PEER, "c0ffee")
    return lambda connection: queries.put(connection, entry)


def ids(alone: writers.Writers) -> list[str]:
    return [id_ for (id_,) in alone._connection.execute("SELECT id FROM deliveries ORDER BY id")]


@pytest.mark.parametrize(
    ("each", "synchronous"), [((True, False), "full"), ((False, True), "full"), ((False,), "normal")]
)
def test_one_that_must_be_durable_makes_its_whole_transaction_so(alone, each, synchronous):
    batch = [ticket(put(number), durable=durable) for number, durable in enumerate(each)]
    alone._transact(batch, time.monotonic() + 1)
    assert alone._synchronous == synchronous


def test_an_operation_that_fails_half_way_leaves_nothing_with_its_neighbours(alone):
    def half(connection: apsw.Connection) -> None:
        put(1)(connection)
        raise ValueError

    batch = [ticket(half), ticket(put(2))]
    alone._transact(batch, time.monotonic() + 1)
    assert ids(alone) == ["ID2"]
    assert isinstance(batch[0].error, ValueError)


def test_a_doubt_stays_until_it_is_settled(alone):
    class Failing:
        """The connection, whose disk fails as long as it is asked to move what was committed."""

        def __getattr__(self, name: str) -> Any:
            return getattr(connection, name)

        def wal_checkpoint(self, **_: Any) -> None:
            raise apsw.IOError("no")

    connection, alone._connection = alone._connection, Failing()
    alone._doubtful = True
    for _ in range(2):
        with pytest.raises(apsw.IOError):
            alone._transact([ticket(put(1))], time.monotonic() + 1)
    alone._connection = connection
    assert ids(alone) == []
    alone._transact([ticket(put(1))], time.monotonic() + 1)
    assert (ids(alone), alone._doubtful) == (["ID1"], False)


def test_who_has_waited_longest_leads_next(alone):
    waiting = [ticket(put(number)) for number in (1, 2)]
    for each in waiting:
        each.woken = SimpleQueue()
    alone._waiting = [*waiting]
    alone._hand_over([])
    assert [each.woken.qsize() for each in waiting] == [1, 0]


# publication ------------------------------------------------------------------------------------------------------


def test_an_entry_that_is_no_longer_true_costs_nobody_the_folder_that_it_had(place):
    """Between a look at the ledger and the lock, the owner has published and used its folder again, and died."""
    stale = accepted(place, ONE)
    deliver(place, ONE)  # the owner's own retry: published and marked
    Path(stale.stage).mkdir(exist_ok=True)
    with place.stage.open() as staged:
        entry = entry_of(place, staged, TWO, 1)
        publish.commit(place.ledger, staged, entry)
        staged.folder.rename(place.stage.root / "moved")  # to the place that the stale entry names
    Path(stale.stage).rmdir()
    (place.stage.root / "moved").rename(stale.stage)
    with closing(apsw.Connection(str(place.ledger.path))) as connection:
        connection.execute("UPDATE deliveries SET stage_folder = ? WHERE id = ?", (stale.stage, TWO.id))
    assert finish(place.ledger, [stale]) == ([], {})
    assert place.recover().finished == [TWO.id]
    assert place.outputs() == {*ONE.files(), *TWO.files()}


def test_all_whose_folder_could_not_be_made_durable_are_not_published(place, monkeypatch):
    entries = [accepted(place, sent) for sent in (ONE, TWO)]

    sync, failures = durable.sync_folder, [Problem(Code.STORAGE_FAILED, "could not make a folder durable (EIO)")]

    def failing_once(folder: str) -> None:
        if failures:
            raise failures.pop()
        sync(folder)

    with monkeypatch.context() as broken:
        broken.setattr(durable, "sync_folder", failing_once)
        assert set(release(entries)) == {ONE.id, TWO.id}
    assert set(place.recover().finished) == {ONE.id, TWO.id}


@pytest.mark.both_ledgers
def test_recovery_passes_over_none_however_many_there_are(place, monkeypatch):
    monkeypatch.setattr(recover, "AT_ONCE", 2)
    sent = [Sent(f"S{number}", b"%d" % number) for number in range(5)]
    for each in sent:
        accepted(place, each)
    assert set(place.recover().finished) == {each.id for each in sent}


@pytest.mark.both_ledgers
def test_a_retry_that_cannot_publish_is_answered_as_accepted_and_not_as_busy(place, monkeypatch):
    entry = accepted(place, ONE)
    monkeypatch.setattr("receiver.store.publish.PATIENCE", 0)
    foreign = place.output / f"{ONE.id}.tif"
    foreign.write_text("not ours")
    receipt = publish.duplicate(place.ledger, entry, entry.arrival)
    assert (receipt.id, receipt.status, receipt.duplicate) == (ONE.id, Status.PUBLISHED, True)


def test_a_retry_looks_soon_and_then_less_often_and_is_told_to_come_again(place, monkeypatch):
    entry, slept = accepted(place, ONE), list[float]()
    monkeypatch.setattr(publish, "time", SimpleNamespace(monotonic=lambda: sum(slept), sleep=slept.append))
    monkeypatch.setattr(publish, "finish", lambda *_: ([], {}))  # its owner lives
    with pytest.raises(Problem) as told:
        publish.duplicate(place.ledger, entry, entry.arrival)
    assert told.value.code is Code.BUSY
    assert [round(1000 * each) for each in slept[:7]] == [2, 4, 8, 16, 32, 50, 50]
    assert publish.PATIENCE < sum(slept) < publish.PATIENCE + 0.1


def test_a_folder_that_cannot_be_locked_is_not_taken_for_one_that_has_an_owner(tmp_path, monkeypatch):
    def failing(*_: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", failing)
    with pytest.raises(Problem, match="ENOLCK"):
        stage.lock_folder(tmp_path)


# the ledger -------------------------------------------------------------------------------------------------------


@pytest.mark.both_ledgers
def test_a_delivery_that_is_marked_twice_frees_no_other_ones_name(place):
    first = replace(ONE, name="same")
    deliver(place, first)
    for name in place.outputs():
        (place.output / name).unlink()
    second = replace(TWO, name="same")
    accepted(place, second)
    place.ledger.published([place.ledger.find(first.id)], AT)
    with pytest.raises(Problem) as taken:
        deliver(place, Sent("S3", b"three", name="same"))
    assert taken.value.code is Code.NAME_TAKEN


def test_a_ledger_is_looked_through_at_its_start(place):
    place.ledger.close()
    schema.create(place.ledger.path)
    with closing(schema.connect(place.ledger.path)) as connection:
        schema.require_sound(connection)
