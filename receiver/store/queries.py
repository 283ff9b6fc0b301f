"""SQL for every database; `?` stands for a value.

Every function works inside the caller's transaction and may raise the database's own error. What databases say
differently is in `sqlite/queries.py` and `postgres/queries.py`.
"""

import os
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from receiver.core import units
from receiver.core.delivery import Kind, Status
from receiver.core.problems import Code, Problem
from receiver.store import rows
from receiver.store.durable import storage_problem
from receiver.store.entry import DamagedRow, Entry, Standing
from receiver.store.rows import Roots

# SQLite uses a partial index only for a query that repeats the index's own condition.
UNPUBLISHED = "status <> 'published'"
IS_KEPT = "status IN ('held', 'refused')"
UNFINISHED = f"status = 'committed' AND {UNPUBLISHED}"
OF_ONE = "process <> '' AND process = ?"  # by the times of one process, whatever came to others
PRUNABLE = "received_at < ? AND status IN ('published', 'discarded')"

COUNTED = 200_000  # deliveries counted by their hours: some 60 ms
RECENT = 10_000  # deliveries looked through for the last success of each process: about 10 ms

_NAMES = ", ".join(rows.COLUMNS)
_SELECT = f"SELECT {_NAMES} FROM deliveries"  # noqa: S608 (our own names)
_NUMBERS = ("version", "attempt_count")
_BYTES = ", ".join(name if name in _NUMBERS else f"CAST({name} AS BLOB)" for name in rows.COLUMNS)
_SELECT_BYTES = f"SELECT {_BYTES} FROM deliveries"  # noqa: S608 (our own names)
_BUT_ATTEMPTS = ", ".join("'[]'" if name == "attempts" else name for name in rows.COLUMNS)
ADD = f"INSERT INTO deliveries ({_NAMES}) VALUES ({', '.join('?' * len(rows.COLUMNS))})"  # noqa: S608 (our own)
_PUT = f"{ADD} ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in rows.COLUMNS[1:])}"
_PUBLISH = (
    "UPDATE deliveries SET status = 'published', published_at = ? "
    "WHERE id = ? AND stage_folder = ? AND status = 'committed'"
)
_GIVE_UP = "DELETE FROM claims WHERE id = ? AND target IN"
_COUNTS = f"SELECT process, status, count(*) FROM deliveries WHERE {UNPUBLISHED} GROUP BY status, process"  # noqa: S608
_OLDEST = f"SELECT process, min(committed_at) FROM deliveries WHERE {UNFINISHED} GROUP BY process"  # noqa: S608
_LAST = (
    "SELECT process, max(published_at) FROM (SELECT process, published_at FROM deliveries "
    "ORDER BY received_at DESC LIMIT ?) AS recent WHERE published_at IS NOT NULL GROUP BY process"
)


def select(connection: Any, where: str, *values: Any) -> list[Entry | DamagedRow]:
    """Return entries, damaged rows among them; `where` is our own text, never data."""
    try:
        found: list[Any] = connection.execute(f"{_SELECT} {where}", values).fetchall()
    except UnicodeDecodeError:
        found = connection.execute(f"{_SELECT_BYTES} {where}", values).fetchall()
    return [_entry(row, connection.roots) for row in found]


def _entry(row: Sequence[Any], roots: Roots) -> Entry | DamagedRow:
    try:
        return rows.entry(row, roots)
    except DamagedRow as damaged:
        return damaged


def latest(connection: Any, process: str, source_id: str) -> Entry | None:
    """Return the accepted entry with a sourceId's highest version, without attempts."""
    found = connection.execute(
        f"SELECT {_BUT_ATTEMPTS} FROM deliveries "  # noqa: S608 (our own names)
        "WHERE source_id = ? AND process = ? AND version IS NOT NULL ORDER BY version DESC LIMIT 1",
        (source_id, process),
    ).fetchall()
    if not found:
        return None
    (row,) = found
    return rows.entry(row, connection.roots)


def find(connection: Any, id: str) -> Entry | None:  # noqa: A002 (the column's name)
    """Return the entry of a delivery."""
    entry = next(iter(select(connection, "WHERE id = ?", id)), None)
    if isinstance(entry, DamagedRow):
        raise entry
    return entry


def next_version(connection: Any, process: str, source_id: str) -> int:
    """Return the version that a new content under this sourceId gets."""
    return int(
        connection.execute(
            "SELECT coalesce(max(version), 0) + 1 FROM deliveries WHERE source_id = ? AND process = ?",
            (source_id, process),
        ).get
    )


def has_version(connection: Any, entry: Entry) -> bool:
    """Tell whether another content has the version of an entry under its sourceId."""
    return bool(
        connection.execute(
            "SELECT EXISTS (SELECT 1 FROM deliveries WHERE source_id = ? AND process = ? AND version = ? AND id <> ?)",
            (entry.source_id, entry.process, entry.version, entry.id),
        ).get
    )


def uses_stage(connection: Any, folder: Path) -> bool:
    """Return whether an accepted delivery still has files in a folder of the stage."""
    return bool(
        connection.execute(
            f"SELECT EXISTS (SELECT 1 FROM deliveries WHERE {UNFINISHED} AND stage_folder = ?)",  # noqa: S608 (our own)
            (connection.roots.relative(str(folder)),),
        ).get
    )


def counts(connection: Any) -> dict[tuple[str, Status], int]:
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


def put(connection: Any, entry: Entry) -> Entry:
    """Write an entry, over the one before it, and return it."""
    connection.execute(_PUT, rows.row(entry, connection.roots))
    note_digests(connection, entry)
    return entry


def note_digests(connection: Any, entry: Entry) -> None:
    """Have an entry found by its keyed digests, and by no earlier ones."""
    if entry.digests is not None:
        connection.execute("DELETE FROM digests WHERE id = ?", (entry.id,))
        for digest in entry.digests:
            connection.execute("INSERT INTO digests (digest, id) VALUES (?, ?)", (digest, entry.id))


def matching(connection: Any, where: str, *values: Any) -> list[tuple[str, int]]:
    """Return id and count of attempts, newest first; `where` is our text, never data."""
    sql = f"SELECT id, attempt_count FROM deliveries {where} ORDER BY received_at DESC, rowid DESC LIMIT ?"  # noqa: S608
    found: list[tuple[str, int]] = connection.execute(sql, values).fetchall()
    return found


def count(connection: Any, where: str, *values: Any) -> int:
    """Count entries, up to the last of the values; `where` is our text, never data."""
    counted = f"SELECT count(*) FROM (SELECT 1 FROM deliveries {where} LIMIT ?) AS found"  # noqa: S608 (our own)
    return int(connection.execute(counted, values).get)


def having(connection: Any, digests: Sequence[str], limit: int) -> list[Entry | DamagedRow]:
    """Return the entries that have one of these keyed digests, the newest first."""
    where = f"WHERE id IN (SELECT id FROM digests WHERE digest IN ({', '.join('?' * len(digests))}))"  # noqa: S608 (marks)
    return select(connection, f"{where} ORDER BY received_at DESC, rowid DESC LIMIT ?", *digests, limit)


class ClaimedError(Problem):
    """Another delivery has claimed one of the names; it gives them up with its mark."""


class Claims(NamedTuple):
    """The names that a delivery claims; originals have a folder by its id."""

    id: str
    targets: list[str]
    folders: list[str]  # below the output, that the names need
    paths: list[str]  # of the targets, absolute

    @classmethod
    def of(cls, entry: Entry, roots: Roots) -> "Claims":
        """Return what an entry claims."""
        folders: set[str] = set()
        paths: list[str] = []
        for output in entry.outputs:
            if output.kind is not Kind.ORIGINALS:
                folders.update(roots.between(output.root or entry.output, output.folder))
                paths.append(output.target)
        return cls(entry.id, targets_of(entry, roots), [*folders], paths)


def targets_of(entry: Entry, roots: Roots) -> list[str]:
    """Return the names that a delivery's files get, as rows tell them."""
    found: list[str] = []
    for output in entry.outputs:
        if output.kind is not Kind.ORIGINALS:
            folder, slash, name = output.target.rpartition("/")
            found.append(roots.relative(folder) + slash + name)
    return found


def require_free(claims: Claims) -> None:
    """Raise Problem if a file has one of the claimed names."""
    for path in claims.paths:
        try:
            os.lstat(path)
        except FileNotFoundError:
            continue
        except NotADirectoryError:  # a file is where a folder must be
            pass
        except OSError as error:
            raise storage_problem("look for a name in the output folder", error) from None
        raise Problem(Code.NAME_TAKEN, "the output folder already holds a file of one of the names")


def name_taken() -> ClaimedError:
    """Return the Problem of a name that another delivery was promised."""
    return ClaimedError(Code.NAME_TAKEN, "another delivery is being published under one of the names")


def folder_taken() -> ClaimedError:
    """Return the Problem of a name that clashes as file and folder with another's."""
    return ClaimedError(Code.NAME_TAKEN, "another delivery is being published where one of the names needs a folder")


def publish(connection: Any, published: Sequence[Entry], at: str) -> None:
    """Mark accepted ones as published; from now on only the disk knows their names.

    Not what somebody else has marked, and perhaps accepted once more since, with another folder in the stage.
    """
    roots = connection.roots
    for entry in published:
        connection.execute(_PUBLISH, (at, entry.id, roots.relative(entry.stage)))
        if targets := targets_of(entry, roots):
            connection.execute(f"{_GIVE_UP} ({', '.join('?' * len(targets))})", (entry.id, *targets))


def prunable(connection: Any, process: str, before: datetime) -> list[int]:
    """Return the rows received before a time of which nothing is left to be done.

    It reads whatever is older: for seconds in a long trail, so no writer waits for it.
    """
    found = connection.execute(
        f"SELECT rowid FROM deliveries WHERE {PRUNABLE} AND {OF_ONE}",  # noqa: S608 (our own)
        (units.stamp(before), process),
    )
    return [rowid for (rowid,) in found]


def hours(connection: Any, since: datetime) -> list[tuple[str, str, int]]:
    """Count arrivals since then by process and hour, as 2026-03-01T14.

    Of the last `COUNTED` at most.
    """
    found: list[tuple[str, str, int]] = connection.execute(
        "SELECT process, substr(received_at, 1, 13), count(*) FROM (SELECT process, received_at FROM deliveries "
        "WHERE received_at >= ? ORDER BY received_at DESC LIMIT ?) AS latest GROUP BY 1, 2",
        (units.stamp(since), COUNTED),
    ).fetchall()
    return found


def last_arrival(connection: Any, process: str) -> datetime | None:
    """Return when the last delivery of a process came for the first time."""
    found = connection.execute(
        f"SELECT received_at FROM deliveries WHERE {OF_ONE} ORDER BY received_at DESC LIMIT 1",  # noqa: S608 (our own)
        (process,),
    ).get
    return units.moment(found) if found else None


def arrivals(connection: Any, process: str, since: datetime, until: datetime, most: int) -> int:
    """Count the deliveries of a process that came in a span, up to `most`."""
    return int(
        connection.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE {OF_ONE} "  # noqa: S608 (our own)
            "AND received_at >= ? AND received_at < ? LIMIT ?) AS found",
            (process, units.stamp(since), units.stamp(until), most),
        ).get
    )


def standing(connection: Any) -> dict[str, Standing]:
    """Return each process that has something to tell."""
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
