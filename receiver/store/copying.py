"""Copies a ledger between SQLite and PostgreSQL, row by row, and verifies it.

Nobody may write meanwhile. Rows are the same texts in both, so that both have the same digest of a table.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from receiver.core.problems import Code, Problem
from receiver.store.ledger import Ledger

AT_ONCE = 1_000  # rows of one transaction: some megabytes
IN_ORDER = {"deliveries": "rowid", "audit": "rowid", "batch_records": "place"}  # what numbers rows as they came
WHOLE = ("users", "digests", "jobs", "job_items", "batch_numbers", "batches")  # sorted by all their columns
LEFT_BEHIND = ("claims", "sessions", "reservations", "hosts", "ledger_version")  # of processes, and of people at work

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Copied:
    """One table that is the same on both sides."""

    table: str
    rows: int
    sha256: str


def copy(source: Ledger, target: Ledger) -> Iterator[Copied]:
    """Copy every table to a new, empty ledger, and yield each once it is verified.

    Raises Problem, also if something is on its way to an output: `receiver recover` brings it there.
    """
    _require_settled(source)
    _require_empty(target)
    for table in (*IN_ORDER, *WHOLE):
        columns = _columns(target, table)
        for page in _pages(source, table, columns):
            _insert(target, table, columns, page)
        found, copied = _digest(source, table, columns), _digest(target, table, columns)
        if found != copied:
            raise Problem(Code.STORAGE_FAILED, f"the copy of {table} is not what was copied: remove it and begin again")
        yield Copied(table, *found)


def _require_settled(source: Ledger) -> None:
    if source.hosts and source.hosts.listed():
        raise Problem(Code.STORAGE_FAILED, "hosts are at work on that ledger: stop the service on all of them")
    unfinished = [*source.unfinished(), *(each for each in source.batches.unpublished() if each.stage)]
    if unfinished:
        detail = f"{len(unfinished)} deliveries or batches are on their way to an output: run receiver recover first"
        raise Problem(Code.STORAGE_FAILED, detail)


def _require_empty(target: Ledger) -> None:
    filled = [table for table in (*IN_ORDER, *WHOLE) if _read(target, f"SELECT 1 FROM {table} LIMIT 1")]  # noqa: S608
    if filled:
        raise Problem(Code.STORAGE_FAILED, f"the ledger to copy to is not empty: it has {', '.join(filled)}")


def _columns(ledger: Ledger, table: str) -> list[str]:
    """Return a table's columns without the row number, which each database assigns."""
    return [name for name in ledger.columns(table) if name != IN_ORDER.get(table)]


def _pages(ledger: Ledger, table: str, columns: Sequence[str]) -> Iterator[list[Row]]:
    names, key = ", ".join(columns), IN_ORDER.get(table)
    if key is None:
        yield _read(ledger, f"SELECT {names} FROM {table} ORDER BY {names}")  # noqa: S608 (our own names)
        return
    last = 0
    asked = f"SELECT {key}, {names} FROM {table} WHERE {key} > ? ORDER BY {key} LIMIT ?"  # noqa: S608 (our own names)
    while page := _read(ledger, asked, last, AT_ONCE):
        last = page[-1][0]
        yield [row[1:] for row in page]


def _read(ledger: Ledger, sql: str, *values: Any) -> list[Row]:
    found: list[Row] = ledger.connections.read(lambda connection: connection.execute(sql, values).fetchall())
    return found


def _insert(ledger: Ledger, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 (our own)
    ledger.connections.write(lambda connection: connection.executemany(sql, rows))


def _digest(ledger: Ledger, table: str, columns: Sequence[str]) -> tuple[int, str]:
    count, digest = 0, hashlib.sha256()
    for page in _pages(ledger, table, columns):
        count += len(page)
        for row in page:
            digest.update(repr(row).encode("utf-8", "surrogatepass"))
    return count, digest.hexdigest()
