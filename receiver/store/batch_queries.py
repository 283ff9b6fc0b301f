"""SQL on batches for every database, as `queries.py` has it on deliveries.

A record of a batch is a row that is written with the row of its delivery, so it is in one batch exactly if the delivery
is accepted. Which batch that is, and whether the batch is full by it, is decided in the same transaction.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from receiver.core import units
from receiver.core.batches import Addition, Batch, BatchStatus
from receiver.core.delivery import Output, Record
from receiver.store.entry import Entry
from receiver.store.rows import Roots, output_of, output_to_dict

_COLUMNS = (
    *("process", "name", "number", "status", "opened_at", "closed_at", "published_at", "closed_by", "count", "size"),
    *("output", "stage_folder", "file"),
)
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM batches"  # noqa: S608 (our own names)
_KEY = "process = ? AND name = ? AND number = ?"
_MOMENTS = ("opened_at", "closed_at", "published_at")
UNPUBLISHED = "status <> 'published'"  # SQLite uses the index only for a query that repeats its condition


def select(connection: Any, where: str, *values: Any) -> list[Batch]:
    """Return batches; `where` is our own text, never data."""
    found: list[Any] = connection.execute(f"{_SELECT} {where}", values).fetchall()
    return [_batch(dict(zip(_COLUMNS, row, strict=True)), connection.roots) for row in found]


def _batch(column: dict[str, Any], roots: Roots) -> Batch:
    column |= {name: column[name] and units.moment(column[name]) for name in _MOMENTS}
    column |= {"output": roots.absolute(column["output"]), "stage": roots.absolute(column.pop("stage_folder"))}
    file = output_of(json.loads(column["file"]), roots) if column["file"] else None
    return Batch(**column | {"status": BatchStatus(column["status"]), "file": file})


def add(connection: Any, entry: Entry, at: datetime) -> None:
    """Add an accepted delivery's records to open batches, and close the full ones."""
    for addition in sorted(entry.additions, key=lambda each: each.batch):  # others may lock the same ones
        number, count, size = _room(connection, entry, addition, at)
        key = (entry.process, addition.batch, number)
        connection.executemany(
            "INSERT INTO batch_records (process, name, number, delivery, size, sha256, content, exported) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (*key, entry.id, len(each.content), sha256(each.content).hexdigest(), each.content, _encoded(each))
                for each in addition.records
            ],
        )
        count, size = count + len(addition.records), size + addition.size
        connection.execute(f"UPDATE batches SET count = ?, size = ? WHERE {_KEY}", (count, size, *key))  # noqa: S608
        if addition.closing.is_full(count, size):
            close(connection, *key, at, entry.id)


def _encoded(record: Record) -> str:
    return json.dumps(dict(record.exported), ensure_ascii=False, separators=(",", ":"))


def _room(connection: Any, entry: Entry, addition: Addition, at: datetime) -> tuple[int, int, int]:
    """Return number, count and size of the open batch for some records, or open one."""
    last = _lock(connection, entry.process, addition.batch)
    open_ = f"WHERE status = 'open' AND {UNPUBLISHED} AND process = ? AND name = ?"
    for batch in select(connection, open_, entry.process, addition.batch):
        due = addition.closing.is_due(batch.opened_at, at)
        count, size = batch.count + len(addition.records), batch.size + addition.size
        if not due and addition.closing.has_room(count, size):
            return batch.number, batch.count, batch.size
        close(connection, batch.process, batch.name, batch.number, at, entry.id)
    connection.execute(
        "UPDATE batch_numbers SET last = ? WHERE process = ? AND name = ?", (last + 1, entry.process, addition.batch)
    )
    connection.execute(
        "INSERT INTO batches (process, name, number, status, opened_at) VALUES (?, ?, ?, 'open', ?)",
        (entry.process, addition.batch, last + 1, units.stamp(at)),
    )
    return last + 1, 0, 0


def _lock(connection: Any, process: str, name: str) -> int:
    """Lock a name's batches against adding and closing until the transaction ends.

    Returns the number that was given last.
    """
    return int(
        connection.execute(
            "INSERT INTO batch_numbers (process, name, last) VALUES (?, ?, 0) "
            "ON CONFLICT (process, name) DO UPDATE SET last = batch_numbers.last RETURNING last",
            (process, name),
        ).get
    )


def close(connection: Any, process: str, name: str, number: int, at: datetime, by: str) -> bool:
    """Settle the records of a batch; False if it was not open."""
    _lock(connection, process, name)
    sql = f"UPDATE batches SET status = 'closed', closed_at = ?, closed_by = ? WHERE {_KEY} AND status = 'open'"  # noqa: S608
    return _changed(connection, sql, units.stamp(at), by, process, name, number)


def _changed(connection: Any, sql: str, *values: Any) -> bool:
    """Run an UPDATE; return whether there was a row for it."""
    return bool(connection.execute(f"{sql} RETURNING number", values).fetchall())


def commit(connection: Any, batch: Batch, entry: Entry, before: BatchStatus) -> bool:
    """Accept a batch's file, `entry` its publication; False if not in state `before`."""
    sql = f"UPDATE batches SET status = 'committed', output = ?, stage_folder = ?, file = ? WHERE {_KEY} AND status = ?"  # noqa: S608
    key, roots = (batch.process, batch.name, batch.number), connection.roots
    folders = roots.relative(entry.output), roots.relative(entry.stage)
    (file,) = entry.outputs
    return _changed(connection, sql, *folders, _file(file, roots), *key, before.value)


def _file(output: Output | None, roots: Roots) -> str:
    return json.dumps(output_to_dict(output, roots)) if output else ""


def publish(connection: Any, batch: Batch, entry: Entry, at: datetime) -> None:
    """Mark a batch as published: its records are in its file."""
    connection.execute(
        f"UPDATE batches SET status = 'published', published_at = ? WHERE {_KEY} AND status = 'committed'",  # noqa: S608
        (units.stamp(at), batch.process, batch.name, batch.number),
    )
    (file,) = entry.outputs
    target = connection.roots.relative(file.target)
    connection.execute("DELETE FROM claims WHERE target = ? AND id = ?", (target, entry.id))


def forget(connection: Any, batch: Batch, most: int) -> int:
    """Remove the contents of some records of a published batch; return of how many."""
    key = (batch.process, batch.name, batch.number)
    kept = f"SELECT place FROM batch_records WHERE {_KEY} AND content IS NOT NULL LIMIT ?"  # noqa: S608 (our own)
    found = connection.execute(kept, (*key, most)).fetchall()
    connection.executemany("UPDATE batch_records SET content = NULL, exported = NULL WHERE place = ?", found)
    return len(found)


def remembered(connection: Any) -> list[Batch]:
    """Return published batches that still have contents of records."""
    return select(
        connection,
        "WHERE status = 'published' AND (process, name, number) IN "
        "(SELECT process, name, number FROM batch_records WHERE content IS NOT NULL)",
    )


def uses_stage(connection: Any, folder: Path) -> bool:
    """Return whether a batch being published has its file in a folder of the stage."""
    return bool(
        connection.execute(
            f"SELECT EXISTS (SELECT 1 FROM batches WHERE status = 'committed' AND {UNPUBLISHED} AND stage_folder = ?)",  # noqa: S608
            (connection.roots.relative(str(folder)),),
        ).get
    )


def exported(connection: Any, batch: Batch) -> list[dict[str, str]]:
    """Return what each record of a batch exported, in their order."""
    found = connection.execute(
        f"SELECT exported FROM batch_records WHERE {_KEY} ORDER BY place",  # noqa: S608 (our own)
        (batch.process, batch.name, batch.number),
    )
    return [json.loads(text) if text else {} for (text,) in found]


def contents(connection: Any, batch: Batch, after: int, most: int) -> list[tuple[int, bytes, str]]:
    """Return place, content and SHA-256 of the next records of a batch."""
    found: list[Any] = connection.execute(
        f"SELECT place, content, sha256 FROM batch_records WHERE {_KEY} AND place > ? ORDER BY place LIMIT ?",  # noqa: S608
        (batch.process, batch.name, batch.number, after, most),
    ).fetchall()
    return found


def deliveries(connection: Any, batch: Batch) -> list[tuple[str, int, str]]:
    """Return delivery id, size and SHA-256 of each record of a batch, in order."""
    found: list[Any] = connection.execute(
        f"SELECT delivery, size, sha256 FROM batch_records WHERE {_KEY} ORDER BY place",  # noqa: S608 (our own)
        (batch.process, batch.name, batch.number),
    ).fetchall()
    return found


def of_deliveries(connection: Any, ids: Sequence[str]) -> Iterator[tuple[str, Batch]]:
    """Return the batches with records of some deliveries, each with a delivery's id."""
    names = ", ".join(f"batches.{name}" for name in _COLUMNS)
    wanted = ", ".join("?" * len(ids))
    found: list[Any] = connection.execute(
        f"SELECT DISTINCT delivery, {names} FROM batch_records JOIN batches USING (process, name, number) "  # noqa: S608
        f"WHERE delivery IN ({wanted}) ORDER BY delivery, name, number",
        tuple(ids),
    ).fetchall()
    return ((id_, _batch(dict(zip(_COLUMNS, row, strict=True)), connection.roots)) for id_, *row in found)


def complete(connection: Any, batch: Batch, records: Sequence[tuple[str, int, str]]) -> bool:
    """Write a published batch over what is known; False if that is as much or more.

    Records that are known to wait in it and were not published with it stay as they are, and so does the batch.
    """
    key = (batch.process, batch.name, batch.number)
    last = _lock(connection, batch.process, batch.name)
    known = next(iter(select(connection, f"WHERE {_KEY}", *key)), None)
    ids = {id_ for id_, _, _ in records}
    if known and (
        known.status is BatchStatus.PUBLISHED or any(id_ not in ids for id_, _, _ in deliveries(connection, batch))
    ):
        return False
    connection.execute(
        "UPDATE batch_numbers SET last = ? WHERE process = ? AND name = ?",
        (max(last, batch.number), batch.process, batch.name),
    )
    for table in ("batch_records", "batches"):
        connection.execute(f"DELETE FROM {table} WHERE {_KEY}", key)  # noqa: S608 (our own)
    values = [getattr(batch, name) for name in _COLUMNS[:-3]]
    texts = [units.stamp(each) if isinstance(each, datetime) else each for each in values]
    folders = map(connection.roots.relative, (batch.output, batch.stage))
    connection.execute(
        f"INSERT INTO batches ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})",  # noqa: S608
        (*texts, *folders, _file(batch.file, connection.roots)),
    )
    connection.executemany(
        "INSERT INTO batch_records (process, name, number, delivery, size, sha256) VALUES (?, ?, ?, ?, ?, ?)",
        [(*key, *record) for record in records],
    )
    return True


def prune(connection: Any, process: str, before: datetime) -> int:
    """Forget batches published before a time; their numbers are not used again."""
    old = "SELECT name, number FROM batches WHERE status = 'published' AND published_at < ? AND process = ?"
    found = connection.execute(old, (units.stamp(before), process)).fetchall()
    for name, number in found:
        for table in ("batch_records", "batches"):
            connection.execute(f"DELETE FROM {table} WHERE {_KEY}", (process, name, number))  # noqa: S608 (our own)
    return len(found)
