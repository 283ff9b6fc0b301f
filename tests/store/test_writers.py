"""The one who writes to SQLite: waiting, leading, one transaction for many, and what fails half-way."""

import errno
import fcntl
import os
import threading
import time
from contextlib import closing
from pathlib import Path
from queue import SimpleQueue
from types import SimpleNamespace
from typing import Any

import apsw
import pytest

from receiver.core.problems import Code, Problem
from receiver.store.database import CommitUnknownError
from receiver.store.sqlite import schema, writers
from receiver.store.sqlite.presence import LedgerMovedError, Presence
from receiver.store.sqlite.writers import Interlock, Writers
from tests.support.place import open_files

NOW = 100.0  # of the monotonic clock
MOVED = LedgerMovedError(Code.STORAGE_FAILED, "moved")
FAILED = Problem(Code.STORAGE_FAILED, "no")


@pytest.fixture
def made(place):
    """The writers of a ledger, as its only user."""
    place.ledger.close()
    with closing(Presence(place.ledger.path)) as presence, closing(Writers(place.ledger.path, presence)) as made:
        yield made


@pytest.fixture
def clock(monkeypatch) -> None:
    monkeypatch.setattr(writers, "time", SimpleNamespace(monotonic=lambda: NOW))


class Connection:
    """One that writes down what it is asked, and fails at one of these."""

    def __init__(self, fails: str = "", *, open_after: bool = False) -> None:
        self.asked: list[Any] = []
        self.fails, self.in_transaction, self.open_after = fails, False, open_after

    def execute(self, sql: str) -> None:
        self.asked.append(sql)
        self.in_transaction = sql == "BEGIN IMMEDIATE"
        if sql == self.fails:
            self.in_transaction = self.open_after
            raise apsw.IOError("no")

    def set_busy_timeout(self, milliseconds: int) -> None:
        self.asked.append(milliseconds)

    def pragma(self, name: str, value: Any = None) -> int:
        self.asked.append((name, value))
        return 7

    def wal_checkpoint(self, **how: Any) -> None:
        self.asked.append(how)

    def close(self) -> None:
        self.asked.append("close")


@pytest.fixture
def connection(made, clock):
    """Stand in for the connection of the writers."""
    real, made._connection = made._connection, Connection()
    yield made._connection
    made._connection = real


def ticket(operation: Any, *, durable: bool = True) -> Any:
    return writers._Ticket(operation, durable, NOW)


def nothing(_: Any) -> None:
    pass


def raising(error: BaseException) -> Any:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


# one transaction --------------------------------------------------------------------------------------------------


def test_one_operation_is_run_between_begin_and_commit_with_what_was_postponed_before_it(made, connection):
    made._postponed.append(lambda each: each.asked.append("postponed"))
    batch = [ticket(lambda each: each.asked.append("operation") or 5)]
    made._transact(batch, NOW + 0.5)
    assert connection.asked == [500, "BEGIN IMMEDIATE", "postponed", "operation", "COMMIT"]
    assert (batch[0].result, made._postponed, made._doubtful) == (5, [], False)


@pytest.mark.parametrize(("left", "milliseconds"), [(1.0, 1000), (0.0004, 0), (0.0006, 1), (-1, 0)])
def test_a_foreign_writer_is_waited_for_as_long_as_there_is_time(made, connection, left, milliseconds):
    made._transact([ticket(nothing)], NOW + left)
    assert connection.asked[0] == milliseconds


def test_what_is_postponed_while_it_is_written_stays_for_the_next_one(made, connection):
    made._postponed.append(nothing)
    made._transact([ticket(lambda _: made._postponed.append(print))], NOW)
    assert made._postponed == [print]


@pytest.mark.parametrize("step", ["an operation", "what was postponed", "the ledger was moved"])
def test_what_fails_before_the_commit_is_rolled_back_and_leaves_what_was_postponed(made, connection, step):
    made._postponed.append(raising(FAILED) if step == "what was postponed" else nothing)
    if step == "the ledger was moved":
        made._presence = SimpleNamespace(require=raising(MOVED))
    with pytest.raises(Problem):
        made._transact([ticket(raising(FAILED) if step == "an operation" else nothing)], NOW)
    assert connection.asked[-1] == "ROLLBACK"
    assert (len(made._postponed), made._doubtful) == (1, False)
    connection.in_transaction = False


@pytest.mark.parametrize("still_open", [True, False])
def test_a_commit_that_fails_is_in_doubt_and_settled_before_the_next_one(made, connection, still_open):
    connection.fails, connection.open_after = "COMMIT", still_open
    made._postponed.append(nothing)
    with pytest.raises(CommitUnknownError) as told:
        made._transact([ticket(nothing)], NOW)
    assert told.value.code is Code.STORAGE_FAILED
    assert connection.asked[-1] == ("ROLLBACK" if still_open else "COMMIT")
    assert (made._doubtful, len(made._postponed)) == (True, 1)
    connection.fails = ""
    connection.asked.clear()
    made._synchronous = "normal"
    made._transact([ticket(nothing)], NOW)
    assert connection.asked == [
        0,
        ("synchronous", "full"),
        {"mode": apsw.SQLITE_CHECKPOINT_TRUNCATE},
        ("user_version", None),
        ("user_version", 7),
        "BEGIN IMMEDIATE",
        "COMMIT",
    ]
    assert (made._doubtful, made._synchronous) == (False, "full")


def test_how_much_is_waited_for_is_told_to_sqlite_only_where_that_changes(made, connection):
    for durable in (True, False, False, True):
        made._transact([ticket(nothing, durable=durable)], NOW)
    told = [each for each in connection.asked if isinstance(each, tuple)]
    assert told == [("synchronous", "normal"), ("synchronous", "full")]


def test_of_several_operations_those_that_fail_are_undone_alone_and_told_in_words(made):
    table = ticket(lambda each: each.execute("CREATE TABLE found (x)") and None)
    made._transact([table], NOW)
    put = lambda value: lambda each: each.execute("INSERT INTO found VALUES (?)", (value,)) and value  # noqa: E731

    def half(each: Any) -> None:
        put(9)(each)
        raise apsw.IOError("no")

    batch = [ticket(put(1)), ticket(half), ticket(raising(ZeroDivisionError())), ticket(put(2))]
    made._transact(batch, NOW)
    assert made._connection.execute("SELECT x FROM found ORDER BY x").fetchall() == [(1,), (2,)]
    kinds = [type(each.error) for each in batch]
    assert kinds[0] is kinds[3] is type(None)
    assert issubclass(kinds[1], Problem)
    assert kinds[2] is ZeroDivisionError


def test_an_operation_for_which_sqlite_gave_up_the_whole_ends_all_of_them(made):
    later: list[int] = []

    def rolled_back(each: Any) -> None:
        each.execute("ROLLBACK")
        raise apsw.FullError("no")

    batch = [ticket(rolled_back), ticket(lambda _: later.append(1))]
    with pytest.raises((apsw.Error, Problem)):
        made._transact(batch, NOW)
    assert later == []


# waiting and leading ----------------------------------------------------------------------------------------------


def test_who_is_alone_leads_and_has_a_second(made, clock, monkeypatch):
    seen: list[Any] = []
    monkeypatch.setattr(made, "_lead", lambda deadline: seen.append((deadline, [*made._waiting], made._led)))
    assert made.run(nothing, durable=False) is None
    ((deadline, (waiting,), led),) = seen
    assert (deadline, led) == (NOW + schema.BUSY / 1000, True)
    assert (waiting.operation, waiting.durable, waiting.woken) == (nothing, False, None)


def test_who_is_woken_with_its_work_done_has_its_result_or_its_error(made, monkeypatch):
    monkeypatch.setattr(made, "_lead", raising(ZeroDivisionError()))
    made._led = True

    def serve(error: Exception | None) -> None:
        while not made._waiting:
            time.sleep(0.001)
        (served,) = made._take_waiting()
        served.result, served.error, served.done = 5, error, True
        served.woken.put(None)

    for error in (None, KeyError()):
        server = threading.Thread(target=serve, args=(error,))
        server.start()
        if error is None:
            assert made.run(nothing) == 5
        else:
            with pytest.raises(KeyError):
                made.run(nothing)
        server.join()
    made._led = False


def test_all_that_wait_are_taken_at_once_and_hear_of_what_fails_for_all(made, monkeypatch):
    waiting = [ticket(nothing), ticket(nothing)]
    own = waiting[1].error = KeyError()
    made._waiting = [*waiting]
    monkeypatch.setattr(made, "_transact", raising(apsw.FullError("no")))
    made._lead(NOW)
    assert [each.done for each in waiting] == [True, True]
    assert isinstance(waiting[0].error, Problem)
    assert waiting[0].error.code is Code.DISK_FULL
    assert waiting[1].error is own
    assert (made._waiting, made._led) == ([], False)


def test_the_lock_is_given_back_whatever_fails_and_those_who_wait_hear_that_it_was_not_to_be_had(made, monkeypatch):
    monkeypatch.setattr(made, "_transact", raising(ZeroDivisionError()))
    made._lead(NOW)
    path = Path(f"/proc/self/fd/{made._lock._file}").readlink()
    with closing(Interlock(path)) as other:
        assert other.take(0)
        waiting = [ticket(nothing), ticket(nothing)]
        made._waiting = [*waiting]
        made._lead(0)
        other.give_back()
    assert {str(each.error) for each in waiting} == {str(waiting[0].error)}
    assert "in time" in waiting[0].error.detail


@pytest.mark.parametrize(("left", "seconds"), [(0.25, 0.25), (-3, 0)])
def test_the_lock_is_waited_for_as_long_as_there_is_time(made, clock, left, seconds):
    asked: list[float] = []
    lock, made._lock = made._lock, SimpleNamespace(take=lambda each: asked.append(each) or True)
    made._take_lock(NOW + left)
    made._lock = SimpleNamespace(take=raising(OSError(5, "no")))
    with pytest.raises(Problem, match="lock the ledger"):
        made._take_lock(NOW)
    made._lock = lock
    assert asked == [seconds]


def test_those_who_were_served_are_woken_and_the_one_that_waited_longest_leads(made):
    served, waiting = ticket(nothing), [ticket(nothing), ticket(nothing)]
    for each in (served, *waiting):
        each.woken = SimpleQueue()
    made._waiting = [*waiting]
    made._hand_over([served, ticket(nothing)])
    assert [each.woken.qsize() for each in (served, *waiting)] == [1, 1, 0]
    assert [each.done for each in (served, *waiting)] == [True, False, False]
    assert made._led
    made._waiting = []
    made._hand_over([])
    assert not made._led


# what is postponed ------------------------------------------------------------------------------------------------


class Timer:
    """One that rings when it is told to."""

    every: list["Timer"]

    def __init__(self, seconds: float, ring: Any) -> None:
        self.seconds, self.ring, self.done = seconds, ring, list[str]()
        self.daemon = False
        Timer.every.append(self)

    def start(self) -> None:
        self.done.append("started")

    def cancel(self) -> None:
        self.done.append("cancelled")

    def join(self) -> None:
        self.done.append("joined")


@pytest.fixture
def timers(monkeypatch) -> list[Timer]:
    Timer.every = []
    monkeypatch.setattr(writers.threading, "Timer", Timer)
    return Timer.every


def test_one_timer_at_a_time_writes_what_is_postponed(made, timers):
    written: list[int] = []
    for number in range(2):
        made.postpone(lambda _, number=number: written.append(number))
    (timer,) = timers
    assert (timer.seconds, timer.daemon, timer.done, written) == (writers.POSTPONED, True, ["started"], [])
    timer.ring()
    assert written == [0, 1]
    made.postpone(nothing)
    assert len(timers) == 2


def test_what_is_postponed_is_waited_for_by_nobody_and_nothing_at_all_costs_no_transaction(made, timers, monkeypatch):
    runs: list[Any] = []
    monkeypatch.setattr(made, "run", lambda operation, **how: runs.append((operation(None), how)))
    made.flush()
    assert runs == []
    made.postpone(nothing)
    made.flush()
    assert runs == [(None, {"durable": False})]
    monkeypatch.setattr(made, "run", raising(FAILED))
    made.flush()


def test_what_cannot_be_written_now_is_written_later(made, timers, monkeypatch):
    written: list[int] = []
    made.postpone(lambda _: written.append(1))
    with monkeypatch.context() as broken:
        broken.setattr(made, "_take_lock", raising(FAILED))
        timers[0].ring()
    assert written == []
    made.run(nothing)
    assert written == [1]


def test_a_closed_writer_writes_nothing_more_and_has_nothing_open(place, timers):
    place.ledger.close()
    with closing(Presence(place.ledger.path)) as presence:
        made = Writers(place.ledger.path, presence)
        before = open_files(place.data)
        made.postpone(raising(ZeroDivisionError()))
        made.close()
        assert timers[0].done == ["started", "cancelled", "joined"]
        assert made._postponed == []
        assert open_files(place.data) < before
        lock = f"{place.ledger.path}{schema.LOCK_SUFFIX}"
        assert lock not in {os.path.realpath(each) for each in Path("/proc/self/fd").iterdir()}
        with pytest.raises(apsw.ConnectionClosedError):
            made._connection.execute("SELECT 1")


def test_a_fork_keeps_no_lock_of_its_parent(tmp_path):
    lock = Interlock(tmp_path / "lock")
    lock.close_inherited()
    assert open_files(tmp_path) == 0


class Mutex:
    """One that counts who enters."""

    def __init__(self) -> None:
        self.entered = 0

    def __enter__(self) -> None:
        self.entered += 1

    def __exit__(self, *_: object) -> None:
        pass


def test_what_threads_share_is_touched_under_their_lock_alone(made, timers, monkeypatch):
    made._mutex = Mutex()
    monkeypatch.setattr(made, "_lead", nothing)
    for number, step in enumerate(
        (
            lambda: made.run(nothing),
            made._take_waiting,
            lambda: made._hand_over([]),
            lambda: made.postpone(nothing),
            lambda: (made._postponed.clear(), made._flush_in_time()),
        ),
        start=1,
    ):
        step()
        assert made._mutex.entered == number


def test_what_two_threads_share_of_a_lock_is_touched_under_their_own(tmp_path):
    lock = Interlock(tmp_path / "lock")
    lock._mutex = Mutex()
    assert lock.take(0)
    lock._blocked = True
    assert not lock.take(0)
    assert lock._mutex.entered == 3
    lock._blocked, lock._thread = False, SimpleNamespace(join=lambda: None)
    lock.close()
    assert lock._mutex.entered == 4
    assert lock._asked.get() is False
    lock._asked.put(True)
    lock._asked.put(False)
    lock._wait()
    assert lock._mutex.entered == 5
    assert open_files(tmp_path) == 0


# the lock between processes ---------------------------------------------------------------------------------------


def test_a_lock_that_nobody_has_is_taken_without_a_thread_and_given_back(tmp_path):
    with closing(Interlock(tmp_path / "lock")) as lock, closing(Interlock(tmp_path / "lock")) as other:
        assert lock.take(0)
        assert lock._thread is None
        lock.give_back()
        assert other.take(0)
        other.give_back()
    assert open_files(tmp_path) == 0


def test_what_comes_too_late_goes_to_the_next_who_wants_it_or_back(tmp_path):
    with closing(Interlock(tmp_path / "lock")) as lock, closing(Interlock(tmp_path / "lock")) as other:
        assert other.take(0)
        assert not lock.take(0)
        assert lock._thread.daemon
        waiting: list[bool] = []
        taker = threading.Thread(target=lambda: waiting.append(lock.take(60)))
        taker.start()
        while not lock._wanted:
            time.sleep(0.001)
        other.give_back()
        taker.join()
        assert waiting == [True]
        assert not other.take(0)
        lock.give_back()
        assert other.take(60)
        other.give_back()
    assert not lock._thread.is_alive()


def test_an_error_of_the_lock_is_told_to_who_wants_it(tmp_path):
    with closing(Interlock(tmp_path / "lock")) as lock:
        lock._blocked = True  # as if the thread were in flock(2)
        lock._got.put(None)
        assert lock.take(60)
        lock._got.put(OSError(5, "no"))
        with pytest.raises(OSError, match="no"):
            lock.take(60)
        lock._blocked = False


def test_an_error_that_is_met_while_another_process_has_the_lock_is_told(tmp_path, monkeypatch):
    flock = fcntl.flock

    def refusing(file: int, how: int) -> None:
        if how == fcntl.LOCK_EX | fcntl.LOCK_NB:
            raise BlockingIOError
        if how == fcntl.LOCK_EX:
            raise OSError(errno.ENOLCK, "no locks")
        flock(file, how)

    with closing(Interlock(tmp_path / "lock")) as lock:
        monkeypatch.setattr(fcntl, "flock", refusing)
        with pytest.raises(OSError, match="no locks"):
            lock.take(60)
        assert (lock._blocked, lock._wanted) == (False, False)
