"""Batches in the ledger: which are open, their records, and their outcome."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

from receiver.core.batches import Batch, BatchStatus
from receiver.core.problems import Code, Problem
from receiver.store import batch_queries as batches
from receiver.store.database import Connections, OwnQueries
from receiver.store.entry import Entry
from receiver.store.queries import Claims

AT_ONCE = 200  # records read at once: some megabytes in memory, whatever the size of the batch


class Batches:
    """The batches of one ledger. Every method raises Problem if the ledger fails."""

    def __init__(self, connections: Connections, own: OwnQueries) -> None:
        self._own = own
        self._roots = connections.roots
        self._read = connections.read
        self._write = connections.write

    def unpublished(self) -> list[Batch]:
        """Return the batches that are not published, by process, name and number."""
        where = f"WHERE {batches.UNPUBLISHED} ORDER BY process, name, number"
        return self._read(lambda connection: batches.select(connection, where))

    def first(self, process: str, name: str) -> Batch | None:
        """Return the batch of a name that is not published and has the lowest number."""
        where = f"WHERE {batches.UNPUBLISHED} AND process = ? AND name = ? ORDER BY number LIMIT 1"
        return next(iter(self._read(lambda connection: batches.select(connection, where, process, name))), None)

    def closed_by(self, delivery: str, process: str) -> list[Batch]:
        """Return the batches that a delivery has closed and whose files are to be made."""
        where = f"WHERE status = 'closed' AND {batches.UNPUBLISHED} AND process = ? AND closed_by = ? ORDER BY number"
        return self._read(lambda connection: batches.select(connection, where, process, delivery))

    def latest(self, process: str | None = None, limit: int = 100) -> list[Batch]:
        """Return batches, those that were opened last first."""
        where = f"{'WHERE process = ?' if process else ''} ORDER BY opened_at DESC, number DESC LIMIT ?"
        values = (process, limit) if process else (limit,)
        return self._read(lambda connection: batches.select(connection, where, *values))

    def find(self, process: str, name: str, number: int) -> Batch | None:
        """Return one batch."""
        where = "WHERE process = ? AND name = ? AND number = ?"
        return next(iter(self._read(lambda connection: batches.select(connection, where, process, name, number))), None)

    def of_deliveries(self, ids: Sequence[str]) -> dict[str, list[Batch]]:
        """Return the batches with records of some deliveries, by the deliveries' ids."""
        found: dict[str, list[Batch]] = {}
        for start in range(0, len(ids), AT_ONCE):
            some = ids[start : start + AT_ONCE]
            for id_, batch in self._read(partial(batches.of_deliveries, ids=some)):
                found.setdefault(id_, []).append(batch)
        return found

    def deliveries(self, batch: Batch) -> list[tuple[str, int, str]]:
        """Return delivery id, size and SHA-256 of each record of a batch, in order."""
        return self._read(lambda connection: batches.deliveries(connection, batch))

    def exported(self, batch: Batch) -> list[dict[str, str]]:
        """Return what each record of an unpublished batch exported, in order."""
        return self._read(lambda connection: batches.exported(connection, batch))

    def contents(self, batch: Batch) -> Iterator[bytes]:
        """Yield the records of a batch that is not published, in their order."""
        last = 0
        while found := self._read(lambda connection: batches.contents(connection, batch, last, AT_ONCE)):  # noqa: B023
            for _, content, sha256 in found:
                if content is None or hashlib.sha256(content).hexdigest() != sha256:
                    raise Problem(Code.STORAGE_FAILED, f"a record of the batch {batch.id} in the ledger is damaged")
                yield content
            last = found[-1][0]

    def close(self, batch: Batch, by: str) -> bool:
        """Settle the records of a batch durably; False if somebody else has done it."""
        key = (batch.process, batch.name, batch.number)
        return self._write(lambda connection: batches.close(connection, *key, datetime.now(UTC), by))

    def commit(self, batch: Batch, entry: Entry, before: BatchStatus = BatchStatus.CLOSED) -> bool:
        """Accept a batch's file durably: it will be published.

        False if it is not in state `before`.

        Raises CommitUnknownError, or Problem: NAME_TAKEN if something else has its name.
        """

        def operation(connection: Any) -> bool:
            self._own.lock(connection, entry)
            if not batches.commit(connection, batch, entry, before):
                return False
            self._own.claim(connection, Claims.of(entry, self._roots))
            return True

        return self._write(operation)

    def published(self, batch: Batch, entry: Entry, at: datetime) -> None:
        """Mark a batch as published: visible at once, durable with the next commit.

        Then forget its contents.
        """
        self._write(lambda connection: batches.publish(connection, batch, entry, at), durable=False)
        with suppress(Problem):  # it is published, and housekeeping forgets the rest
            self._forget(batch)

    def forget_published(self) -> None:
        """Remove contents of published records that were left there."""
        for batch in self._read(batches.remembered):
            self._forget(batch)

    def _forget(self, batch: Batch) -> None:
        """Remove contents piece by piece: all at once would delay deliveries for seconds."""
        some = partial(batches.forget, batch=batch, most=AT_ONCE)
        while self._write(some, durable=False) == AT_ONCE:
            pass

    def complete(self, batch: Batch, records: Sequence[tuple[str, int, str]]) -> bool:
        """Note a published batch durably, for a restored ledger; False if it is known."""
        return self._write(lambda connection: batches.complete(connection, batch, records))

    def prune(self, process: str, before: datetime) -> int:
        """Forget batches that were published before a time; return how many."""
        return self._write(lambda connection: batches.prune(connection, process, before))
