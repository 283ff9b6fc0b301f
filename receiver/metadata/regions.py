"""Where on a document's pages the platform has read each field, if it says so."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

from receiver.core.delivery import Region
from receiver.core.positions import pointer_to
from receiver.metadata.fields import MAX_FIELDS, Layout, Placing
from receiver.metadata.tables import Steps, Table

OVER = 0.02  # fractions of a page that a box may stand out of it: skewed scans and rounding
MAX_NUMBERS = 200  # numbers of one box: a polygon has eight as a rule


def of_fields(
    document: Any, form: ModuleType, layout: Layout, names: Mapping[str, str], placing: Placing
) -> dict[str, Region]:
    """Return where each field stands, by name; the first if it comes several times."""
    told: dict[str, Region] = {}
    found, sizes = form.fields(document, layout), _sizes(form.top(document), form, placing)
    for item in found.items[:MAX_FIELDS] if found else ():
        given, region = layout.name.find(item), _region(item, form, placing, sizes)
        if region and isinstance(given, str):
            told.setdefault(names.get(given, given), region)
    return told


def of_cells(
    document: Any, item: Any, form: ModuleType, tables: Iterable[Table], steps: Steps = ("tables",)
) -> Iterator[tuple[str, Region]]:
    """Yield a cell's place in the tables, such as /tables/items/0/sku, and on a page."""
    for table in tables:
        placing = table.placing
        sizes = _sizes(form.top(document), form, placing) if placing else []
        rows = [row for row in form.rows(item, table.rows) or () if row is not None]
        for number, row in enumerate(rows[:MAX_FIELDS]):
            here = (*steps, table.name, number)
            for name, cell in _cells(row, form, table):
                if placing and (region := _region(cell, form, placing, sizes)):
                    yield pointer_to((*here, name)), region
            yield from of_cells(document, row, form, table.inner, here)


def _cells(row: Any, form: ModuleType, table: Table) -> Iterator[tuple[str, Any]]:
    """Yield the name of each cell, and what says where it stands."""
    if isinstance(table.cells, tuple):
        yield from ((column.name, row) for column in table.cells)
    else:
        for cell in form.cells(row, table.cells.each) or ():
            if isinstance(name := table.cells.name.find(cell), str):
                yield name, cell


def _sizes(top: Any, form: ModuleType, placing: Placing) -> list[float]:
    return list(form.numbers(top, placing.size)) if placing.size else [1.0, 1.0]


def _region(item: Any, form: ModuleType, placing: Placing, sizes: Sequence[float]) -> Region | None:
    """Return a box as fractions of its page; None if it is no box, or outside."""
    pages, box = (list(form.numbers(item, path)) for path in (placing.page, placing.box))
    if len(pages) != 1 or len(box) < 4 or len(box) % 2 or len(box) > MAX_NUMBERS:
        return None
    (page,) = pages
    if page < 1 or not page.is_integer():
        return None
    at = 0 if len(sizes) == 2 else 2 * (int(page) - 1)
    if len(sizes) < at + 2 or sizes[at] <= 0 or sizes[at + 1] == 0:
        return None
    across = [each / sizes[at] for each in box[::2]]
    down = [each / sizes[at + 1] for each in box[1::2]]
    if sizes[at + 1] < 0:  # the box counts from the lower edge, as PDF itself does
        down = [1 + each for each in down]
    edges = min(across), min(down), max(across), max(down)
    if min(edges) < -OVER or max(edges) > 1 + OVER or edges[0] == edges[2] or edges[1] == edges[3]:
        return None
    left, top, right, bottom = (round(min(max(edge, 0.0), 1.0), 4) for edge in edges)
    return Region(int(page), ((left, top, right, bottom),))
