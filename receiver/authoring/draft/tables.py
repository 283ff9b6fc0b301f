"""Finds tables in samples, with their own paths, apart from the fields."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from receiver.authoring.draft import xml_layouts
from receiver.authoring.draft.columns import Column, is_blank
from receiver.authoring.draft.reading import Reading, Seen
from receiver.authoring.draft.roles import Candidate, roles
from receiver.authoring.draft.rows import (
    LISTS,
    RECURRING,
    DraftedTable,
    Rows,
    by_columns,
    by_names,
    is_list,
    lists,
    path_of,
)
from receiver.authoring.draft.sources import FORMS, Sources
from receiver.authoring.draft.wanted import Wanted
from receiver.authoring.draft.words import NAMES, PLACES, likeness
from receiver.metadata import tables as metadata_tables
from receiver.metadata.fields import Layout
from receiver.metadata.tables import Table

MAX_TABLES = 8  # more is a layout that nobody meant as tables


def find(sources: Sources, reading: Reading) -> tuple[DraftedTable, ...]:
    """Return the tables of the samples, but for the fields themselves."""
    chosen: list[tuple[Rows, DraftedTable]] = []
    taken: list[Rows] = []  # lists whose items are cells
    for rows in lists(sources):
        if len(chosen) == MAX_TABLES or any(rows.steps == each.steps or rows.below(each) for each in taken):
            continue
        named = list(by_names(sources, rows))
        taken += [Rows((*rows.steps, *inner), ()) for inner, _, _ in named]
        found = [table for _, table, _ in named]
        if not found and not _are_fields(sources, rows, reading):
            found = list(by_columns(sources, rows))
        for table in found:
            outer = next((each for each, _ in reversed(chosen) if rows.below(each) and not named), None)
            name = next((table.name for each, table in chosen if each is outer), None)
            path = path_of(sources, rows.steps[len(outer.steps) :]) if outer else table.rows
            free = _free(table.name, [table.name for _, table in chosen])
            chosen.append((rows, replace(table, name=free, rows=path, within=name)))
    return tuple(_read(sources, [table for _, table in chosen]))


class Claims:
    """What stands in rows of tables, and so is no field."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._claimed: list[Rows] = []  # whose items are rows or, of cells that carry their names, cells
        for rows in lists(sources):
            if not any(rows.steps == each.steps or rows.below(each) for each in self._claimed):
                named = [Rows((*rows.steps, *inner), (), held) for inner, _, held in by_names(sources, rows)]
                self._claimed += named or ([rows] if _is_table(sources, rows) else [])

    def hold(self, candidate: Candidate) -> bool:
        """Return whether the fields would be cells, or rows."""
        if self._sources.form == "json":
            place = _plain(candidate.each)
            return any(
                f"{place}.".startswith(f"{_plain(path_of(self._sources, each.steps))}.") for each in self._claimed
            )
        fields = [f"{'/'.join(_steps_of(self._sources, each))}/" for each in self._selected(candidate)]
        claimed = tuple(f"{'/'.join(each.steps)}/" for each in self._claimed)
        return bool(fields) and all(each.startswith(claimed) for each in fields)

    def pruned(self) -> tuple[Any, ...]:
        """Return the documents without these rows, as far as they are JSON."""
        if self._sources.form == "xml":
            return self._sources.documents
        held = {id(row) for each in self._claimed for row in each.rows}
        return tuple(_without(document, held) for document in self._sources.documents)

    def without_rows(self, candidate: Candidate) -> Candidate:
        """Return how single values are read without those in rows."""
        outermost = [each for each in self._claimed if not any(each.below(other) for other in self._claimed)]
        if not candidate.single or self._sources.form == "json" or not outermost:
            return candidate
        claimed = {id(inner) for each in outermost for _, row in each.items for inner in row.iter()}
        if not any(id(element) in claimed for element in self._selected(candidate)):
            return candidate
        tags = " or ".join(f"ancestor-or-self::{tag}" for tag in dict.fromkeys(each.steps[-1] for each in outermost))
        return replace(candidate, each=f"{candidate.each}[not({tags})]")

    def _selected(self, candidate: Candidate) -> list[Any]:
        return [element for _, element in xml_layouts.selected(self._sources.documents, candidate.each)]


def _without(value: Any, held: set[int]) -> Any:
    if isinstance(value, dict):
        return {name: _without(each, held) for name, each in value.items()}
    if isinstance(value, list):
        return [_without(each, held) for each in value if id(each) not in held]
    return value


def _plain(path: str) -> str:
    return re.sub(r"\[[^]]*\]", "", path)


def _steps_of(sources: Sources, element: Any) -> tuple[str, ...]:
    """Return where an element stands."""
    places = xml_layouts.places(sources.documents).items()
    return next(steps for steps, items in places if any(each is element for _, each in items))


def _is_table(sources: Sources, rows: Rows) -> bool:
    """Return whether a list has columns, and is none of names with values."""
    if not list(by_columns(sources, rows)):
        return False
    every = list(LISTS[sources.form].columns_of(rows.items))
    known = roles(every, Wanted(), alone=False)
    if known is None or known.name.called() < RECURRING:
        return True
    if any(likeness(word, NAMES) for word in re.split("[./]", known.name.path)):
        return False
    return any(_tells(each) for each in every if each not in (known.name, known.value, known.confidence))


def _tells(column: Column) -> bool:
    """Return whether a column has content of its own.

    Fields have a name, a value, and where that was read.
    """
    place = likeness(column.word, PLACES) > 0 or column.counts() or column.is_key() or is_list(column)
    return not place and len(set(column.texts)) > 1


def _are_fields(sources: Sources, rows: Rows, reading: Reading) -> bool:
    """Return whether the fields stand there, or in there: each of them is no row."""
    if reading.single:
        return False
    if sources.form == "xml":
        fields = {id(each) for _, each in xml_layouts.selected(sources.documents, reading.each)}
        return any(id(inner) in fields for _, row in rows.items for inner in row.iter())
    return f"{_plain(reading.each)}.".startswith(f"{_plain(path_of(sources, rows.steps))}.")


# Cells that carry their names


# Columns


# Names, paths and what came


def _free(name: str, taken: Sequence[str]) -> str:
    numbered = (f"{name}_{number}" for number in range(2, MAX_TABLES + 2))
    return name if name not in taken else next(each for each in numbered if each not in taken)


def _read(sources: Sources, drafted: Sequence[DraftedTable]) -> Iterator[DraftedTable]:
    """Read the samples by each table; yield readable ones with the cells that came."""
    form = FORMS[sources.form]
    for each in drafted:
        compiled = [_compiled(form, drafted, table, scale=100) for table in drafted if table.within is None]
        found = [metadata_tables.read(document, form, compiled) for document in sources.documents]
        rows = [row for here in found for row in _rows_of(drafted, each, here.tables)]
        sure = [cell.confidence or 0 for here in found for cell in here.cells if cell.name.startswith(f"{each.name}.")]
        if rows and not any(here.unread for here in found):
            scale = 100 if max(sure, default=0) > 1 / 100 else 1
            yield replace(each, scale=scale, count=len(rows), seen=tuple(_seen(rows, drafted)))


def _compiled(form: Any, drafted: Sequence[DraftedTable], table: DraftedTable, scale: int) -> Table:
    inner = tuple(_compiled(form, drafted, each, scale) for each in drafted if each.within == table.name)
    cells: Any = tuple(
        metadata_tables.Column(name, form.path(value), form.path(sure) if sure else None)
        for name, (value, sure) in table.cells.columns.items()
    )
    if table.cells.each is not None:
        paths = (table.cells.each, table.cells.name, table.cells.value, table.cells.confidence or form.NO_CONFIDENCE)
        cells = Layout(*map(form.path, paths))
    return Table(table.name, form.path(table.rows), cells, scale, None, inner)


def _rows_of(drafted: Sequence[DraftedTable], table: DraftedTable, tables: Mapping[str, Any]) -> list[dict[str, Any]]:
    if table.within is None:
        return list(tables[table.name])
    outer = next(each for each in drafted if each.name == table.within)
    return [row for above in _rows_of(drafted, outer, tables) for row in above[table.name]]


def _seen(rows: Sequence[dict[str, Any]], drafted: Sequence[DraftedTable]) -> Iterator[Seen]:
    inner = {each.name for each in drafted if each.within}
    for name in dict.fromkeys(name for row in rows for name in row if name not in inner):
        values = tuple(row[name] for row in rows if name in row)
        yield Seen(name, values, len(values) == len(rows) and not all(map(is_blank, values)), repeated=False)
