"""The interface of a database, which `sqlite/` and `postgres/` implement.

Both keep the same rows as the same texts (`rows.py`), so that a ledger can be copied from one to the other.
A connection is whatever the database's own functions take: the ledger only hands it on. It has the `roots` of the paths
in its rows.
"""

import importlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, TypeVar

from receiver.core.problems import Code, Problem
from receiver.core.settings import POSTGRES_EXTRA
from receiver.store.entry import Attempt, Entry, Unaccepted, Waiting
from receiver.store.queries import Claims
from receiver.store.rows import Roots, Row

Result = TypeVar("Result")


class CommitUnknownError(Problem):
    """The commit itself failed: whether it is durable is unknown."""


class Connections(Protocol):
    """What one process has open of a database, for all its threads.

    Nothing is opened before it is used.
    """

    roots: Roots  # of the paths in its rows

    def read(self, query: Callable[[Any], Result]) -> Result:
        """Run a query on what is committed by now. Raises Problem."""

    def write(self, operation: Callable[[Any], Result], *, durable: bool = True) -> Result:
        """Run an operation in a transaction.

        Raises Problem, CommitUnknownError, and what the operation raises.
        """

    def postpone(self, operation: Callable[[Any], None]) -> None:
        """Run an idempotent operation before the next write of this process.

        Raises Problem.
        """

    def flush(self) -> None:
        """Write what is postponed, as far as it can be written."""

    def require_in_place(self) -> None:
        """Raise Problem if the database cannot be used."""

    def close(self) -> None:
        """Close what this process has open; the next use opens it again."""


class OwnQueries(Protocol):
    """SQL that databases write differently; the rest is in `queries.py`."""

    def lock(self, connection: Any, entry: Entry) -> None:
        """Lock a delivery, its sourceId and its names until the transaction ends."""

    def lock_kept(self, connection: Any, entry: Entry) -> None:
        """Lock a delivery in quarantine, whose folder is moved meanwhile, as `lock` does."""

    def add(self, connection: Any, row: Row) -> bool:
        """Write a new entry's row; False, and nothing, if another look is needed."""

    def claim(self, connection: Any, claims: Claims) -> None:
        """Promise its names to a delivery.

        Raises Problem if another delivery or a file has one of them.
        """

    def attempted(self, connection: Any, id: str, attempt: Attempt) -> None:  # noqa: A002 (the column's name)
        """Add an attempt to a delivery, as `Entry.tried` does."""

    def waiting(self, connection: Any, process: str) -> list[Waiting]:
        """Return what lies in quarantine, the longest there first."""

    def unaccepted(self, connection: Any, since: datetime) -> list[Unaccepted]:
        """Count what is refused or held, and was sent or replayed since then."""

    def prune(self, connection: Any, rowids: Sequence[int], before: datetime) -> int:
        """Forget these rows unless their deliveries came again; returns how many."""

    def empty_log(self, connection: Any) -> None:
        """Remove what was forgotten from the files, as far as that is possible now."""

    def columns(self, connection: Any, table: str) -> list[str]:
        """Return the names of a table's columns, in their order."""

    def require_sound(self, connection: Any) -> None:
        """Raise Problem if some seconds of checking find the database damaged."""


@dataclass(frozen=True, slots=True)
class Host:
    """One process that shares the ledger with those of other hosts."""

    incarnation: str
    host: str  # name of the machine
    process: int  # its number there
    release: str  # of this program
    site: str  # digest of what it serves; "" if it serves nothing
    started_at: datetime
    heartbeat_at: datetime
    silent: float  # seconds since then


class Hosts(Protocol):
    """The processes that share a ledger, on any host; see `postgres/hosts.py`."""

    def incarnation(self) -> str:
        """Return the incarnation of this process, which begins with the first call.

        Raises Problem.
        """

    def serve(self, site: str) -> None:
        """Tell the others the digest of the site that this process serves.

        Raises Problem.
        """

    def lives(self, incarnation: str) -> bool:
        """Return whether a process was not given up. Raises Problem."""

    def give_up_silent(self) -> int:
        """Give up those that are silent for too long, and return how many.

        Raises Problem.
        """

    def listed(self) -> list[Host]:
        """Return all that were not given up, the oldest first. Raises Problem."""

    def finishing(self, ids: Sequence[str]) -> AbstractContextManager[set[str]]:
        """Keep those deliveries, or batches, that no other process is finishing now.

        Raises Problem.
        """

    def once(self, task: str) -> AbstractContextManager[bool]:
        """Hold the lock on a task that one host does for all; False if another has it.

        Raises Problem.
        """

    def leave(self) -> None:
        """End the incarnation of this process, if it has one."""


@dataclass(frozen=True, slots=True)
class Database:
    """One database by its URL."""

    path: Path | None  # of its file; None if it is a server's
    connections: Connections
    own_queries: OwnQueries
    hosts: Hosts | None = None  # None if one host has it all, whose processes know of each other by file locks


def database_of(url: str, roots: Roots) -> Database:
    """Return the database that a URL names; nothing is opened yet.

    Raises Problem if it names none.
    """
    found: Database = _module(url).database(url, roots)
    return found


def create(url: str, roots: Roots) -> None:
    """Create the ledger's tables, or bring them up to date. Raises Problem."""
    _module(url).create(url, roots)


def _module(url: str) -> Any:
    """Return the package for a URL: that of PostgreSQL is only read if it is used."""
    if not url.startswith("postgresql:"):
        return importlib.import_module("receiver.store.sqlite")
    if find_spec("psycopg_pool") is None:
        raise Problem(Code.STORAGE_FAILED, f"a ledger on PostgreSQL needs more modules: {POSTGRES_EXTRA}")
    return importlib.import_module("receiver.store.postgres")
