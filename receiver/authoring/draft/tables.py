"""Tables in samples of any shape: lists whose rows have the same cells, by columns or with their names."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from receiver.authoring.draft import json_layouts, xml_layouts
from receiver.authoring.draft.columns import Column, is_blank
from receiver.authoring.draft.reading import Reading, Seen
from receiver.authoring.draft.roles import Candidate, confidence, roles, value_of
from receiver.authoring.draft.sources import FORMS, Sources
from receiver.authoring.draft.wanted import Wanted
from receiver.authoring.draft.words import CONFIDENCES, NAMES, PARTLY, PLACES, VALUES, likeness
from receiver.metadata import tables as metadata_tables
from receiver.metadata.fields import Layout
from receiver.metadata.tables import Table

MAX_TABLES = 8  # more is a layout that nobody meant as tables
RECURRING = 0.5  # of the names of cells: as many are in two rows of one document, or they are no rows
DISTINCT = 0.9  # of the names within one row
FEWEST = 2  # rows, and cells of a row: one of either is a list of values
LISTS: Mapping[str, Any] = {"json": json_layouts, "xml": xml_layouts}
# what readers of characters say of a page, and not of the document
OF_A_PAGE = frozenset(
    {"pages", "words", "tokens", "symbols", "paragraphs", "styles", "spans", "blocks", "selectionMarks"}
)
GEOMETRY = frozenset({"polygon", "boundingBox", "boundingPoly", "bounding_box", "bbox", "layout", "rowIndex", "spans"})
GENERIC = frozenset(  # what lists are called that hold no one kind of thing
    {"valuearray", "values", "value", "list", "rows", "row", "children", "entities", "elements", "instances", "fields"}
    | {"data", "result", "results", "content", "document", "documents", "rootobject", "extracteddata", "transaction"}
)
KINDS = ("schema_id", "type", "name", "kind")  # a member of a row that says of which table it is

Items = Sequence[tuple[int, Any]]  # each with the number of its document


@dataclass(frozen=True, slots=True)
class Cells:
    """How the cells of a row are found: by their names, or by a path for each column: name → value and confidence."""

    each: str | None = None
    name: str = ""
    value: str = ""
    confidence: str | None = None
    columns: Mapping[str, tuple[str, str | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DraftedTable:
    """One table, and what came in its cells."""

    name: str
    rows: str
    within: str | None
    cells: Cells
    scale: int = 1
    count: int = 0  # rows of all samples
    seen: tuple[Seen, ...] = ()


@dataclass(frozen=True, slots=True)
class _Rows:
    """What may be the rows of a table."""

    steps: tuple[str, ...]
    items: Items
    holding: tuple[Any, ...] = ()  # of cells that carry their names: the rows that hold them

    @property
    def rows(self) -> list[Any]:
        """Return the rows of all samples."""
        return [*self.holding, *(row for _, row in self.items)]

    def below(self, other: "_Rows") -> bool:
        return len(self.steps) > len(other.steps) and self.steps[: len(other.steps)] == other.steps


def find(sources: Sources, reading: Reading) -> tuple[DraftedTable, ...]:
    """Return the tables of the samples, but for the fields themselves."""
    chosen: list[tuple[_Rows, DraftedTable]] = []
    taken: list[_Rows] = []  # lists whose items are cells
    for rows in _lists(sources):
        if len(chosen) == MAX_TABLES or any(rows.steps == each.steps or rows.below(each) for each in taken):
            continue
        named = list(_named(sources, rows))
        taken += [_Rows((*rows.steps, *inner), ()) for inner, _, _ in named]
        found = [table for _, table, _ in named]
        if not found and not _are_fields(sources, rows, reading):
            found = list(_flat(sources, rows))
        for table in found:
            outer = next((each for each, _ in reversed(chosen) if rows.below(each) and not named), None)
            name = next((table.name for each, table in chosen if each is outer), None)
            path = _path(sources, rows.steps[len(outer.steps) :]) if outer else table.rows
            free = _free(table.name, [table.name for _, table in chosen])
            chosen.append((rows, replace(table, name=free, rows=path, within=name)))
    return tuple(_read(sources, [table for _, table in chosen]))


class Claims:
    """What stands in rows of tables, and so is no field."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._claimed: list[_Rows] = []  # whose items are rows or, of cells that carry their names, cells
        for rows in _lists(sources):
            if not any(rows.steps == each.steps or rows.below(each) for each in self._claimed):
                named = [_Rows((*rows.steps, *inner), (), held) for inner, _, held in _named(sources, rows)]
                self._claimed += named or ([rows] if _is_table(sources, rows) else [])

    def hold(self, candidate: Candidate) -> bool:
        """Return whether the fields would be cells, or rows."""
        if self._sources.form == "json":
            place = _plain(candidate.each)
            return any(f"{place}.".startswith(f"{_plain(_path(self._sources, each.steps))}.") for each in self._claimed)
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
        return [element for _, element in xml_layouts._selected(self._sources.documents, candidate.each)]


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
    places = xml_layouts._places(sources.documents).items()
    return next(steps for steps, items in places if any(each is element for _, each in items))


def _is_table(sources: Sources, rows: _Rows) -> bool:
    """Return whether a list has columns, and is none of names with values."""
    if not list(_flat(sources, rows)):
        return False
    every = list(LISTS[sources.form]._columns(rows.items))
    known = roles(every, Wanted(), alone=False)
    if known is None or known.name.called() < RECURRING:
        return True
    if likeness(known.name.word, NAMES):
        return False
    return any(_tells(each) for each in every if each not in (known.name, known.value, known.confidence))


def _tells(column: Column) -> bool:
    """Return whether a column says something of its own: fields have a name, a value, and where that was read."""
    place = likeness(column.word, PLACES) > 0 or column.counts() or column.is_key() or _is_list(column)
    return not place and len(set(column.texts)) > 1


def _lists(sources: Sources) -> Iterator[_Rows]:
    """Yield what stands several times beside each other, the outermost first."""
    gathered: dict[tuple[str, ...], list[tuple[int, Any]]] = {}
    if sources.form == "json":
        for steps, lists in json_layouts._places(sources.documents, list, Wanted()).items():
            if any(len(each) >= FEWEST for _, each in lists):
                gathered[(*steps, "[]")] = [(number, row) for number, each in lists for row in each]
    else:
        places = xml_layouts._places(sources.documents).items()
        gathered = {steps: items for steps, items in places if steps and not xml_layouts._are_alone(items)}
    for steps in sorted(gathered, key=len):
        words = [step for step in steps if step != "[]"]
        items = gathered[steps]
        if words[-1:] and words[-1] not in OF_A_PAGE and all(_is_object(row) for _, row in items):
            yield _Rows(steps, items)


def _is_object(row: Any) -> bool:
    return isinstance(row, dict) or hasattr(row, "attrib")


def _are_fields(sources: Sources, rows: _Rows, reading: Reading) -> bool:
    """Return whether the fields stand there, or in there: each of them is no row."""
    if reading.single:
        return False
    if sources.form == "xml":
        fields = {id(each) for _, each in xml_layouts._selected(sources.documents, reading.each)}
        return any(id(inner) in fields for _, row in rows.items for inner in row.iter())
    return f"{_plain(reading.each)}.".startswith(f"{_plain(_path(sources, rows.steps))}.")


# Cells that carry their names


def _named(sources: Sources, rows: _Rows) -> Iterator[tuple[tuple[str, ...], DraftedTable, tuple[Any, ...]]]:
    """Yield tables whose rows hold lists of names with values, the steps to these lists, and the rows."""
    for inner in dict.fromkeys(step for _, row in rows.items for step in _inner(row)):
        held = [(number, row, _held(row, inner)) for number, row in rows.items if _held(row, inner)]
        cells = [(number, cell) for number, _, each in held for cell in each]
        if len(held) < FEWEST or not all(_is_object(cell) for _, cell in cells):
            continue
        layout = LISTS[sources.form]
        known = roles(list(layout._columns(cells)), Wanted(), alone=False)
        if known is None:
            continue
        names = [(number, _names(sources, each, known.name.path)) for number, _, each in held]
        if not _are_rows(names):
            continue
        value = known.value.path if known.value.everywhere or sources.form == "xml" else f"not_null({known.value.path})"
        sure = known.confidence.path if known.confidence else None
        described = Cells(_path(sources, inner), known.name.path, value, sure)
        for kind, path in _kinds(sources, rows, [row for _, row, _ in held], described):
            yield (
                inner,
                DraftedTable(_word(kind or rows.steps), path, None, described),
                tuple(row for _, row, _ in held),
            )


def _inner(row: Any) -> Iterator[tuple[str, ...]]:
    """Yield the steps from a row to each list of objects in it."""
    if isinstance(row, dict):
        for key, value in row.items():
            if isinstance(value, list) and value:
                yield (key,)
            elif isinstance(value, dict):
                yield from ((key, inner) for inner, each in value.items() if isinstance(each, list) and each)
    else:
        yield from ((tag,) for tag in dict.fromkeys(child.tag for child in row))


def _held(row: Any, steps: tuple[str, ...]) -> list[Any]:
    if not isinstance(row, dict):
        return row.findall("/".join(steps)) if row is not None else []
    for step in steps:
        row = row.get(step) if isinstance(row, dict) else None
    return row if isinstance(row, list) else []


def _names(sources: Sources, cells: Sequence[Any], path: str) -> list[str]:
    form = FORMS[sources.form]
    return [str(form.path(path).find(form.Item(cell, None) if sources.form == "xml" else cell)) for cell in cells]


def _are_rows(names: Sequence[tuple[int, list[str]]]) -> bool:
    """Return whether rows of one document have the same names, and each of them different ones."""
    if any(len(set(each)) < DISTINCT * len(each) for _, each in names):
        return False
    counted = Counter((number, name) for number, each in names for name in set(each))
    return len(counted) >= FEWEST and sum(count >= FEWEST for count in counted.values()) >= RECURRING * len(counted)


def _kinds(sources: Sources, rows: _Rows, held: Sequence[Any], cells: Cells) -> Iterator[tuple[str, str]]:
    """Yield what the rows are called, and the path to those: several tables may stand in one list, and what is none."""
    path = _path(sources, rows.steps)
    key = next((each for each in KINDS if sources.form == "json" and all(_is_kind(row, each) for row in held)), None)
    kinds = list(dict.fromkeys(row[key] for row in held)) if key else []
    if key and len(kinds) < len(held):
        whole = len(kinds) == 1 and len(held) == len(rows.items)
        for kind in kinds:
            yield kind, path if whole else _filtered(path, f"{key}=={json_layouts._literal(kind)}")
    elif sources.form == "json" and len(held) < len(rows.items):
        yield "", _filtered(path, str(cells.each))
    else:
        yield "", path


def _filtered(path: str, condition: str) -> str:
    plain = path.removesuffix("[]")
    return f"{plain}[] | [?{condition}]" if "[]" in plain else f"{plain}[?{condition}]"


def _is_kind(row: Any, key: str) -> bool:
    return isinstance(row.get(key), str) and bool(row[key].strip())


# Columns


def _flat(sources: Sources, rows: _Rows) -> Iterator[DraftedTable]:
    """Yield the table whose rows have the same members, if they are rows."""
    grouped_only = any(isinstance(row, dict) and row.keys() & GEOMETRY for _, row in rows.items)
    found = [each for each in LISTS[sources.form]._columns(rows.items) if not _is_list(each)]
    columns = dict(_columns(found, grouped_only=grouped_only))
    leaves = sources.form == "xml" and not any(len(row) for _, row in rows.items)
    if len(columns) >= FEWEST and not (leaves and any(each.path == "." for each in found)):
        yield DraftedTable(_word(rows.steps), _path(sources, rows.steps), None, Cells(columns=columns))


def _columns(found: Sequence[Column], *, grouped_only: bool) -> Iterator[tuple[str, tuple[str, str | None]]]:
    """Yield the name of each column, and the paths to its value and its confidence."""
    groups: dict[str, list[Column]] = {}
    by_path = {each.path: [each] for each in found}
    for each in found:
        groups.setdefault(re.sub(r"[./]?[^./]+$", "", each.path), []).append(each)
    measured = {
        owner: (value, sure)
        for owner, members in groups.items()
        if owner and (sure := _confidence(members))
        if (value := _value([each for each in (*members, *by_path.get(owner, ())) if each is not sure]))
    }
    with_own = {value.path for value, _ in measured.values()}  # an element's text, measured by its attribute
    names: Counter[str] = Counter()
    for owner, members in groups.items():
        if owner in measured:
            value, sure = measured[owner]
            chosen: list[tuple[str, str, str | None]] = [(re.split(r"[./]", owner)[-1], value.path, sure.path)]
        else:
            of_row = not owner and measured.keys() - by_path.keys()  # said of the row itself, where cells are objects
            plain = [each for each in members if each.texts and each.path not in with_own]
            plain = [] if grouped_only or of_row else plain
            chosen = [(each.word, each.path, None) for each in plain]
        for name, path, sure_path in chosen:
            names[name] += 1
            yield (name if names[name] == 1 else f"{name}_{names[name]}"), (path, sure_path)


def _value(members: Sequence[Column]) -> Column | None:
    """Return the value: by its word if that is one, for amounts look like confidences."""
    called = max(members, key=lambda each: likeness(each.word, VALUES), default=None)
    return called if called and likeness(called.word, VALUES) > PARTLY else value_of(members, Wanted())


def _confidence(members: Sequence[Column]) -> Column | None:
    known = [each for each in members if likeness(each.word, CONFIDENCES) > 0 and each.numbers()]
    return known[0] if len(known) == 1 else confidence(members, Wanted()) if len(members) > 1 else None


def _is_list(column: Column) -> bool:
    return any(isinstance(value, list | dict) for value in column.values)


# Names, paths and what came


def _path(sources: Sources, steps: tuple[str, ...]) -> str:
    if sources.form == "xml":
        return "/".join(steps)
    steps = steps[1:] if steps[:1] == ("[]",) else steps
    written = json_layouts._written(steps)
    return written if "[]" in steps[:-1] else written.removesuffix("[]")


def _word(found: str | Sequence[str]) -> str:
    """Make a table's name: items, line_items."""
    words = (
        [found] if isinstance(found, str) else [step for step in found if step != "[]" and step.lower() not in GENERIC]
    )
    word = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", words[-1] if words else "items")
    plain = re.sub(r"[^a-z0-9]+", "_", word.lower()).strip("_")
    return plain if re.match("[a-z]", plain) else "items"


def _free(name: str, taken: Sequence[str]) -> str:
    numbered = (f"{name}_{number}" for number in range(2, MAX_TABLES + 2))
    return name if name not in taken else next(each for each in numbered if each not in taken)


def _read(sources: Sources, drafted: Sequence[DraftedTable]) -> Iterator[DraftedTable]:
    """Read the samples by each table, and yield those that can be read, with what came in their cells."""
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
