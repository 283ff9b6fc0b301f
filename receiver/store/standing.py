"""How the deliveries of each process stand, asked of the ledger in some milliseconds, however long it has grown."""

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

import apsw

from receiver.core.delivery import Status
from receiver.store import rows
from receiver.store.statements import UNFINISHED, UNPUBLISHED

RECENT = 10_000  # deliveries looked through for the last success of each process: about 10 ms


_COUNTS = f"SELECT process, status, count(*) FROM deliveries WHERE {UNPUBLISHED} GROUP BY status, process"  # noqa: S608
_OLDEST = f"SELECT process, min(committed_at) FROM deliveries WHERE {UNFINISHED} GROUP BY process"  # noqa: S608
_LAST = (
    "SELECT process, max(published_at) FROM (SELECT process, published_at FROM deliveries "
    "ORDER BY received_at DESC LIMIT ?) WHERE published_at IS NOT NULL GROUP BY process"
)


@dataclass(slots=True)
class Standing:
    """One process."""

    counts: dict[Status, int] = field(default_factory=dict)  # of what is not published
    oldest_unpublished: datetime | None = None  # when it was accepted; aware, UTC
    last_success: datetime | None = None  # among the last deliveries; aware, UTC


def standing(connection: apsw.Connection) -> dict[str, Standing]:
    """Return each process that has something to tell. May raise apsw.Error."""
    found: defaultdict[str, Standing] = defaultdict(Standing)
    for process, status, count in connection.execute(_COUNTS):
        with suppress(ValueError):  # a damaged row
            found[process].counts[Status(status)] = count
    for process, oldest in connection.execute(_OLDEST):
        with suppress(ValueError):
            found[process].oldest_unpublished = rows.moment(oldest)
    for process, last in connection.execute(_LAST, (RECENT,)):
        with suppress(ValueError):
            found[process].last_success = rows.moment(last)
    return dict(found)
