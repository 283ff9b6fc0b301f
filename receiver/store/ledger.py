"""The ledger: the audit trail, and the memory that makes a retry harmless.

Its methods are named by what they mean to a delivery; what they are in a database is in `store/sqlite/` and
`store/postgres/`, modules of the same functions (`store/database.py`). Every time they are given is an aware datetime.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeVar

from receiver.core import units
from receiver.core.delivery import Output, Status
from receiver.core.problems import Code, Problem
from receiver.store import batch_queries, database, queries, rows
from receiver.store.batch_ledger import Batches
from receiver.store.database import CommitUnknownError, OwnQueries
from receiver.store.entry import Attempt, DamagedRow, Entry, Standing, Unaccepted, Waiting
from receiver.store.queries import IS_KEPT, OF_ONE, UNFINISHED, UNPUBLISHED, ClaimedError, Claims
from receiver.store.rows import NO_ROOTS, Roots

Result = TypeVar("Result")

__all__ = ["ACCEPTED", "KEPT", "AlreadyAcceptedError", "CommitUnknownError", "Ledger", "VersionTakenError", "create"]

ACCEPTED = (Status.COMMITTED, Status.PUBLISHED)
PRUNED_AT_ONCE = 500  # rows of one transaction: some milliseconds in which nobody else writes
LOOKED_AT = 10_000  # rows looked at for damage: some 300 ms
CLAIMED = 0.25  # seconds that a name is waited for: longer than any mark is postponed
KEPT = (Status.HELD, Status.REFUSED)  # in quarantine


_by_id = attrgetter("id")


def _nothing() -> None:
    """Do nothing."""


class AlreadyAcceptedError(Exception):
    """The same delivery was accepted before; carries its entry."""

    def __init__(self, winner: Entry) -> None:
        super().__init__("the same delivery was accepted before")
        self.winner = winner


class VersionTakenError(Exception):
    """This sourceId got other content meanwhile; carries the version now free."""

    def __init__(self, free: int) -> None:
        super().__init__("another content was accepted under this sourceId meanwhile")
        self.free = free


def create(url: str, roots: Roots = NO_ROOTS) -> None:
    """Create the ledger, or upgrade it.

    Called once, before workers are forked.

    Raises Problem, also for a ledger of a newer program.
    """
    database.create(url, roots)


class Ledger:
    """One ledger that was created, for all threads and all forked workers."""

    def __init__(self, url: str, roots: Roots = NO_ROOTS) -> None:
        """Name the ledger; nothing is opened yet. Raises Problem if `url` names none.

        Who uses paths of its rows must say where the `roots` of them are.
        """
        found = database.database_of(url, roots)
        self.roots = roots
        self.path = found.path  # of its file; None if it is on a server
        self.folders = [self.path.parent] if self.path else []  # in which it takes space
        self.connections = found.connections
        self._own = found.own_queries
        self._write = self.connections.write
        self.hosts = found.hosts  # None if one host has it all
        self.require_in_place = self.connections.require_in_place
        self.batches = Batches(self.connections, self._own)

    @property
    def owner(self) -> str:
        """The incarnation of this process among several hosts; "" on one host.

        Raises Problem.
        """
        return self.hosts.incarnation() if self.hosts else ""

    def once(self, task: str) -> AbstractContextManager[bool]:
        """Hold the lock on a task that one host does for all; False if another has it.

        Raises Problem.
        """
        return self.hosts.once(task) if self.hosts else nullcontext(True)

    def close(self) -> None:
        """Close what this process has open; the next use opens it again."""
        if self.hosts:
            self.hosts.leave()
        self.connections.close()

    def find(self, id: str) -> Entry | None:  # noqa: A002 (the column's name)
        """Return the entry of a delivery. Raises Problem."""
        return self._read(lambda connection: queries.find(connection, id))

    def latest(self, process: str, source_id: str) -> Entry | None:
        """Return the accepted entry with a sourceId's highest version, without attempts.

        Each delivery asks this first, so it does not wait for the marks of others: an entry may be published already
        that is called committed.

        Raises Problem.
        """
        return self.connections.read(lambda connection: queries.latest(connection, process, source_id))

    def before(self, id: str, process: str, source_id: str) -> tuple[Entry | None, Entry | None]:  # noqa: A002
        """Return this delivery, and its sourceId's latest, if accepted. Raises Problem."""
        latest = self.latest(process, source_id)
        if latest is None or latest.id == id:
            return latest, latest
        known = self.find(id)
        return known if known and known.status in ACCEPTED else None, latest

    def before_version(self, entry: Entry) -> Entry | None:
        """Return the version before an accepted entry, if the ledger still has it.

        Raises Problem.
        """
        where = "WHERE process = ? AND source_id = ? AND version = ?"
        found = self._select(where, entry.process, entry.source_id, (entry.version or 1) - 1)
        return next((each for each in found if isinstance(each, Entry)), None)

    def starting(self, prefix: str, limit: int) -> list[Entry | DamagedRow]:
        """Return the entries whose id starts with `prefix`, at most `limit`.

        Raises Problem.
        """
        return self._select("WHERE id >= ? AND id < ? ORDER BY id LIMIT ?", prefix, f"{prefix}\U0010ffff", limit)

    def next_version(self, process: str, source_id: str) -> int:
        """Return the version that a new content under this sourceId gets. Raises Problem."""
        return self.connections.read(lambda connection: queries.next_version(connection, process, source_id))

    def unfinished(self) -> list[Entry | DamagedRow]:
        """Return what is accepted but not yet published, in the order of acceptance.

        Raises Problem.
        """
        return self._select(f"WHERE {UNFINISHED} ORDER BY rowid")

    def uses_stage(self, folder: Path) -> bool:
        """Return whether an accepted delivery, or a batch, uses this folder of the stage.

        Raises Problem.
        """
        return self._read(
            lambda connection: queries.uses_stage(connection, folder) or batch_queries.uses_stage(connection, folder)
        )

    def search(
        self,
        *,
        process: str | None = None,
        status: Status | None = None,
        source_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
        oldest_first: bool = False,
    ) -> list[Entry | DamagedRow]:
        """Return entries, newest first, received from `since` and before `until`.

        Raises Problem.
        """
        where, values = _where(process, status, source_id, since, until)
        order = "received_at, rowid" if oldest_first else "received_at DESC, rowid DESC"
        return self._select(f"{where} ORDER BY {order} LIMIT ?", *values, limit)

    def matching(
        self,
        *,
        process: str | None,
        status: Status,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int,
    ) -> list[tuple[str, int]]:
        """Return id and count of attempts of what `search` would return. Raises Problem."""
        where, values = _where(process, status, None, since, until)
        return self._read(lambda connection: queries.matching(connection, where, *values, limit))

    def count(
        self,
        *,
        process: str | None = None,
        status: Status | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        most: int,
    ) -> int:
        """Count what `search` would return without a limit, up to `most`. Raises Problem."""
        where, values = _where(process, status, None, since, until)
        return self._read(lambda connection: queries.count(connection, where, *values, most))

    def having(self, digests: Sequence[str], limit: int = 100) -> list[Entry | DamagedRow]:
        """Return entries that have one of these keyed digests, the newest first.

        Raises Problem.
        """
        return self._read(lambda connection: queries.having(connection, digests, limit)) if digests else []

    def waiting(self, process: str) -> list[Waiting]:
        """Return what lies in quarantine, the longest there first. Raises Problem."""
        return self._read(lambda connection: self._own.waiting(connection, process))

    def counts(self) -> dict[tuple[str, Status], int]:
        """Return how many deliveries each process has in each state. Raises Problem."""
        return self._read(queries.counts)

    def standing(self) -> dict[str, Standing]:
        """Return how the deliveries of each process stand. Raises Problem."""
        return self._read(queries.standing)

    def unaccepted(self, since: datetime) -> list[Unaccepted]:
        """Return how many deliveries were refused or held since then, and why.

        Raises Problem.
        """
        return self._read(lambda connection: self._own.unaccepted(connection, since))

    def hours(self, since: datetime) -> dict[str, dict[str, int]]:
        """Return how many deliveries of each process came in each hour since then, UTC.

        Raises Problem.
        """
        found: dict[str, dict[str, int]] = {}
        for process, hour, count in self._read(lambda connection: queries.hours(connection, since)):
            found.setdefault(process, {})[hour] = count
        return found

    def last_arrival(self, process: str) -> datetime | None:
        """Return when the last delivery of a process came. Raises Problem."""
        return self._read(lambda connection: queries.last_arrival(connection, process))

    def arrivals(self, process: str, since: datetime, until: datetime, most: int) -> int:
        """Return how many deliveries of a process came in a span, counted up to `most`.

        Raises Problem.
        """
        return self._read(lambda connection: queries.arrivals(connection, process, since, until, most))

    def commit(self, entry: Entry, attempt: Attempt) -> Entry:
        """Accept a delivery: the point of no return. Returns its entry, durable.

        Raises AlreadyAcceptedError, VersionTakenError, CommitUnknownError, or Problem: NAME_TAKEN if another delivery
        or a file has one of its names.
        """

        status, committed_at = Status.COMMITTED, datetime.now(UTC)
        first = entry.tried(attempt, status=status, committed_at=committed_at)
        row, claims = rows.row(first, self.roots), Claims.of(entry, self.roots)

        def operation(connection: Any) -> Entry:
            accepted = first
            if not self._own.add(connection, row):  # the version was free when it was chosen: as a rule it still is
                known = _not_accepted(self._own, connection, entry)
                free = queries.next_version(connection, entry.process, entry.source_id)
                if entry.version != free:
                    raise VersionTakenError(free)
                accepted = _after(known, entry).tried(attempt, status=status, committed_at=committed_at)
                queries.put(connection, replace(accepted, digests=None))
            self._own.claim(connection, claims)
            queries.note_digests(connection, entry)
            if entry.additions:
                batch_queries.add(connection, entry, committed_at)
            return accepted

        try:
            return self._write(operation)
        except ClaimedError:  # by another worker, which may have published it: its mark is on the way
            time.sleep(CLAIMED)
            return self._write(operation)

    def reopen(self, entry: Entry, attempt: Attempt, missing: Sequence[Output]) -> Entry:
        """Accept a published delivery once more, for its missing files.

        Raises CommitUnknownError, or Problem.
        """
        claims = Claims.of(replace(entry, outputs=tuple(missing)), self.roots)

        def operation(connection: Any) -> Entry:
            self._own.lock(connection, entry)
            known = queries.find(connection, entry.id)
            if known is None or known.status is not Status.PUBLISHED:
                raise Problem(Code.BUSY, "the delivery is being published by somebody else")
            self._own.claim(connection, claims)
            changed = {"outputs": entry.outputs, "stage": entry.stage, "status": Status.COMMITTED}
            return queries.put(connection, known.tried(attempt, **changed))

        return self._write(operation)

    def complete(self, entry: Entry, attempt: Attempt) -> bool:
        """Note a published delivery durably, for a restored ledger; False if it is known.

        Raises VersionTakenError if another content has its version by now, and Problem.
        """

        def operation(connection: Any) -> bool:
            self._own.lock(connection, entry)
            known = queries.find(connection, entry.id)
            if known and known.status in ACCEPTED:
                return False
            if queries.has_version(connection, entry):
                raise VersionTakenError(queries.next_version(connection, entry.process, entry.source_id))
            queries.put(connection, _after(known, entry).tried(attempt))
            return True

        return self._write(operation)

    def published(self, entries: Sequence[Entry], at: datetime, *, later: bool = False) -> None:
        """Mark deliveries as published: visible now, durable with the next commit.

        `later`: before whatever this process writes next, in the same transaction, or a moment later by itself.

        Raises Problem.
        """
        in_order = sorted(entries, key=_by_id)  # others may mark the same ones
        claims = [Claims.of(entry, self.roots) for entry in in_order]
        mark = partial(queries.publish, published=claims, at=units.stamp(at))
        if later:
            self.connections.postpone(mark)
        else:
            self._write(mark, durable=False)

    def quarantine(
        self, entry: Entry, attempt: Attempt, lay: Callable[[], object] = _nothing, *, once: bool = False
    ) -> Entry:
        """Note durably that a delivery is held or refused; with `once` not a second time.

        `lay` has it lie at its place, while no other host changes what is known of it. Raises AlreadyAcceptedError, or
        Problem.
        """

        def operation(connection: Any) -> Entry:
            self._own.lock_kept(connection, entry)
            known = _not_accepted(self._own, connection, entry)
            if once and known and attempt in known.attempts:
                return known
            kept = queries.put(connection, _after(known, entry).tried(attempt, version=None, stage=""))
            lay()  # last: an operation whose session is lost before that is tried once more
            return kept

        return self._write(operation)

    def discard(self, entry: Entry, attempt: Attempt, take: Callable[[], object] = _nothing) -> bool:
        """Note durably that what was held or refused is kept no longer. Raises Problem.

        `take` has it lie at its place no more. False, with nothing done, where it came again since `entry` was read.
        """

        def operation(known: Entry | None, connection: Any) -> bool:
            if known and known.attempt_count != entry.attempt_count:
                return False
            if known and known.status in KEPT:
                queries.put(connection, known.tried(attempt, status=Status.DISCARDED))
            take()  # last, as above
            return True

        return self._alone(entry, operation)

    def alone(self, entry: Entry, work: Callable[[Entry | None], Result]) -> Result:
        """Return what `work` makes of a delivery's entry, while no other host changes it.

        Raises Problem.
        """
        return self._alone(entry, lambda known, _: work(known))

    def _alone(self, entry: Entry, operation: Callable[[Entry | None, Any], Result]) -> Result:
        def locked(connection: Any) -> Result:
            self._own.lock_kept(connection, entry)
            return operation(queries.find(connection, entry.id), connection)

        return self._write(locked)

    def attempted(self, id: str, attempt: Attempt) -> None:  # noqa: A002 (the column's name)
        """Note one more attempt at a known delivery: durable with the next commit.

        Raises Problem.
        """
        self._write(lambda connection: self._own.attempted(connection, id, attempt), durable=False)

    def settle(self, entry: Entry | None = None) -> None:
        """Make sure that a failed commit, of an entry, is there by now or never will be.

        Raises Problem.
        """
        self._write(lambda connection: self._own.lock(connection, entry) if entry else None)

    def prune(self, process: str, before: datetime) -> int:
        """Forget what was received before a time, unless it is unpublished or kept.

        Returns how many entries are forgotten. Raises Problem.
        """
        found = self._read(lambda connection: queries.prunable(connection, process, before))
        pieces = [found[start : start + PRUNED_AT_ONCE] for start in range(0, len(found), PRUNED_AT_ONCE)]
        forgotten = sum(self._write(partial(self._own.prune, rowids=piece, before=before)) for piece in pieces)
        self._read(self._own.empty_log)
        return forgotten

    def prunable(self, process: str, before: datetime) -> int:
        """Return how many entries `prune` would forget. Raises Problem."""
        return len(self._read(lambda connection: queries.prunable(connection, process, before)))

    def columns(self, table: str) -> list[str]:
        """Return the names of a table's columns, in their order. Raises Problem."""
        return self._read(lambda connection: self._own.columns(connection, table))

    def require_sound(self) -> None:
        """Look through the ledger for some seconds. Raises Problem if it is damaged."""
        self._read(self._own.require_sound)

    def damaged(self) -> list[DamagedRow]:
        """Return the damaged ones among the latest rows and those that are not published.

        Raises Problem.
        """
        latest = self._select("ORDER BY received_at DESC LIMIT ?", LOOKED_AT)
        waiting = self._select(f"WHERE {UNPUBLISHED} ORDER BY rowid DESC LIMIT ?", LOOKED_AT)
        found = {each.id: each for each in (*latest, *waiting) if isinstance(each, DamagedRow)}
        return list(found.values())

    def _read(self, query: Callable[[Any], Result]) -> Result:
        """Run a query on what is committed by now, the marks of this process among it.

        Raises Problem.
        """
        self.connections.flush()
        return self.connections.read(query)

    def _select(self, where: str, *values: Any) -> list[Entry | DamagedRow]:
        return self._read(lambda connection: queries.select(connection, where, *values))


def _not_accepted(own: OwnQueries, connection: Any, entry: Entry) -> Entry | None:
    """Return what is known of a delivery.

    Raises AlreadyAcceptedError if it was accepted.
    """
    own.lock(connection, entry)
    known = queries.find(connection, entry.id)
    if known and known.status in ACCEPTED:
        raise AlreadyAcceptedError(known)
    return known


def _after(known: Entry | None, entry: Entry) -> Entry:
    """Return `entry` with the attempts that were made before."""
    return replace(entry, attempts=known.attempts, attempt_count=known.attempt_count) if known else entry


def _where(
    process: str | None, status: Status | None, source_id: str | None, since: datetime | None, until: datetime | None
) -> tuple[str, list[Any]]:
    """Return the condition of a search so that an index serves it, and its values."""
    by_time = source_id is None and status in (None, Status.PUBLISHED)
    conditions = {
        OF_ONE if by_time else "process = ?": process,
        "status = ?": status and status.value,
        "source_id = ?": source_id,
        "received_at >= ?": since and units.stamp(since),
        "received_at < ?": until and units.stamp(until),
    }
    if status in KEPT:
        conditions[f"status = ? AND {IS_KEPT}"] = conditions.pop("status = ?")
    elif status is not None and status is not Status.PUBLISHED:
        conditions[f"status = ? AND {UNPUBLISHED}"] = conditions.pop("status = ?")
    given = {condition: value for condition, value in conditions.items() if value is not None}
    where = f"WHERE {' AND '.join(given)}" if given else ""
    return where, list(given.values())
