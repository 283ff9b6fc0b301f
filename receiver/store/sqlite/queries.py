"""What the ledger says to SQLite alone.

Every function works inside the caller's transaction; may raise apsw.Error.
"""

import contextlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import apsw

from receiver.core import units
from receiver.core.delivery import Status
from receiver.core.problems import Code
from receiver.store import queries, rows
from receiver.store.entry import FIRST_ATTEMPTS, LAST_ATTEMPTS, Attempt, Entry, Unaccepted, Waiting
from receiver.store.queries import PRUNABLE, UNPUBLISHED
from receiver.store.sqlite.schema import require_sound as require_sound

LATEST = 5_000  # deliveries in quarantine that are looked at, the latest first: some 10 ms
_IN_THE_WAY = (  # a file where one of these names needs a folder, or the other way round
    "EXISTS (SELECT 1 FROM json_each(?1, '$[0]') CROSS JOIN claims "
    "ON target > value || '/' AND target < value || '0') "
    "OR EXISTS (SELECT 1 FROM json_each(?1, '$[1]') CROSS JOIN claims ON target = value)"
)
_CLAIM = f"INSERT INTO claims (target, id) SELECT value, ?2 FROM json_each(?1, '$[0]') WHERE NOT ({_IN_THE_WAY})"  # noqa: S608 (our own)


def lock(connection: apsw.Connection, entry: Entry) -> None:
    """Do nothing: SQLite has one writer at a time."""


def lock_kept(connection: apsw.Connection, entry: Entry) -> None:
    """Do nothing more: who moves the folder holds the lock on it."""


def waiting(connection: apsw.Connection, process: str) -> list[Waiting]:
    """Return what lies in quarantine, the longest there first."""
    found: list[Any] = connection.execute(
        "SELECT id, status, json_extract(attempts, '$[#-1].at') AS since, "  # noqa: S608 (our own)
        "(SELECT total(json_extract(value, '$.size')) FROM json_each(parts)) "
        f"FROM deliveries WHERE status IN ('held', 'refused') AND {UNPUBLISHED} AND process = ? ORDER BY since",
        (process,),
    ).fetchall()
    return [Waiting(id_, Status(status), units.moment(since), int(size)) for id_, status, since, size in found]


def attempted(connection: apsw.Connection, id: str, attempt: Attempt) -> None:  # noqa: A002 (the column's name)
    """Add an attempt without reading the others: a sender may be in a loop.

    As `Entry.tried` does.
    """
    connection.execute(
        "UPDATE deliveries SET attempt_count = attempt_count + 1, attempts = json_insert("
        "iif(json_array_length(attempts) < ?, attempts, json_remove(attempts, ?)), '$[#]', json(?)) WHERE id = ?",
        (FIRST_ATTEMPTS + LAST_ATTEMPTS, f"$[{FIRST_ATTEMPTS}]", rows.attempt_text(attempt), id),
    )


def add(connection: apsw.Connection, row: rows.Row) -> bool:
    """Write a new entry's row; False, and nothing, for a known id or version."""
    try:
        connection.execute(queries.ADD, row)
    except apsw.ConstraintError:
        return False
    return True


def claim(connection: apsw.Connection, claims: queries.Claims) -> None:
    """Claim a delivery's names.

    A delivery keeps its claim until its files are in place. So whoever claims a name sees either the other's claim
    or its file; looking at the disk only inside of the transaction is what makes that true.

    Raises Problem if another delivery or a file has one of them.
    """
    names = rows.list_text([claims.targets, claims.folders])
    try:
        connection.execute(_CLAIM, (names, claims.id))
    except apsw.ConstraintError:
        raise queries.name_taken() from None
    if claims.targets and not connection.changes():
        raise queries.folder_taken()
    queries.require_free(claims)


def prune(connection: apsw.Connection, rowids: Sequence[int], before: datetime) -> int:
    """Forget these rows unless their deliveries came again; returns how many."""
    those = f"{PRUNABLE} AND rowid IN (SELECT value FROM json_each(?))"  # noqa: S608 (our own)
    values = (units.stamp(before), json.dumps(rowids))
    forget = f"DELETE FROM digests WHERE id IN (SELECT id FROM deliveries WHERE {those})"  # noqa: S608 (our own)
    connection.execute(forget, values)
    connection.execute(f"DELETE FROM deliveries WHERE {those}", values)  # noqa: S608 (our own)
    return connection.changes()


def unaccepted(connection: apsw.Connection, since: datetime) -> list[Unaccepted]:
    """Count what is refused or held, and was sent or replayed since then.

    May raise apsw.Error.
    """
    found: list[Any] = connection.execute(
        "SELECT process, status, code, count(*) FROM (SELECT process, status, code, attempts FROM deliveries "  # noqa: S608
        f"WHERE status IN ('refused', 'held') AND {UNPUBLISHED} ORDER BY rowid DESC LIMIT ?) "
        "WHERE iif(json_valid(attempts), json_extract(attempts, '$[#-1].at'), '') >= ? "
        "GROUP BY process, status, code ORDER BY count(*) DESC, code",
        (LATEST, units.stamp(since)),
    ).fetchall()
    return [Unaccepted(process, Status(status), Code(code), count) for process, status, code, count in found]


def empty_log(connection: apsw.Connection) -> None:
    """Move the log into the database and empty it: it holds older states of pages.

    Put off while others read.
    """
    with contextlib.suppress(apsw.BusyError, apsw.LockedError):
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)


def columns(connection: apsw.Connection, table: str) -> list[str]:
    """Return the names of a table's columns, in their order."""
    found: list[Any] = connection.execute("SELECT name FROM pragma_table_info(?) ORDER BY cid", (table,)).fetchall()
    return [name for (name,) in found]
