"""How the deliveries of each process stand, asked of the ledger in some milliseconds, however long it has grown."""

from collections import defaultdict
from contextlib import suppress

import apsw

from receiver.core import units
from receiver.core.delivery import Status
from receiver.store.entry import Standing
from receiver.store.statements import UNFINISHED, UNPUBLISHED

RECENT = 10_000  # deliveries looked through for the last success of each process: about 10 ms


_COUNTS = f"SELECT process, status, count(*) FROM deliveries WHERE {UNPUBLISHED} GROUP BY status, process"  # noqa: S608
_OLDEST = f"SELECT process, min(committed_at) FROM deliveries WHERE {UNFINISHED} GROUP BY process"  # noqa: S608
_LAST = (
    "SELECT process, max(published_at) FROM (SELECT process, published_at FROM deliveries "
    "ORDER BY received_at DESC LIMIT ?) WHERE published_at IS NOT NULL GROUP BY process"
)


def standing(connection: apsw.Connection) -> dict[str, Standing]:
    """Return each process that has something to tell. May raise apsw.Error."""
    found: defaultdict[str, Standing] = defaultdict(Standing)
    for process, status, count in connection.execute(_COUNTS):
        with suppress(ValueError):  # a damaged row
            found[process].counts[Status(status)] = count
    for process, oldest in connection.execute(_OLDEST):
        with suppress(ValueError):
            found[process].oldest_unpublished = units.moment(oldest)
    for process, last in connection.execute(_LAST, (RECENT,)):
        with suppress(ValueError):
            found[process].last_success = units.moment(last)
    return dict(found)
