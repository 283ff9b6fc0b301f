"""SQL for PostgreSQL alone, in the caller's transaction; may raise psycopg.Error.

Many transactions write at once here. What one writer at a time makes true in SQLite is made true by locks that last as
long as their transaction: of the delivery, of its sourceId, of the names that it claims; in this order, names sorted,
so that no two transactions wait for each other. What is read after the lock is what the one before has committed.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePath

from receiver.core import units
from receiver.core.delivery import Status
from receiver.core.problems import Code, Problem
from receiver.store import queries, rows
from receiver.store.entry import FIRST_ATTEMPTS, LAST_ATTEMPTS, Attempt, Entry, Unaccepted, Waiting
from receiver.store.postgres.session import Session
from receiver.store.queries import PRUNABLE, UNPUBLISHED

MOVED = "4s"  # that a folder takes to be moved and its row to be written, with others before it
LATEST = 5_000  # deliveries in quarantine that are looked at, the latest first: some 10 ms
_LAST_AT = "((attempts::json -> -1) ->> 'at') COLLATE \"C\""


def lock(session: Session, entry: Entry) -> None:
    """Lock a delivery, its sourceId and its names until the transaction ends.

    A folder that a name needs is shared with the names beside it, and with no file of that name.
    """
    claims = queries.Claims.of(entry, session.roots)
    targets, folders = set(claims.targets), set(claims.folders)
    alone = [f"id {entry.id}", f"source {entry.process} {entry.source_id}"]
    names = sorted([(key(name), name in folders - targets) for name in targets | folders])
    keys = [*((key(each), False) for each in alone), *names]
    session.execute(
        "SELECT CASE WHEN shared THEN pg_advisory_xact_lock_shared(key) ELSE pg_advisory_xact_lock(key) END "
        "FROM unnest(?::bigint[], ?::boolean[]) AS wanted (key, shared)",
        ([number for number, _ in keys], [shared for _, shared in keys]),
    ).fetchall()
    if entry.stage:
        _require_living(session, PurePath(entry.stage).parent.name)


def lock_kept(session: Session, entry: Entry) -> None:
    """Keep others from a delivery in quarantine until the transaction ends.

    Waits for who moves its folder.
    """
    session.execute(f"SET LOCAL lock_timeout = '{MOVED}'")
    lock(session, entry)


def _require_living(session: Session, incarnation: str) -> None:
    """Raise Problem if the stage's owner was given up; else lock its row."""
    if not session.execute("SELECT 1 FROM hosts WHERE incarnation = ? FOR KEY SHARE", (incarnation,)).get:
        detail = "the other hosts have given this one up, for it was not heard of: it goes on as a new one"
        raise Problem(Code.STORAGE_FAILED, detail)


def key(name: str) -> int:
    """Return the number of a lock; two names may share one, which only costs waiting."""
    return int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()[:8], signed=True)


def add(_session: Session, _row: rows.Row) -> bool:
    """Write nothing: a refused INSERT would end the transaction, so locks come first."""
    return False


def claim(session: Session, claims: queries.Claims) -> None:
    """Claim a delivery's locked names.

    A delivery keeps its claim until its files are in place. So whoever claims a name sees either the other's claim
    or its file; looking at the disk only inside of the transaction is what makes that true.

    Raises Problem if another delivery or a file has one of them.
    """
    targets = claims.targets
    ((taken, in_the_way),) = session.execute(
        "SELECT EXISTS (SELECT 1 FROM claims WHERE target = ANY(?)), EXISTS (SELECT 1 FROM claims, unnest(?::text[]) "
        "AS wanted (name) WHERE target = ANY(?) OR (target > name || '/' AND target < name || '0'))",
        (targets, targets, claims.folders),
    ).fetchall()
    if taken:
        raise queries.name_taken()
    if in_the_way:
        raise queries.folder_taken()
    queries.require_free(claims)
    session.execute("INSERT INTO claims (target, id) SELECT unnest(?::text[]), ?", (targets, claims.id))


def attempted(session: Session, id: str, attempt: Attempt) -> None:  # noqa: A002 (the column's name)
    """Add an attempt to a delivery, as `Entry.tried` does."""
    text = session.execute("SELECT attempts FROM deliveries WHERE id = ? FOR UPDATE", (id,)).get
    if text is None:
        return
    kept = json.loads(text)
    if len(kept) >= FIRST_ATTEMPTS + LAST_ATTEMPTS:
        del kept[FIRST_ATTEMPTS]
    kept.append(json.loads(rows.attempt_text(attempt)))
    session.execute(
        "UPDATE deliveries SET attempt_count = attempt_count + 1, attempts = ? WHERE id = ?",
        (rows.list_text(kept), id),
    )


def waiting(session: Session, process: str) -> list[Waiting]:
    """Return what lies in quarantine, the longest there first."""
    found = session.execute(
        f"SELECT id, status, {_LAST_AT} AS since, "  # noqa: S608 (our own)
        "(SELECT coalesce(sum((part ->> 'size')::bigint), 0) FROM json_array_elements(parts::json) AS part) "
        f"FROM deliveries WHERE status IN ('held', 'refused') AND {UNPUBLISHED} AND process = ? ORDER BY since",
        (process,),
    ).fetchall()
    return [Waiting(id_, Status(status), units.moment(since), int(size)) for id_, status, since, size in found]


def unaccepted(session: Session, since: datetime) -> list[Unaccepted]:
    """Count what is refused or held, and was sent or replayed since then."""
    found = session.execute(
        "SELECT process, status, code, count(*) FROM (SELECT process, status, code, attempts FROM deliveries "  # noqa: S608
        f"WHERE status IN ('refused', 'held') AND {UNPUBLISHED} ORDER BY rowid DESC LIMIT ?) AS latest "
        f'WHERE {_LAST_AT} >= ? GROUP BY process, status, code ORDER BY count(*) DESC, code COLLATE "C"',
        (LATEST, units.stamp(since)),
    ).fetchall()
    return [Unaccepted(process, Status(status), Code(code), count) for process, status, code, count in found]


def prune(session: Session, rowids: Sequence[int], before: datetime) -> int:
    """Forget these rows unless their deliveries came again; returns how many."""
    those = f"{PRUNABLE} AND rowid = ANY(?)"
    values = (units.stamp(before), list(rowids))
    session.execute(f"DELETE FROM digests WHERE id IN (SELECT id FROM deliveries WHERE {those})", values)  # noqa: S608 (our own)
    return session.execute(
        f"DELETE FROM deliveries WHERE {those}",  # noqa: S608 (our own)
        values,
    ).changed


def empty_log(session: Session) -> None:
    """Do nothing: the server's own VACUUM frees what was forgotten."""


def columns(session: Session, table: str) -> list[str]:
    """Return the names of a table's columns, in their order."""
    asked = (
        "SELECT column_name FROM information_schema.columns "
        "WHERE table_schema = current_schema() AND table_name = ? ORDER BY ordinal_position"
    )
    return [name for (name,) in session.execute(asked, (table,)).fetchall()]


def require_sound(session: Session) -> None:
    """Do nothing: the server checks the sum of each page that it reads."""
