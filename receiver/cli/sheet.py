"""What the ledger says of deliveries, as CSV (RFC 4180) for a spreadsheet: one row for each."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from receiver.cli.telling import told
from receiver.store.entry import Entry

Row = Mapping[str, Any]  # as `telling.told` makes it
FORMULA = frozenset("=+-@\t\r")  # what a spreadsheet takes for the start of one (OWASP ASVS 5.0, 1.2.10)


def lines(entries: Iterable[Entry]) -> Iterator[str]:
    """Yield the heading and then each delivery, as lines that end with CRLF."""
    yield _line(COLUMNS)
    for entry in entries:
        row = told(entry)
        yield _line(cell(row) for cell in COLUMNS.values())


def _line(cells: Iterable[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(map(_guarded, cells))
    return written.getvalue()


def _guarded(cell: str) -> str:
    """Put a ' before what a spreadsheet would work out: a sourceId is the sender's own words."""
    return f"'{cell}" if cell.lstrip(" ")[:1] in FORMULA and cell else cell


def _plain(name: str) -> Callable[[Row], str]:
    return lambda row: "" if row[name] is None else str(row[name])


def _each(name: str, *keys: str) -> Callable[[Row], str]:
    """Return what writes several things into one cell, each with what is known of it in this order."""
    return lambda row: "; ".join(" ".join(str(item[key]) for key in keys if item[key] != "") for item in row[name])


_SINGLE = (
    *("id", "process", "sourceId", "version", "status", "code", "receivedAt", "committedAt", "publishedAt"),
    *("peer", "configuration"),
)
_FILE = ("path", "size", "sha256")

COLUMNS: Mapping[str, Callable[[Row], str]] = {
    **{name: _plain(name) for name in _SINGLE},
    "parts": _each("parts", "role", "name", "type", "size", "sha256"),
    "documents": _each("documents", *_FILE),
    "records": _each("records", *_FILE),
    "marker": _each("marker", *_FILE),
    "originals": _each("originals", "target"),
    "violations": _each("violations", "where", "rule", "message"),
    "attempts": _each("attempts", "at", "outcome", "code", "peer", "note"),
    "attemptCount": _plain("attemptCount"),
}
