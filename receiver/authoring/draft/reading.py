"""What the samples say: where the fields are, and what came under each name."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, Protocol

from receiver.authoring.draft import json_layouts, xml_layouts
from receiver.authoring.draft.columns import Column, can_be_id, likeliest, likeliest_name, number
from receiver.authoring.draft.roles import Candidate
from receiver.authoring.draft.sources import FORMS, Sources, UnusableError
from receiver.authoring.draft.wanted import NONE, Wanted, WrongOptionError, listed
from receiver.metadata import json, regions
from receiver.metadata.fields import Absent, Layout, Placing, source_id_fault
from receiver.schemas.folder import Schemas

LAYOUTS: dict[str, Any] = {"json": json_layouts, "xml": xml_layouts}
OWNERS = ("", "value.", "content.")  # what has the place, seen from a field
PLACES = (  # page, box and size, as platforms send them
    # Azure Document Intelligence
    ("{}boundingRegions[0].pageNumber", "{}boundingRegions[0].polygon", "analyzeResult.pages[].[width, height]"),
    ("{}boundingRegions[0].pageNumber", "{}boundingRegions[0].polygon", "pages[].[width, height]"),
    (  # Google Document AI
        "sum([to_number({}pageAnchor.pageRefs[0].page || `0`), `1`])",
        "{}pageAnchor.pageRefs[0].boundingPoly.normalizedVertices[].[x || `0`, y || `0`]",
        None,
    ),
    ("sum([{}page_id, `1`])", "{}polygon", None),  # Mindee
    ("{}page", "{}box", None),
    ("{}page", "{}position", None),
)
NEXTSTEP = {"json": "nextstep-metadata.schema.json", "xml": "nextstep-metadata.xsd"}


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that came under one field's name."""

    name: str
    values: tuple[Any, ...]
    always: bool  # in every sample, and not only empty
    repeated: bool  # more than once in one of them


@dataclass(frozen=True, slots=True)
class Reading:
    """How the samples are read, and what they say."""

    known: str | None  # the shipped schema that they satisfy
    each: str
    name: str
    value: str
    confidence: str | None
    scale: int
    source_id: str
    fields: tuple[Seen, ...]
    single: bool  # mere single values, each taken for a field
    left_out: tuple[str, ...]  # paths of single values of which nothing is told
    place: tuple[str, str, str | None] | None  # of a field on its page: the paths to page, box and size


class Claims(Protocol):
    """What stands in rows of tables, and so is no field."""

    def hold(self, candidate: Candidate) -> bool: ...
    def pruned(self) -> tuple[Any, ...]: ...
    def without_rows(self, candidate: Candidate) -> Candidate: ...


def read(sources: Sources, shipped: Path, wanted: Wanted, claims: Claims) -> Reading:
    """Find the fields in the samples; `shipped` holds the schemas of known shapes.

    Raises `UnusableError`, `WrongOptionError`.
    """
    wanted.prove(FORMS[sources.form])
    known = None if wanted.of_fields() else _known(sources, shipped)
    chosen = known or claims.without_rows(_likeliest(sources, wanted, claims))
    source_id = "sourceId" if known and not wanted.source_id else _source_id(sources, chosen, wanted)
    fields, confidences = _gathered(sources, chosen)
    if wanted.confidence and wanted.confidence != NONE and not _are_sure(confidences):
        below = LAYOUTS[sources.form].below(sources.documents, chosen.each)
        raise WrongOptionError("confidence", f"no numbers from 0 to 100 stand there; below each field: {listed(below)}")
    numbers = [float(each) for each in confidences if _is_number(each)]
    scale = 100 if max(numbers, default=0) > 1 else 1
    name = NEXTSTEP[sources.form] if known else None
    confidence = chosen.confidence or _other_than_the_default(sources, chosen)
    paths = (chosen.each, chosen.name, chosen.value, confidence, scale, source_id)
    left_out = LAYOUTS[sources.form].left_out(sources.documents, chosen, source_id)
    return Reading(name, *paths, fields, chosen.single, tuple(left_out), _place(sources, chosen))


def _place(sources: Sources, chosen: Candidate) -> tuple[str, str, str | None] | None:
    """Return the paths to fields' places on a page; None unless each sample has them."""
    if sources.form != "json":
        return None
    each, name = json.path(chosen.each), json.path(chosen.name)
    layout = Layout(each, name, name, name)
    for owner, (page, box, size) in product(OWNERS, PLACES):
        paths = page.format(owner), box.format(owner), size
        placing = Placing(json.path(paths[0]), json.path(paths[1]), json.path(size) if size else None)
        if all(regions.of_fields(document, json, layout, {}, placing) for document in sources.documents):
            return paths
    return None


def _source_id(sources: Sources, chosen: Candidate, wanted: Wanted) -> str:
    form, layout = FORMS[sources.form], LAYOUTS[sources.form]
    every = list(layout.outside(sources.documents, chosen))
    if wanted.source_id:
        path = form.path(wanted.source_id)
        faults = (source_id_fault(form.source_id(document, path)) for document in sources.documents)
        if fault := next(filter(None, faults), ""):
            raise WrongOptionError("source_id", f"{fault}; single values stand at {_possible(every, sources)}")
        return wanted.source_id
    count = len(sources.documents)
    found = likeliest(every, count, by_shape=not chosen.single) or _among_the_fields(sources, chosen)
    if found is None:
        raise UnusableError(
            "nothing in the metadata looks like the document's own id, which every delivery needs: say where it "
            f"stands with --source-id PATH; single values stand at {_possible(every, sources)}"
        )
    return found


def _possible(every: Sequence[Column], sources: Sources) -> str:
    return listed([each.path for each in every if can_be_id(each, len(sources.documents))])


def _among_the_fields(sources: Sources, chosen: Candidate) -> str | None:
    """Return the path of the id where it is one of the fields."""
    if chosen.single:
        return None
    raws = (raw for document in sources.documents for raw in _raw(sources, document, chosen))
    name = likeliest_name(name for name, _, _ in raws if isinstance(name, str))
    return LAYOUTS[sources.form].named(chosen, name) if name else None


def _are_sure(confidences: Sequence[Any]) -> bool:
    numbers = [float(each) for each in confidences if _is_number(each)]
    return 0 < len(numbers) == len(confidences) and all(0 <= each <= 100 for each in numbers)


def _is_number(value: Any) -> bool:
    return number(value) is not None


def _other_than_the_default(sources: Sources, chosen: Candidate) -> str | None:
    """Return a path to nothing if the default one leads to what is no confidence."""
    form = FORMS[sources.form]
    default = replace(chosen, confidence=form.CONFIDENCE)
    found = [sure for document in sources.documents for _, _, sure in _raw(sources, document, default)]
    return None if all(sure is None or isinstance(sure, Absent) for sure in found) else form.NO_CONFIDENCE


def _known(sources: Sources, shipped: Path) -> Candidate | None:
    """Return NEXTSTEP's own layout if all samples satisfy its schema and have fields."""
    schemas, form = Schemas(shipped, shipped), FORMS[sources.form]
    schema: Any = form.schema(schemas, NEXTSTEP[sources.form])
    if any(schema.violations(form.judged(document)) for document in sources.documents):
        return None
    return Candidate(form.EACH, form.FIELD_NAME, form.VALUE, form.CONFIDENCE, 0)


def _likeliest(sources: Sources, wanted: Wanted, claims: Claims) -> Candidate:
    """Return the likeliest layout that reads every sample.

    Rows of tables are used only if nothing else reads them.
    """
    layout = LAYOUTS[sources.form]
    documents = sources.documents if wanted.of_fields() else claims.pruned()
    candidates: list[Candidate] = sorted(
        layout.found(documents, wanted), key=lambda each: (-each.likely, each.each.count("."))
    )
    if not wanted.of_fields():
        candidates.sort(key=claims.hold)
    for each in candidates:
        if all(_reads(sources, document, each) for document in sources.documents):
            return each
    where = listed(layout.repeated(sources.documents))
    if wanted.fields:
        below = layout.below(sources.documents, wanted.fields)
        inner = [option for option in wanted.of_fields() if option != "fields"]
        told = f"below each field stand {listed(below)}" if below else f"nothing like fields; what repeats: {where}"
        raise WrongOptionError(inner[0] if inner and below else "fields", f"no names with values are found: {told}")
    if wanted.of_fields():
        raise WrongOptionError(wanted.of_fields()[0], f"no names with values are found with it; what repeats: {where}")
    raise UnusableError(
        "no fields are found in the metadata: nothing in it looks like names with values; "
        f"say where they stand with --fields, --name and --value (what repeats: {where})"
    )


def _reads(sources: Sources, document: object, candidate: Candidate) -> bool:
    found = list(_raw(sources, document, candidate))
    return bool(found) and all(isinstance(name, str) and name.strip() for name, _, _ in found)


def _raw(sources: Sources, document: object, candidate: Candidate) -> Iterator[tuple[Any, Any, Any]]:
    form = FORMS[sources.form]
    paths = (candidate.each, candidate.name, candidate.value, candidate.confidence or form.NO_CONFIDENCE)
    layout = Layout(*map(form.path, paths))
    found = form.fields(document, layout)
    for name, value, confidence in layout.read(found.items if found else ()):
        if not isinstance(value, Absent):
            yield name, value, confidence


def _gathered(sources: Sources, candidate: Candidate) -> tuple[tuple[Seen, ...], list[Any]]:
    values: dict[str, list[Any]] = {}
    samples: Counter[str] = Counter()
    repeated: set[str] = set()
    confidences: list[Any] = []
    for document in sources.documents:
        here = [(name, value, sure) for name, value, sure in _raw(sources, document, candidate)]
        counts = Counter(name for name, value, _ in here if value is not None)  # null: as if it had not come
        samples.update(counts.keys())
        repeated |= {name for name, count in counts.items() if count > 1}
        for name, value, sure in here:
            values.setdefault(name, []).extend([] if value is None else [value])
            confidences += [] if sure is None or sure == "" or isinstance(sure, Absent) else [sure]
    total = len(sources.documents)
    seen = (
        Seen(name, tuple(each), samples[name] == total and not all(map(_is_empty, each)), name in repeated)
        for name, each in values.items()
        if not each or not all(map(_holds_rows, each))
    )
    return tuple(seen), confidences


def _holds_rows(value: Any) -> bool:
    """Return whether a value is or contains rows; no record prints those as a field."""
    members = value.values() if isinstance(value, dict) else (value,)
    return any(isinstance(each, list) and any(isinstance(row, dict) for row in each) for each in members)


def _is_empty(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, str) and not value.strip())
