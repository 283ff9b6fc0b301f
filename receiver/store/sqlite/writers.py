"""Group commit: waiting threads share one transaction, and so one fsync.

Of the threads of a process that want to write, one leads: it takes the lock that orders the processes, runs what
all of them have queued, commits once and wakes each. Then the next one leads. SQLite's own wait between processes
sleeps and guesses, with a tail of seconds; the lock wakes whoever is next.

What nobody waits for is postponed: it runs first in the next transaction, so it costs no transaction of its own where
there is much to do, and it is written before all that is asked for after it.
"""

import fcntl
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import apsw

from receiver.core.problems import Code, Problem
from receiver.store import durable
from receiver.store.database import CommitUnknownError
from receiver.store.durable import storage, storage_problem
from receiver.store.rows import NO_ROOTS, Roots
from receiver.store.sqlite import schema
from receiver.store.sqlite.presence import Presence

POSTPONED = 0.1  # seconds at most: nobody looks at the ledger as soon as that after an answer

Result = TypeVar("Result")
Operation = Callable[[apsw.Connection], Result]


@dataclass(slots=True, eq=False)
class _Ticket:
    """One operation that waits for its transaction."""

    operation: Operation[Any]
    durable: bool
    deadline: float  # of the monotonic clock
    result: Any = None
    error: BaseException | None = None
    done: bool = False
    woken: SimpleQueue[None] | None = None  # of one that waits: done, or its turn to lead


_is_durable = attrgetter("durable")


class Writers:
    """The one who writes to the ledger, for all threads of this process."""

    def __init__(self, path: Path, presence: Presence, roots: Roots = NO_ROOTS) -> None:
        """Open the ledger. Raises apsw.Error, Problem."""
        self._presence = presence
        self._connection = schema.connect(path)
        self._connection.roots = roots
        with storage("open the ledger's lock"):
            self._lock = Interlock(Path(f"{path}{schema.LOCK_SUFFIX}"))
        self._mutex = threading.Lock()  # for what follows
        self._waiting: list[_Ticket] = []
        self._led = False
        self._postponed: list[Operation[None]] = []  # only the one who leads takes them away
        self._timed = False  # the timer will write what is postponed
        self._timer: threading.Timer | None = None  # the last one
        self._doubtful = False  # a commit failed half-way: what it wrote must not come back after a crash
        self._synchronous = "full"

    def close(self) -> None:
        """Close the connection, with what is postponed unwritten.

        No other thread may be writing.
        """
        if self._timer:
            self._timer.cancel()
            self._timer.join()
        self._postponed.clear()
        self._connection.close()
        self._lock.close()

    def close_inherited(self) -> None:
        """Close what a fork inherited, except the connection: SQLite forbids that."""
        self._lock.close_inherited()

    def run(self, operation: Operation[Result], *, durable: bool = True) -> Result:
        """Run `operation` in a transaction and return its result once that is durable.

        Raises what the operation raises, which then has changed nothing; Problem where the ledger cannot be
        written within a second; CommitUnknownError if nobody can say. What is not `durable` is visible at once, and
        durable with the next that is.
        """
        ticket = _Ticket(operation, durable, time.monotonic() + schema.BUSY / 1000)
        with self._mutex:
            self._waiting.append(ticket)
            if self._led:
                ticket.woken = SimpleQueue()
            self._led = True
        if ticket.woken:
            ticket.woken.get()
        if not ticket.done:
            self._lead(ticket.deadline)
        if ticket.error is not None:
            raise ticket.error
        return ticket.result  # type: ignore[no-any-return]

    def postpone(self, operation: Operation[None]) -> None:
        """Run `operation` first in the next transaction, or soon by itself.

        It may be run again after a transaction that failed, so twice must be as good as once.
        """
        with self._mutex:
            self._postponed.append(operation)
            if self._timed:
                return
            self._timed = True
            self._timer = threading.Timer(POSTPONED, self._flush_in_time)
        self._timer.daemon = True
        self._timer.start()

    def flush(self) -> None:
        """Write what is postponed; what cannot be written now stays so."""
        if self._postponed:
            with suppress(Problem):
                self.run(lambda _: None, durable=False)

    def _flush_in_time(self) -> None:
        with self._mutex:
            self._timed = False
        self.flush()

    def _lead(self, deadline: float) -> None:
        batch: list[_Ticket] = []
        try:
            self._take_lock(deadline)
            try:
                batch = self._take_waiting()
                self._transact(batch, deadline)
            finally:
                self._lock.give_back()
        except BaseException as error:  # noqa: BLE001 (every waiting thread must hear of it)
            told = schema.problem_of(error) if isinstance(error, apsw.Error) else error
            batch = batch or self._take_waiting()
            for ticket in batch:
                ticket.error = ticket.error or told
        finally:
            self._hand_over(batch)

    def _take_waiting(self) -> list[_Ticket]:
        with self._mutex:
            batch, self._waiting = self._waiting, []
        return batch

    def _hand_over(self, batch: list[_Ticket]) -> None:
        with self._mutex:
            successor = self._waiting[0] if self._waiting else None
            self._led = successor is not None
        for ticket in batch:
            ticket.done = True
        for each in (successor, *batch):
            if each and each.woken:
                each.woken.put(None)

    def _take_lock(self, deadline: float) -> None:
        """Wait for the other processes' writers, but not for one that hangs.

        Raises Problem.
        """
        try:
            taken = self._lock.take(max(0, deadline - time.monotonic()))
        except OSError as error:
            raise storage_problem("lock the ledger", error) from None
        if not taken:
            raise Problem(Code.STORAGE_FAILED, "could not lock the ledger in time")

    def _transact(self, batch: list[_Ticket], deadline: float) -> None:
        """Run the batch in one transaction.

        Raises apsw.Error if nothing was committed, and CommitUnknownError.
        """
        connection = self._connection
        connection.set_busy_timeout(max(0, round((deadline - time.monotonic()) * 1000)))
        if self._doubtful:
            self._settle()
        synchronous = "full" if any(map(_is_durable, batch)) else "normal"
        if synchronous != self._synchronous:
            self._set_synchronous(synchronous)
        connection.execute("BEGIN IMMEDIATE")
        try:
            postponed = self._postponed[:]
            for operation in postponed:
                operation(connection)
            if len(batch) == 1:  # the transaction is its own
                batch[0].result = batch[0].operation(connection)
            else:
                for ticket in batch:
                    _run(connection, ticket)
            self._presence.require()
            self._commit()
            del self._postponed[: len(postponed)]  # not sooner: a transaction that fails leaves them for the next
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _commit(self) -> None:
        self._doubtful = True
        try:
            self._connection.execute("COMMIT")
        except apsw.Error as error:
            problem = schema.problem_of(error)
            raise CommitUnknownError(problem.code, problem.detail) from None
        self._doubtful = False

    def _settle(self) -> None:
        """Keep a failed commit undone, and nothing on a file whose fsync failed.

        SQLite forgets such a commit, but its pages may lie whole in the WAL, and a crash would bring them back.
        Emptying the WAL moves all that was committed to the database, under an fsync of its own; the write after
        it gives the WAL a new head, to which no old page belongs.
        """
        self._set_synchronous("full")
        self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        self._connection.pragma("user_version", self._connection.pragma("user_version"))
        self._doubtful = False

    def _set_synchronous(self, how: str) -> None:
        self._connection.pragma("synchronous", how)
        self._synchronous = how


def _run(connection: apsw.Connection, ticket: _Ticket) -> None:
    """Run one operation, which alone is undone if it fails.

    Raises apsw.Error where SQLite gave up the whole.
    """
    try:
        with schema.ledger_errors(), connection:
            ticket.result = ticket.operation(connection)
    except BaseException as error:
        ticket.error = error
        if not connection.in_transaction:
            raise


class Interlock:
    """Orders the writers of processes by a `flock`, which a crash frees at once.

    All threads of this process share it, and one of them may take it at a time. Where another process has it, a thread
    of ours blocks in flock(2), and the kernel wakes it the moment that the lock is free. Whoever wants the lock waits
    for that thread, and only so long: it cannot be called back, so what it gets too late it hands to the next who
    wants it, or gives back.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, creating it if it is missing. Raises OSError."""
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, durable.FILE_MODE)
        self._mutex = threading.Lock()  # for the two below
        self._blocked = False  # our thread is in flock(2), and nobody else may be
        self._wanted = False  # somebody waits for what it gets
        self._asked: SimpleQueue[bool] = SimpleQueue()  # False ends the thread
        self._got: SimpleQueue[OSError | None] = SimpleQueue()
        self._thread: threading.Thread | None = None  # started when another process is first met

    def take(self, seconds: float) -> bool:
        """Take the lock; False if it is not to be had in time. Raises OSError."""
        with self._mutex:
            if not self._blocked:
                try:
                    fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    self._send_thread()
                else:
                    return True
            self._wanted = True
        try:
            error = self._got.get(timeout=seconds)
        except Empty:
            with self._mutex:
                self._wanted = False
                if self._got.empty():
                    return False
                error = self._got.get()
        if error:
            raise error
        return True

    def give_back(self) -> None:
        """Let the next one have it, in whatever process."""
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file and end the thread, as soon as it is out of flock(2).

        Nobody may have the lock.
        """
        if self._thread is None:
            os.close(self._file)
            return
        self._asked.put(False)
        with self._mutex:
            blocked = self._blocked
        if not blocked:
            self._thread.join()

    def close_inherited(self) -> None:
        """Close what a fork inherited: it must not keep the lock of a process that dies."""
        os.close(self._file)

    def _send_thread(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._wait, name="ledger's lock", daemon=True)
            self._thread.start()
        self._blocked = True
        self._asked.put(True)

    def _wait(self) -> None:
        while self._asked.get():
            error = None
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX)
            except OSError as refused:
                error = refused
            with self._mutex:
                self._blocked = False
                if self._wanted:
                    self._wanted = False
                    self._got.put(error)
                elif error is None:
                    self.give_back()
        os.close(self._file)
