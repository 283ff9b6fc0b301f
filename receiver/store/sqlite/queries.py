"""What the ledger says to SQLite. Every function works inside the caller's transaction and may raise apsw.Error."""

import contextlib
import json
import os
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import apsw

from receiver.core import units
from receiver.core.delivery import Kind, Status
from receiver.core.problems import Code, Problem
from receiver.store.durable import storage
from receiver.store.entry import (
    FIRST_ATTEMPTS,
    LAST_ATTEMPTS,
    Attempt,
    DamagedRow,
    Entry,
    Standing,
    Unaccepted,
    Waiting,
)
from receiver.store.sqlite import rows

# SQLite uses a partial index only for a query that repeats the index's own condition.
UNPUBLISHED = "status <> 'published'"
IS_KEPT = "status IN ('held', 'refused')"
UNFINISHED = f"status = 'committed' AND {UNPUBLISHED}"

LATEST = 5_000  # deliveries in quarantine that are looked at, the latest first: some 10 ms
WITHIN = 50_000  # rows of one span that are looked at: some 20 ms; with more, other processes are busy enough
RECENT = 10_000  # deliveries looked through for the last success of each process: about 10 ms

_PRUNABLE = "received_at < ? AND status IN ('published', 'discarded')"
_NAMES = ", ".join(rows.COLUMNS)
_SELECT = f"SELECT {_NAMES} FROM deliveries"  # noqa: S608 (our own names)
_NUMBERS = ("version", "attempt_count")
_BYTES = ", ".join(name if name in _NUMBERS else f"CAST({name} AS BLOB)" for name in rows.COLUMNS)
_SELECT_BYTES = f"SELECT {_BYTES} FROM deliveries"  # noqa: S608 (our own names)
_BUT_ATTEMPTS = ", ".join("'[]'" if name == "attempts" else name for name in rows.COLUMNS)
_PUT = (
    f"INSERT INTO deliveries ({_NAMES}) VALUES ({', '.join('?' * len(rows.COLUMNS))}) "  # noqa: S608
    f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in rows.COLUMNS[1:])}"
)
_COUNTS = f"SELECT process, status, count(*) FROM deliveries WHERE {UNPUBLISHED} GROUP BY status, process"  # noqa: S608
_OLDEST = f"SELECT process, min(committed_at) FROM deliveries WHERE {UNFINISHED} GROUP BY process"  # noqa: S608
_LAST = (
    "SELECT process, max(published_at) FROM (SELECT process, published_at FROM deliveries "
    "ORDER BY received_at DESC LIMIT ?) WHERE published_at IS NOT NULL GROUP BY process"
)


def select(connection: apsw.Connection, where: str, *values: Any) -> list[Entry | DamagedRow]:
    """Return entries, and what is damaged in the place of a row that is; `where` is our own text, never data."""
    try:
        found: list[Any] = connection.execute(f"{_SELECT} {where}", values).fetchall()
    except UnicodeDecodeError:
        found = connection.execute(f"{_SELECT_BYTES} {where}", values).fetchall()
    return [_entry(row) for row in found]


def _entry(row: Sequence[Any]) -> Entry | DamagedRow:
    try:
        return rows.entry(row)
    except DamagedRow as damaged:
        return damaged


def latest(connection: apsw.Connection, process: str, source_id: str) -> Entry | None:
    """Return the accepted entry with the highest version under a sourceId, but for its attempts."""
    found = connection.execute(
        f"SELECT {_BUT_ATTEMPTS} FROM deliveries "  # noqa: S608 (our own names)
        "WHERE source_id = ? AND process = ? AND version IS NOT NULL ORDER BY version DESC LIMIT 1",
        (source_id, process),
    ).fetchall()
    return rows.entry(found[0]) if found else None


def find(connection: apsw.Connection, id: str) -> Entry | None:  # noqa: A002 (the column's name)
    """Return the entry of a delivery."""
    found = select(connection, "WHERE id = ?", id)
    entry = found[0] if found else None
    if isinstance(entry, DamagedRow):
        raise entry
    return entry


def next_version(connection: apsw.Connection, process: str, source_id: str) -> int:
    """Return the version that a new content under this sourceId gets."""
    return int(
        connection.execute(
            "SELECT coalesce(max(version), 0) + 1 FROM deliveries WHERE source_id = ? AND process = ?",
            (source_id, process),
        ).get
    )


def uses_stage(connection: apsw.Connection, folder: Path) -> bool:
    """Return whether an accepted delivery still has files in a folder of the stage."""
    return bool(
        connection.execute(
            f"SELECT EXISTS (SELECT 1 FROM deliveries WHERE {UNFINISHED} AND stage = ?)",  # noqa: S608 (our own)
            (str(folder),),
        ).get
    )


def waiting(connection: apsw.Connection, process: str) -> list[Waiting]:
    """Return what lies in quarantine, the longest there first."""
    found: list[Any] = connection.execute(
        "SELECT id, status, json_extract(attempts, '$[#-1].at') AS since, "  # noqa: S608 (our own)
        "(SELECT total(json_extract(value, '$.size')) FROM json_each(parts)) "
        f"FROM deliveries WHERE status IN ('held', 'refused') AND {UNPUBLISHED} AND process = ? ORDER BY since",
        (process,),
    ).fetchall()
    return [Waiting(id_, Status(status), units.moment(since), int(size)) for id_, status, since, size in found]


def counts(connection: apsw.Connection) -> dict[tuple[str, Status], int]:
    """Count the deliveries of each process and state."""
    unpublished: list[Any] = connection.execute(_COUNTS).fetchall()
    accepted: list[Any] = connection.execute(  # by an index that is narrower than the table
        "SELECT process, count(*) FROM deliveries WHERE version IS NOT NULL GROUP BY process"
    ).fetchall()
    known = set(Status)  # a damaged row may have any other
    found = {(process, Status(status)): count for process, status, count in unpublished if status in known}
    for process, count in accepted:
        published = count - found.get((process, Status.COMMITTED), 0)
        found |= {(process, Status.PUBLISHED): published} if published else {}
    return found


def put(connection: apsw.Connection, entry: Entry) -> Entry:
    """Write an entry, over the one before it, and return it."""
    connection.execute(_PUT, rows.row(entry))
    return entry


def attempted(connection: apsw.Connection, id: str, attempt: Attempt) -> None:  # noqa: A002 (the column's name)
    """Add an attempt to a delivery, as `Entry.tried` does, without reading the others: a sender may be in a loop."""
    connection.execute(
        "UPDATE deliveries SET attempt_count = attempt_count + 1, attempts = json_insert("
        "iif(json_array_length(attempts) < ?, attempts, json_remove(attempts, ?)), '$[#]', json(?)) WHERE id = ?",
        (FIRST_ATTEMPTS + LAST_ATTEMPTS, f"$[{FIRST_ATTEMPTS}]", rows.attempt_text(attempt), id),
    )


def claim(connection: apsw.Connection, entry: Entry) -> None:
    """Promise its names to an entry. Raises Problem if another delivery or a file has one of them.

    A delivery keeps its claim until its files are in place. So whoever claims a name sees either the other's claim
    or its file; looking at the disk only inside of the transaction is what makes that true.
    """
    claims = _claims(entry)
    try:
        connection.executemany("INSERT INTO claims (target, id) VALUES (?, ?)", claims)
    except apsw.ConstraintError:
        raise Problem(Code.NAME_TAKEN, "another delivery is being published under one of the names") from None
    for target, _ in claims:
        if _in_the_way(connection, target, entry.output):
            raise Problem(Code.NAME_TAKEN, "another delivery is being published where one of the names needs a folder")
    with storage("look for a name in the output folder"):
        for target, _ in claims:
            if _exists(target):
                raise Problem(Code.NAME_TAKEN, "the output folder already holds a file of one of the names")


def _in_the_way(connection: apsw.Connection, target: str, output: str) -> bool:
    """Return whether another delivery was promised a file where this name needs a folder, or the other way round."""
    inside = "SELECT 1 FROM claims WHERE target > ? AND target < ?"
    if connection.execute(inside, (f"{target}/", f"{target}0")).fetchall():
        return True
    while len(target := target.rpartition("/")[0]) > len(output):
        if connection.execute("SELECT 1 FROM claims WHERE target = ?", (target,)).fetchall():
            return True
    return False


def _exists(target: str) -> bool:
    """Return whether a name is taken on disk, also by a file where a folder must be. Raises OSError."""
    try:
        os.lstat(target)
    except FileNotFoundError:
        return False
    except NotADirectoryError:
        return True
    return True


def publish(connection: apsw.Connection, entries: Sequence[Entry], at: datetime) -> None:
    """Mark accepted entries as published; from here on the disk alone says which names are taken."""
    for entry in entries:
        connection.execute(
            "UPDATE deliveries SET status = 'published', published_at = ? WHERE id = ? AND status = 'committed'",
            (units.stamp(at), entry.id),
        )
        connection.executemany("DELETE FROM claims WHERE target = ? AND id = ?", _claims(entry))


def prunable(connection: apsw.Connection, process: str, before: datetime) -> list[int]:
    """Return the rows received before a time of which nothing is left to be done.

    It reads whatever is older, of other processes too: for seconds in a long trail, so no writer waits for it.
    """
    found = connection.execute(
        f"SELECT rowid FROM deliveries WHERE {_PRUNABLE} AND process = ?",  # noqa: S608 (our own)
        (units.stamp(before), process),
    )
    return [rowid for (rowid,) in found]


def prune(connection: apsw.Connection, rowids: Sequence[int], before: datetime) -> int:
    """Forget these rows, unless their deliveries came again meanwhile; returns how many."""
    connection.execute(
        f"DELETE FROM deliveries WHERE {_PRUNABLE} AND rowid IN (SELECT value FROM json_each(?))",  # noqa: S608 (our own)
        (units.stamp(before), json.dumps(rowids)),
    )
    return connection.changes()


def _claims(entry: Entry) -> list[tuple[str, str]]:
    """Return the names that an entry claims, each with its id; originals have a folder of their own, named by it."""
    return [(output.target, entry.id) for output in entry.outputs if output.kind is not Kind.ORIGINALS]


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


def empty_log(connection: apsw.Connection) -> None:
    """Move the log into the database and empty it: it holds older states of pages. Put off while others read."""
    with contextlib.suppress(apsw.BusyError, apsw.LockedError):
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
