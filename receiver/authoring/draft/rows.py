"""Finds rows in samples of any shape: neighbours with the same cells."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from receiver.authoring.draft import json_layouts, xml_layouts
from receiver.authoring.draft.columns import Column
from receiver.authoring.draft.reading import Seen
from receiver.authoring.draft.roles import confidence, roles, value_of
from receiver.authoring.draft.sources import FORMS, Sources
from receiver.authoring.draft.wanted import Wanted
from receiver.authoring.draft.words import CONFIDENCES, PARTLY, PLACES, VALUES, likeness

RECURRING = 0.5  # of the names of cells: as many are in two rows of one document, or they are no rows
DISTINCT = 0.9  # of the names within one row
FEWEST = 2  # rows, and cells of a row: one of either is a list of values
CELLS = 4  # that a row says of its own where it also tells its place on a page: a word that was read has fewer
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
    """The cells of a row: by their names, or one path each to value and confidence."""

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
class Rows:
    """What may be the rows of a table."""

    steps: tuple[str, ...]
    items: Items
    holding: tuple[Any, ...] = ()  # of cells that carry their names: the rows that hold them

    @property
    def rows(self) -> list[Any]:
        """Return the rows of all samples."""
        return [*self.holding, *(row for _, row in self.items)]

    def below(self, other: "Rows") -> bool:
        return len(self.steps) > len(other.steps) and self.steps[: len(other.steps)] == other.steps


def lists(sources: Sources) -> Iterator[Rows]:
    """Yield what stands several times beside each other, the outermost first."""
    gathered: dict[tuple[str, ...], list[tuple[int, Any]]] = {}
    if sources.form == "json":
        for steps, lists in json_layouts.places(sources.documents, list, Wanted()).items():
            if any(len(each) >= FEWEST for _, each in lists):
                gathered[(*steps, "[]")] = [(number, row) for number, each in lists for row in each]
    else:
        places = xml_layouts.places(sources.documents).items()
        gathered = {steps: items for steps, items in places if steps and not xml_layouts.are_alone(items)}
    for steps in sorted(gathered, key=len):
        words = [step for step in steps if step != "[]"]
        items = gathered[steps]
        if words[-1:] and words[-1] not in OF_A_PAGE and all(_is_object(row) for _, row in items):
            yield Rows(steps, items)


def _is_object(row: Any) -> bool:
    return isinstance(row, dict) or hasattr(row, "attrib")


def by_names(sources: Sources, rows: Rows) -> Iterator[tuple[tuple[str, ...], DraftedTable, tuple[Any, ...]]]:
    """Yield tables whose rows hold lists of names with values, with steps and rows."""
    for inner in dict.fromkeys(step for _, row in rows.items for step in _inner(row)):
        held = [(number, row, _held(row, inner)) for number, row in rows.items if _held(row, inner)]
        cells = [(number, cell) for number, _, each in held for cell in each]
        if len(held) < FEWEST or not all(_is_object(cell) for _, cell in cells):
            continue
        layout = LISTS[sources.form]
        known = roles(list(layout.columns_of(cells)), Wanted(), alone=False)
        if known is None:
            continue
        names = [(number, _names(sources, each, known.name.path)) for number, _, each in held]
        if not _are_rows(names):
            continue
        value = known.value.path if known.value.everywhere or sources.form == "xml" else f"not_null({known.value.path})"
        sure = known.confidence.path if known.confidence else None
        described = Cells(path_of(sources, inner), known.name.path, value, sure)
        for kind, path in _kinds(sources, rows, [row for _, row, _ in held], described):
            yield (
                inner,
                DraftedTable(word_of(kind or rows.steps), path, None, described),
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
    return [str(form.path(path).find((cell, None) if sources.form == "xml" else cell)) for cell in cells]


def _are_rows(names: Sequence[tuple[int, list[str]]]) -> bool:
    """Return whether the rows of one document have the same names, without repeats."""
    if any(len(set(each)) < DISTINCT * len(each) for _, each in names):
        return False
    counted = Counter((number, name) for number, each in names for name in set(each))
    return len(counted) >= FEWEST and sum(count >= FEWEST for count in counted.values()) >= RECURRING * len(counted)


def _kinds(sources: Sources, rows: Rows, held: Sequence[Any], cells: Cells) -> Iterator[tuple[str, str]]:
    """Yield the kinds of rows in one list, and the path to each.

    Several tables may share a list; some entries belong to none.
    """
    path = path_of(sources, rows.steps)
    key = next((each for each in KINDS if sources.form == "json" and all(_is_kind(row, each) for row in held)), None)
    kinds = list(dict.fromkeys(row[key] for row in held)) if key else []
    if key and len(kinds) < len(held):
        whole = len(kinds) == 1 and len(held) == len(rows.items)
        for kind in kinds:
            yield kind, path if whole else _filtered(path, f"{key}=={json_layouts.literal(kind)}")
    elif sources.form == "json" and len(held) < len(rows.items):
        yield "", _filtered(path, str(cells.each))
    else:
        yield "", path


def _filtered(path: str, condition: str) -> str:
    plain = path.removesuffix("[]")
    return f"{plain}[] | [?{condition}]" if "[]" in plain else f"{plain}[?{condition}]"


def _is_kind(row: Any, key: str) -> bool:
    return isinstance(row.get(key), str) and bool(row[key].strip())


def by_columns(sources: Sources, rows: Rows) -> Iterator[DraftedTable]:
    """Yield the table whose rows have the same members, if they are rows."""
    found = [each for each in LISTS[sources.form].columns_of(rows.items) if not is_list(each)]
    placed = any(isinstance(row, dict) and row.keys() & GEOMETRY for _, row in rows.items)
    grouped_only = placed and sum(map(_is_cell, found)) < CELLS
    sure = _confidence_of_row(found) if placed and not grouped_only else None
    columns = dict(_columns([each for each in found if not sure or _is_cell(each)], grouped_only=grouped_only))
    columns = {name: (value, cell_sure or sure) for name, (value, cell_sure) in columns.items()}
    leaves = sources.form == "xml" and not any(len(row) for _, row in rows.items)
    if len(columns) >= FEWEST and not (leaves and any(each.path == "." for each in found)):
        yield DraftedTable(word_of(rows.steps), path_of(sources, rows.steps), None, Cells(columns=columns))


def _confidence_of_row(found: Sequence[Column]) -> str | None:
    """Return the path to the confidence of a whole row, if any: that of each cell."""
    known = [each.path for each in found if "." not in each.path and likeness(each.word, CONFIDENCES) > PARTLY]
    return known[0] if len(known) == 1 else None


def _is_cell(column: Column) -> bool:
    """Return whether a member of a row is a cell: not a confidence, not a place."""
    others = max(likeness(column.word, PLACES), likeness(column.word, CONFIDENCES))
    return bool(column.texts) and "." not in column.path and not others


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
    """Return the value; a known word decides, because amounts look like confidences."""
    called = max(members, key=lambda each: likeness(each.word, VALUES), default=None)
    return called if called and likeness(called.word, VALUES) > PARTLY else value_of(members, Wanted())


def _confidence(members: Sequence[Column]) -> Column | None:
    known = [each for each in members if likeness(each.word, CONFIDENCES) > 0 and each.numbers()]
    return known[0] if len(known) == 1 else confidence(members, Wanted()) if len(members) > 1 else None


def is_list(column: Column) -> bool:
    return any(isinstance(value, list | dict) for value in column.values)


def path_of(sources: Sources, steps: tuple[str, ...]) -> str:
    if sources.form == "xml":
        return "/".join(steps)
    steps = steps[1:] if steps[:1] == ("[]",) else steps
    written = json_layouts.path_of(steps)
    return written if "[]" in steps[:-1] else written.removesuffix("[]")


def word_of(found: str | Sequence[str]) -> str:
    """Make a table's name: items, line_items."""
    words = (
        [found] if isinstance(found, str) else [step for step in found if step != "[]" and step.lower() not in GENERIC]
    )
    word = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", words[-1] if words else "items")
    plain = re.sub(r"[^a-z0-9]+", "_", word.lower()).strip("_")
    return plain if re.match("[a-z]", plain) else "items"
