"""One connection to the server: its timeouts, its guarantees, its errors."""

import functools
from types import TracebackType
from typing import Any, TypeVar

import psycopg
from psycopg import errors
from psycopg.abc import PQGen

from receiver.core.problems import Code, Problem
from receiver.store.rows import Roots

Result = TypeVar("Result")

LOOK = 0.1  # seconds between two looks whether somebody interrupts
CONNECT = 2  # seconds until a server that does not answer is given up: less is not possible in libpq
UNHEARD = 5_000  # milliseconds that TCP repeats what nobody acknowledges: senders wait longer than that
ANSWER = 7.0  # seconds until a server that hangs is given up: one that works ends a statement itself before that
SETTINGS = {
    "statement_timeout": "5s",  # the longest questions, of `status` on a long trail, take less than one
    "lock_timeout": "800ms",  # as SQLite waits for another writer: a sender is answered within a second
    "idle_in_transaction_session_timeout": "5s",  # a host that stops in a transaction must not hold its locks for long
    "default_transaction_isolation": "read committed",  # what is read after a lock is taken must be what is there then
    "application_name": "receiver",
}


class Connection(psycopg.Connection[tuple[Any, ...]]):
    """A connection that counts as lost if the server does not answer in time."""

    def wait(self, gen: PQGen[Result], interval: float = LOOK, timeout: float | None = None) -> Result:
        """Wait for the server. Raises psycopg.OperationalError."""
        try:
            return super().wait(gen, interval, ANSWER if timeout is None else timeout)
        except errors._WaitTimeout:
            self.pgconn.finish()
            raise


def connect(url: str) -> "psycopg.Connection[tuple[Any, ...]]":
    """Open a connection whose statements may take long: an index is built.

    Raises psycopg.Error.
    """
    connection = psycopg.Connection.connect(url, **PARAMETERS, autocommit=True)
    configure(connection)
    connection.execute("SET statement_timeout = 0")
    return connection


PARAMETERS: dict[str, Any] = {
    "connect_timeout": CONNECT,
    "tcp_user_timeout": UNHEARD,
    "client_encoding": "utf8",
}


def configure(connection: "psycopg.Connection[Any]") -> None:
    """Set what a session of ours is to be.

    A commit waits for the disk at least, whatever the server's default.
    """
    for name, value in SETTINGS.items():
        connection.execute("SELECT set_config(%s, %s, false)", (name, value))
    connection.execute(
        "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    )


class Session:
    """A connection for the plain SQL of both databases: `?` stands for a value."""

    __slots__ = ("_connection", "roots")

    def __init__(self, connection: "psycopg.Connection[tuple[Any, ...]]", roots: Roots) -> None:
        self._connection = connection
        self.roots = roots

    def execute(self, sql: str, values: Any = ()) -> "Rows":
        """Run one statement. Raises psycopg.Error."""
        return Rows(self._connection.execute(_own_sql(sql), values))

    def executemany(self, sql: str, many: Any) -> None:
        """Run one statement for each of several rows of values. Raises psycopg.Error."""
        with self._connection.cursor() as cursor:
            cursor.executemany(_own_sql(sql), many)


@functools.lru_cache(maxsize=256)  # statements of this program
def _own_sql(sql: str) -> bytes:
    return sql.replace("%", "%%").replace("?", "%s").encode()


class Rows:
    """What a statement returned: rows, or with `get` the one value of the first row."""

    __slots__ = ("_cursor",)

    def __init__(self, cursor: "psycopg.Cursor[tuple[Any, ...]]") -> None:
        self._cursor = cursor

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return all rows."""
        return self._cursor.fetchall()

    def __iter__(self) -> Any:
        return iter(self._cursor)

    @property
    def get(self) -> Any:
        """The first value of the first row; None if there is no row."""
        row = self._cursor.fetchone()
        return row[0] if row else None

    @property
    def changed(self) -> int:
        """How many rows were changed."""
        return int(self._cursor.rowcount)


class ledger_errors:  # noqa: N801 (used as a statement: `with ledger_errors():`)
    """Turn what PostgreSQL refuses inside into a Problem."""

    __slots__ = ()

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, psycopg.Error):
            raise problem_of(error) from None


def problem_of(error: psycopg.Error) -> Problem:
    """Return the Problem that PostgreSQL's refusal is.

    Its own words may hold a row's values, and are not told.
    """
    if isinstance(error, errors.DiskFull):
        return Problem(Code.DISK_FULL, "could not write to the ledger (its disk is full)")
    if isinstance(error, errors.UndefinedTable):
        return Problem(Code.STORAGE_FAILED, "there is no ledger in this database: the first start creates it")
    if isinstance(error, errors.UndefinedColumn):
        return Problem(Code.STORAGE_FAILED, "a newer release has changed the ledger's tables: upgrade this host too")
    if isinstance(error, errors.ReadOnlySqlTransaction):
        return Problem(Code.STORAGE_FAILED, "could not write to the ledger (its server is a standby)")
    return Problem(Code.STORAGE_FAILED, f"could not use the ledger ({type(error).__name__})")
