"""Tables: rows of cells in the metadata, such as invoice lines.

A row's cells are found in one of two ways: as a list of cells that carry their names, or by a path for each column.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType, ModuleType
from typing import Any, NamedTuple

from receiver.core.delivery import Cell, Row
from receiver.core.positions import pointed_names
from receiver.core.problems import Violation
from receiver.metadata.fields import (
    MAX_VIOLATIONS,
    Absent,
    Layout,
    Path,
    Placing,
    WrongConfidenceError,
    name_fault,
    read_confidence,
    typed,
)
from receiver.schemas import words
from receiver.schemas.json_explain import pointer
from receiver.schemas.json_schema import JsonSchema

MAX_ROWS = 10_000  # rows of all tables of one document: an invoice has hundreds; so many records may be made of one
MAX_CELLS = 100_000  # cells of all its tables: reading them takes half a second

CELL = "/tables/"  # how the place of a cell begins that is corrected

Steps = tuple[str | int, ...]  # to a row or cell: ("tables", "items", 3, "sku")


class Column(NamedTuple):
    """Where one cell of a row stands, seen from the row."""

    name: str
    value: Path
    confidence: Path | None


@dataclass(frozen=True, slots=True)
class Table:
    """Where the rows of one table stand, and what they must be."""

    name: str
    rows: Path  # from the document; from a row for a table within another one
    cells: Layout | tuple[Column, ...]
    scale: float  # what the platform's full confidence is written as
    schema: JsonSchema | None  # of one row
    inner: tuple["Table", ...] = ()  # tables within each row
    known: frozenset[str] = frozenset()  # names of cells that may be shown; any other may be data
    placing: Placing | None = None  # where a cell, or by `columns` a row, says where on a page it was read

    @property
    def has_places(self) -> bool:
        """Return whether its cells, or those within them, may have a place on a page."""
        return self.placing is not None or any(table.has_places for table in self.inner)

    @property
    def listed(self) -> tuple[str, ...]:
        """Return the cells that are configured, by columns or by the schema of a row."""
        if isinstance(self.cells, tuple):
            return tuple(column.name for column in self.cells)
        return self.schema.properties if self.schema else ()


@dataclass(slots=True)
class Rows:
    """The tables of one document, and what is wrong with them."""

    tables: dict[str, list[Row]] = field(default_factory=dict)
    cells: list[Cell] = field(default_factory=list)
    unread: list[Violation] = field(default_factory=list)  # rows and cells that cannot be read
    invalid: list[Violation] = field(default_factory=list)  # rows that do not satisfy their schema
    rows: int = 0

    @property
    def full(self) -> bool:
        """Return whether to stop reading rows: at the limits, or with enough violations."""
        wrong = len(self.unread) + len(self.invalid)
        return self.rows > MAX_ROWS or len(self.cells) > MAX_CELLS or wrong >= MAX_VIOLATIONS


def read(
    document: Any, form: ModuleType, tables: Iterable[Table], corrections: Mapping[str, str] = MappingProxyType({})
) -> Rows:
    """Read every table.

    What cannot be read is a violation and left out; cells without a value are left out, too.

    `corrections` are values that a person puts in the place of cells, by the JSON Pointers to these.
    """
    steps = {tuple(pointed_names(place)): text for place, text in corrections.items() if place.startswith(CELL)}
    work = _Reading(form, steps)
    for table in tables:
        work.found.tables[table.name] = work.table(form.top(document), table, ("tables", table.name))
    work.judge_size()
    return work.found


def outline(item: Any, form: ModuleType, tables: Iterable[Table]) -> Iterator[Any]:
    """Yield each row's table, its cells' names and confidences, and its nested rows."""
    for table in tables:
        for row in form.rows(item, table.rows) or ():
            if row is not None:
                cells = _as_they_stand(row, form, table)
                found = [(str(name), str(sure)) for name, value, sure in cells if not _is_nothing(value)]
                yield table.name, found, list(outline(row, form, table.inner))


def _is_nothing(value: Any) -> bool:
    return value is None or value is Absent.MISSING


def _as_they_stand(row: Any, form: ModuleType, table: Table) -> list[tuple[Any, Any, Any]]:
    if isinstance(table.cells, tuple):
        return [
            (each.name, each.value.find(row), each.confidence and each.confidence.find(row)) for each in table.cells
        ]
    return list(table.cells.read(form.cells(row, table.cells.each) or ()))


class _Reading:
    """Reads tables of one form of metadata, and gathers what is found."""

    def __init__(self, form: ModuleType, corrections: Mapping[tuple[str, ...], str]) -> None:
        self.found = Rows()
        self._corrections = corrections
        self._form = form

    def judge_size(self) -> None:
        """Refuse what is over the limits, and say if reading stopped early."""
        found = self.found
        if found.rows > MAX_ROWS:
            found.unread.append(Violation("tables", "more", f"there are more than {MAX_ROWS:,} rows"))
        elif len(found.cells) > MAX_CELLS:
            found.unread.append(Violation("tables", "more", f"there are more than {MAX_CELLS:,} cells"))
        elif found.full:
            found.invalid.append(Violation("tables", "more", "so much is wrong that the rows after this are not read"))

    def table(self, item: Any, table: Table, steps: Steps) -> list[Row]:
        """Return the rows of a table; none if nothing stands at its path, or null."""
        found = self._form.rows(item, table.rows)
        if found is None:
            self._refuse(steps, "rows", f"there are no rows at {words.rule(table.rows.expression)}")
            return []
        rows: list[Row] = []
        for each in found:
            if each is None:  # a row without a value is as if it had not come, like a field
                continue
            self.found.rows += 1
            if self.found.full:
                break
            rows.append(self._row(each, table, (*steps, len(rows))))
        return rows

    def _row(self, item: Any, table: Table, steps: Steps) -> Row:
        row: Row = {}
        before = len(self.found.unread)
        for number, (name, value, sure) in enumerate(self._cells(item, table, steps), start=1):
            shown = name if name in table.known else f"(cell {number})"
            if value is None or type(value) is Absent:
                if value is Absent.SEVERAL:
                    self._refuse((*steps, shown), "value", "more than one thing stands there")
            elif name in row:
                self._refuse((*steps, shown), "repeated", "the row has this cell more than once")
            else:
                row[name] = value
                confidence = self._confidence(sure, table, (*steps, shown))
                self.found.cells.append(Cell((*steps, name), shown, f"{table.name}.{name}", confidence))
        if self._corrections:
            self._correct(row, table, steps)
        if table.schema and len(self.found.unread) == before:  # what could not be read would be called missing
            self._judge(row, table.schema, steps, table.known)
        for inner in table.inner:
            row[inner.name] = self.table(item, inner, (*steps, inner.name))
        return row

    def _correct(self, row: Row, table: Table, steps: Steps) -> None:
        """Put corrected values in a row's cells, also in missing ones; they are sure."""
        here = list(map(str, steps))
        for (*place, name), text in self._corrections.items():
            if place == here:
                row[name] = typed(text, row.get(name))
                cell = Cell((*steps, name), name, f"{table.name}.{name}", 1.0)
                self.found.cells = [each for each in self.found.cells if each.steps != cell.steps] + [cell]

    def _cells(self, item: Any, table: Table, steps: Steps) -> Iterator[tuple[str, Any, Any]]:
        """Yield name, value and confidence of each cell of a row, as they are."""
        if isinstance(table.cells, tuple):
            yield from _as_they_stand(item, self._form, table)
            return
        found = self._form.cells(item, table.cells.each)
        if found is None:
            self._refuse(steps, "cells", f"there are no cells at {words.rule(table.cells.each.expression)}")
            return
        inner = {each.name for each in table.inner}
        for number, (name, value, sure) in enumerate(table.cells.read(found), start=1):
            if fault := name_fault(name, table.cells.name):
                self._refuse((*steps, f"(cell {number})"), "name", fault)
            elif name not in inner:  # the rows of a table within this one
                yield name, value, sure

    def _confidence(self, sure: Any, table: Table, steps: Steps) -> float | None:
        try:
            return read_confidence(sure, table.scale)
        except WrongConfidenceError as error:
            self._refuse(steps, "confidence", error.message)
            return None

    def _judge(self, row: Mapping[str, Any], schema: JsonSchema, steps: Steps, known: frozenset[str]) -> None:
        def place(name: str) -> str:
            return _where((*steps, name if name in known else f"(cell {list(row).index(name) + 1})"))

        self.found.invalid += schema.violations(row, _where(steps), place)

    def _refuse(self, steps: Steps, rule: str, message: str) -> None:
        self.found.unread.append(Violation(_where(steps), rule, message))


def _where(steps: Steps) -> str:
    return pointer(steps)[1:]
