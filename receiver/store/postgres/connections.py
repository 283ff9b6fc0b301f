"""What one process has open of the server: a pool of sessions for its threads.

Never across a fork.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import psycopg
from psycopg.pq import TransactionStatus
from psycopg_pool import ConnectionPool

from receiver.core.problems import Code, Problem
from receiver.store.database import CommitUnknownError
from receiver.store.postgres.session import PARAMETERS, Connection, Session, configure, ledger_errors, problem_of
from receiver.store.rows import Roots

Result = TypeVar("Result")
Pool = ConnectionPool[Connection]

MOST = 20  # sessions of one process: a worker's 16 threads, and those that keep house; a server has 100 by default
WAIT = 0.8  # seconds that a session is waited for: a sender is answered within one
IDLE = 300  # seconds after which a session that nobody needs is closed
RETRY = 2.0  # seconds in which a lost session is opened anew before the next one who needs it tries


class Connections:
    """The sessions of one process, opened when it first needs them."""

    def __init__(self, url: str, roots: Roots) -> None:
        self.roots = roots
        self._url = url
        self._opening = threading.Lock()
        self._opened: tuple[int, Pool] | None = None  # by the number of the process
        self._foreign: list[Pool] = []  # a parent's: to close them here would end its sessions

    def read(self, query: Callable[[Any], Result]) -> Result:
        """Run a query on what is committed by now. Raises Problem."""
        with ledger_errors():
            return self._again_if_lost(lambda connection: query(Session(connection, self.roots)))

    def write(self, operation: Callable[[Any], Result], *, durable: bool = True) -> Result:
        """Run an operation in a transaction and return its result once that is durable.

        Raises what the operation raises, which then has changed nothing; Problem if the ledger cannot be written;
        CommitUnknownError if nobody can say. What is not `durable` is visible at once, and durable with the next that
        is.
        """
        begin = "BEGIN" if durable else "BEGIN; SET LOCAL synchronous_commit = off"

        def transaction(connection: Connection) -> Result:
            connection.execute(begin)
            try:
                result = operation(Session(connection, self.roots))
            except BaseException:
                with suppress(psycopg.Error):
                    connection.execute("ROLLBACK")
                raise
            _commit(connection)
            return result

        with ledger_errors():
            return self._again_if_lost(transaction)

    def postpone(self, operation: Callable[[Any], None]) -> None:
        """Run an operation at once, durably: another host may wait.

        What a stopped server forgets nobody would write again while the process that owns it lives.
        """
        self.write(operation)

    def flush(self) -> None:
        """Do nothing: nothing is postponed."""

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Keep a session for as long as the block lasts."""
        with ledger_errors(), _borrowed(self._pool()) as connection:
            yield Session(connection, self.roots)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Hold a transaction that writes nothing; its end, or its session's, frees locks."""
        with self.session() as session:
            session.execute("BEGIN")
            try:
                yield session
            finally:
                with suppress(psycopg.Error):  # lost meanwhile, and the locks with it
                    session.execute("ROLLBACK")

    def require_in_place(self) -> None:
        """Raise Problem if the server does not answer, or takes nothing in."""
        if self.read(lambda session: session.execute("SELECT pg_is_in_recovery()").get):
            raise Problem(Code.STORAGE_FAILED, "could not write to the ledger (its server is a standby)")

    def close(self) -> None:
        """Close what this process has open; the next use opens it again."""
        opened, self._opened = self._opened, None
        if opened and opened[0] == os.getpid():
            opened[1].close()

    def _again_if_lost(self, work: Callable[[Connection], Result]) -> Result:
        """Run it, and once more if its session was lost: the server may have restarted."""
        pool = self._pool()
        with _borrowed(pool) as connection:
            try:
                return work(connection)
            except psycopg.OperationalError:
                if not connection.broken:
                    raise
        pool.check()  # the others are lost as well
        with _borrowed(pool) as connection:
            return work(connection)

    def _pool(self) -> Pool:
        opened = self._opened
        if opened is None or opened[0] != os.getpid():
            with self._opening:
                opened = self._opened
                if opened and opened[0] != os.getpid():
                    self._foreign.append(opened[1])
                    opened = None
                if opened is None:
                    opened = self._opened = (os.getpid(), _open(self._url))
        return opened[1]


def _open(url: str) -> Pool:
    return ConnectionPool(
        url,
        connection_class=Connection,
        kwargs=PARAMETERS | {"autocommit": True},
        configure=configure,
        min_size=0,
        max_size=MOST,
        max_idle=IDLE,
        timeout=WAIT,
        reconnect_timeout=RETRY,
        name="ledger",
        open=True,
    )


@contextmanager
def _borrowed(pool: Pool) -> Iterator[Connection]:
    connection = pool.getconn()
    try:
        yield connection
    finally:
        pool.putconn(connection)


def _commit(connection: Connection) -> None:
    """Commit. Raises CommitUnknownError without an answer, Problem for a refusal."""
    try:
        done = connection.execute("COMMIT").statusmessage
    except psycopg.Error as error:
        problem = problem_of(error)
        if connection.info.transaction_status is TransactionStatus.IDLE:
            raise problem from None
        raise CommitUnknownError(problem.code, problem.detail) from None
    if done != "COMMIT":
        raise Problem(Code.STORAGE_FAILED, "could not write to the ledger (it rolled back)")
