"""What came in when, as whoever watches for faults asks it: bounded, however long the ledger has grown."""

from datetime import datetime
from typing import Any

import apsw

from receiver.core import units
from receiver.core.delivery import Status
from receiver.core.problems import Code
from receiver.store.entry import Unaccepted
from receiver.store.statements import UNPUBLISHED

LATEST = 5_000  # deliveries in quarantine that are looked at, the latest first: some 10 ms
WITHIN = 50_000  # rows of one span that are looked at: some 20 ms; with more, other processes are busy enough


def unaccepted(connection: apsw.Connection, since: datetime) -> list[Unaccepted]:
    """Count what is refused or held, and was sent or replayed since then. May raise apsw.Error."""
    found: list[Any] = connection.execute(
        "SELECT process, status, code, count(*) FROM (SELECT process, status, code, attempts FROM deliveries "  # noqa: S608
        f"WHERE status IN ('refused', 'held') AND {UNPUBLISHED} ORDER BY rowid DESC LIMIT ?) "
        "WHERE iif(json_valid(attempts), json_extract(attempts, '$[#-1].at'), '') >= ? "
        "GROUP BY process, status, code ORDER BY count(*) DESC, code",
        (LATEST, units.stamp(since)),
    ).fetchall()
    return [Unaccepted(process, Status(status), Code(code), count) for process, status, code, count in found]


def last_arrival(connection: apsw.Connection, process: str) -> datetime | None:
    """Return when the last delivery of a process came for the first time. May raise apsw.Error."""
    found = connection.execute(
        "SELECT received_at FROM deliveries WHERE process = ? ORDER BY received_at DESC LIMIT 1", (process,)
    ).get
    return units.moment(found) if found else None


def arrivals(connection: apsw.Connection, process: str, since: datetime, until: datetime, most: int) -> int:
    """Count the deliveries of a process that came in a span, up to `most`. May raise apsw.Error."""
    return int(
        connection.execute(
            "SELECT count(*) FROM (SELECT 1 FROM (SELECT process FROM deliveries "
            "WHERE received_at >= ? AND received_at < ? ORDER BY received_at LIMIT ?) WHERE process = ? LIMIT ?)",
            (units.stamp(since), units.stamp(until), WITHIN, process, most),
        ).get
    )
