"""The ledger: the audit trail, and the memory that makes a retry harmless.

Its methods are named by what they mean to a delivery; what they are in a database is in `store/sqlite/` and
`store/postgres/`, modules of the same functions (`store/database.py`). Every time they are given is an aware datetime.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
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
from receiver.store.entry import Attempt, DamagedRow, Entry
from receiver.store.ledger_reader import KEPT, LedgerReader
from receiver.store.queries import UNFINISHED, ClaimedError, Claims
from receiver.store.rows import NO_ROOTS, Roots

Result = TypeVar("Result")

__all__ = ["ACCEPTED", "KEPT", "AlreadyAcceptedError", "CommitUnknownError", "Ledger", "VersionTakenError", "create"]

ACCEPTED = (Status.COMMITTED, Status.PUBLISHED)
PRUNED_AT_ONCE = 500  # rows of one transaction: some milliseconds in which nobody else writes
CLAIMED = 0.25  # seconds that a name is waited for: longer than any mark is postponed


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


class Ledger(LedgerReader):
    """One ledger that was created, for all threads and all forked workers.

    Every method raises Problem if the ledger fails.
    """

    def __init__(self, url: str, roots: Roots = NO_ROOTS) -> None:
        """Name the ledger; nothing is opened yet. Raises Problem if `url` names none.

        Who uses paths of its rows must say where the `roots` of them are.
        """
        found = database.database_of(url, roots)
        super().__init__(found.connections, found.own_queries)
        self.roots = roots
        self.path = found.path  # of its file; None if it is on a server
        self.folders = [self.path.parent] if self.path else []  # in which it takes space
        self._write = self.connections.write
        self.hosts = found.hosts  # None if one host has it all
        self.require_in_place = self.connections.require_in_place
        self.batches = Batches(self.connections, self._own)

    @property
    def owner(self) -> str:
        """The incarnation of this process among several hosts; "" on one host."""
        return self.hosts.incarnation() if self.hosts else ""

    def once(self, task: str) -> AbstractContextManager[bool]:
        """Hold the lock on a task that one host does for all; False if another has it."""
        return self.hosts.once(task) if self.hosts else nullcontext(True)

    def close(self) -> None:
        """Close what this process has open; the next use opens it again."""
        if self.hosts:
            self.hosts.leave()
        self.connections.close()

    def find(self, id: str) -> Entry | None:  # noqa: A002 (the column's name)
        """Return the entry of a delivery."""
        return self._read(lambda connection: queries.find(connection, id))

    def latest(self, process: str, source_id: str) -> Entry | None:
        """Return the accepted entry with a sourceId's highest version, without attempts.

        Each delivery asks this first, so it does not wait for the marks of others: an entry may be published already
        that is called committed.
        """
        return self.connections.read(partial(queries.latest, process=process, source_id=source_id))

    def before(self, id: str, process: str, source_id: str) -> tuple[Entry | None, Entry | None]:  # noqa: A002
        """Return this delivery, and its sourceId's latest, if accepted."""
        latest = self.latest(process, source_id)
        if latest is None or latest.id == id:
            return latest, latest
        known = self.find(id)
        return known if known and known.status in ACCEPTED else None, latest

    def next_version(self, process: str, source_id: str) -> int:
        """Return the version that a new content under this sourceId gets."""
        return self.connections.read(lambda connection: queries.next_version(connection, process, source_id))

    def unfinished(self) -> list[Entry | DamagedRow]:
        """Return what is accepted but not yet published, in the order of acceptance."""
        return self._select(f"WHERE {UNFINISHED} ORDER BY rowid")

    def uses_stage(self, folder: Path) -> bool:
        """Return whether an accepted delivery, or a batch, uses this folder of the stage."""
        return self._read(
            lambda connection: queries.uses_stage(connection, folder) or batch_queries.uses_stage(connection, folder)
        )

    def commit(self, entry: Entry, attempt: Attempt) -> Entry:
        """Accept a delivery: the point of no return. Returns its entry, durable.

        Raises AlreadyAcceptedError, VersionTakenError, CommitUnknownError, or Problem: NAME_TAKEN if another delivery
        or a file has one of its names.
        """

        status, committed_at = Status.COMMITTED, datetime.now(UTC)
        first = entry.tried(attempt, status=status, committed_at=committed_at)
        row, claims = rows.row(first, self.roots), Claims.of(entry, self.roots)

        def operation(connection: Any) -> Entry:
            if self._own.add(connection, row):  # the version was free when it was chosen: as a rule it still is
                accepted = first
                queries.note_digests(connection, first)
            else:
                known = _not_accepted(self._own, connection, entry)
                free = queries.next_version(connection, entry.process, entry.source_id)
                if entry.version != free:
                    raise VersionTakenError(free)
                accepted = _after(known, entry).tried(attempt, status=status, committed_at=committed_at)
                queries.put(connection, accepted)
            self._own.claim(connection, claims)
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
        claims = Claims.of(entry._replace(outputs=tuple(missing)), self.roots)

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
        """
        in_order = sorted(entries, key=_by_id)  # others may mark the same ones
        mark = partial(queries.publish, published=in_order, at=units.stamp(at))
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
        """Return what `work` makes of a delivery's entry, while no other host changes it."""
        return self._alone(entry, lambda known, _: work(known))

    def _alone(self, entry: Entry, operation: Callable[[Entry | None, Any], Result]) -> Result:
        def locked(connection: Any) -> Result:
            self._own.lock_kept(connection, entry)
            return operation(queries.find(connection, entry.id), connection)

        return self._write(locked)

    def attempted(self, id: str, attempt: Attempt) -> None:  # noqa: A002 (the column's name)
        """Note one more attempt at a known delivery: durable with the next commit."""
        self._write(lambda connection: self._own.attempted(connection, id, attempt), durable=False)

    def settle(self, entry: Entry | None = None) -> None:
        """Make sure that a failed commit, of an entry, is there by now or never will be."""
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
        """Return how many entries `prune` would forget."""
        return len(self._read(lambda connection: queries.prunable(connection, process, before)))


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
    return entry._replace(attempts=known.attempts, attempt_count=known.attempt_count) if known else entry
