"""What people and health pages ask of the ledger: lists, counts and times.

No delivery waits for any of it.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from receiver.core import units
from receiver.core.delivery import Status
from receiver.store import queries
from receiver.store.database import Connections, OwnQueries
from receiver.store.entry import DamagedRow, Entry, Standing, Unaccepted, Waiting
from receiver.store.queries import IS_KEPT, OF_ONE, UNPUBLISHED

Result = TypeVar("Result")

KEPT = (Status.HELD, Status.REFUSED)  # in quarantine
LOOKED_AT = 10_000  # rows looked at for damage: some 300 ms


class LedgerReader:
    """The ledger, as far as it is only read.

    Every method raises Problem if the ledger fails.
    """

    def __init__(self, connections: Connections, own: OwnQueries) -> None:
        self.connections = connections
        self._own = own

    def before_version(self, entry: Entry) -> Entry | None:
        """Return the version before an accepted entry, if the ledger still has it."""
        where = "WHERE process = ? AND source_id = ? AND version = ?"
        found = self._select(where, entry.process, entry.source_id, (entry.version or 1) - 1)
        return next((each for each in found if isinstance(each, Entry)), None)

    def starting(self, prefix: str, limit: int) -> list[Entry | DamagedRow]:
        """Return the entries whose id starts with `prefix`, at most `limit`."""
        return self._select("WHERE id >= ? AND id < ? ORDER BY id LIMIT ?", prefix, f"{prefix}\U0010ffff", limit)

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
        """Return entries, newest first, received from `since` and before `until`."""
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
        """Return id and count of attempts of what `search` would return."""
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
        """Count what `search` would return without a limit, up to `most`."""
        where, values = _where(process, status, None, since, until)
        return self._read(lambda connection: queries.count(connection, where, *values, most))

    def having(self, digests: Sequence[str], limit: int = 100) -> list[Entry | DamagedRow]:
        """Return entries that have one of these keyed digests, the newest first."""
        return self._read(lambda connection: queries.having(connection, digests, limit)) if digests else []

    def waiting(self, process: str) -> list[Waiting]:
        """Return what lies in quarantine, the longest there first."""
        return self._read(lambda connection: self._own.waiting(connection, process))

    def counts(self) -> dict[tuple[str, Status], int]:
        """Return how many deliveries each process has in each state."""
        return self._read(queries.counts)

    def standing(self) -> dict[str, Standing]:
        """Return how the deliveries of each process stand."""
        return self._read(queries.standing)

    def unaccepted(self, since: datetime) -> list[Unaccepted]:
        """Return how many deliveries were refused or held since then, and why."""
        return self._read(lambda connection: self._own.unaccepted(connection, since))

    def hours(self, since: datetime) -> dict[str, dict[str, int]]:
        """Return how many deliveries of each process came in each hour since then, UTC."""
        found: dict[str, dict[str, int]] = {}
        for process, hour, count in self._read(lambda connection: queries.hours(connection, since)):
            found.setdefault(process, {})[hour] = count
        return found

    def last_arrival(self, process: str) -> datetime | None:
        """Return when the last delivery of a process came."""
        return self._read(lambda connection: queries.last_arrival(connection, process))

    def arrivals(self, process: str, since: datetime, until: datetime, most: int) -> int:
        """Return how many deliveries of a process came in a span, counted up to `most`."""
        return self._read(lambda connection: queries.arrivals(connection, process, since, until, most))

    def columns(self, table: str) -> list[str]:
        """Return the names of a table's columns, in their order."""
        return self._read(lambda connection: self._own.columns(connection, table))

    def require_sound(self) -> None:
        """Look through the ledger for some seconds. Raises Problem if it is damaged."""
        self._read(self._own.require_sound)

    def damaged(self) -> list[DamagedRow]:
        """Return the damaged ones among the latest rows and those that are not published."""
        latest = self._select("ORDER BY received_at DESC LIMIT ?", LOOKED_AT)
        waiting = self._select(f"WHERE {UNPUBLISHED} ORDER BY rowid DESC LIMIT ?", LOOKED_AT)
        found = {each.id: each for each in (*latest, *waiting) if isinstance(each, DamagedRow)}
        return list(found.values())

    def _read(self, query: Callable[[Any], Result]) -> Result:
        """Run a query on what is committed by now, the marks of this process among it."""
        self.connections.flush()
        return self.connections.read(query)

    def _select(self, where: str, *values: Any) -> list[Entry | DamagedRow]:
        return self._read(lambda connection: queries.select(connection, where, *values))


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
