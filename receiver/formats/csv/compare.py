"""CSV, by row and by the column's name in the first row: `row 2, mrn`."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from itertools import zip_longest

from receiver.formats import differences
from receiver.formats.differences import aligned

DELIMITERS = ",;|\t"  # those that a template can declare

Row = Sequence[str]


def compare(expected: str, got: str, delimiter: str | None = None) -> Iterator[str]:
    """Yield the differences of two tables; without a delimiter it is guessed.

    Raises ValueError for what is none.
    """
    try:
        one, other = _rows(expected, delimiter), _rows(got, delimiter)
    except csv.Error:
        raise ValueError("not a table") from None
    if not one or not other:
        raise ValueError("no rows")
    if len(one) < 2 or len(set(one[0])) < len(one[0]) or len(set(other[0])) < len(other[0]):
        return _plain(one, other)
    return _named(one, other)


def _rows(text: str, delimiter: str | None) -> list[list[str]]:
    delimiter = delimiter or max(DELIMITERS, key=text.partition("\n")[0].count)
    return [row for row in csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True) if row]


def _plain(one: Sequence[Row], other: Sequence[Row]) -> Iterator[str]:
    """Compare tables without names for their columns."""
    for number, (a, b) in enumerate(zip_longest(one, other, fillvalue=()), 1):
        if not a or not b:
            yield _row(number, a, b)
            continue
        for column, (cell, found) in enumerate(zip_longest(a, b, fillvalue=""), 1):
            if cell != found:
                yield differences.values(f"row {number}, column {column}", cell, found)


def _named(one: Sequence[Row], other: Sequence[Row]) -> Iterator[str]:
    """Compare tables by the names of their columns: one more column is reported once."""
    names, found = one[0], other[0]
    for name in dict.fromkeys([*names, *found]):
        if name not in found:
            yield differences.missing("row 1", f"the column {differences.quoted(name)}")
        elif name not in names:
            yield differences.surplus("row 1", f"the column {differences.quoted(name)}")
    if set(names) == set(found) and list(names) != list(found):
        yield differences.changed("row 1", ", ".join(names), ", ".join(found))
    rows, others = one[1:], other[1:]
    for a, b in aligned(rows, others, tuple, lambda _row: None):
        if a is not None and b is not None:
            cells = dict(zip(found, others[b], strict=False))
            yield from _cells(f"row {a + 2}", dict(zip(names, rows[a], strict=False)), cells)
        elif a is not None:
            yield _row(a + 2, rows[a], ())
        elif b is not None:
            yield _row(b + 2, (), others[b])


def _cells(where: str, one: Mapping[str, str], other: Mapping[str, str]) -> Iterator[str]:
    for name, cell in one.items():
        if name in other and other[name] != cell:
            yield differences.values(f"{where}, {name}", cell, other[name])


def _row(number: int, one: Row, other: Row) -> str:
    if one:
        return differences.missing(f"row {number}", differences.quoted(", ".join(one)))
    return differences.surplus(f"row {number}", differences.quoted(", ".join(other)))
