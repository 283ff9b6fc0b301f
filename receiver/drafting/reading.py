"""What the samples say: where the fields are, and what came under each name."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from receiver.drafting.layouts import json as json_layouts
from receiver.drafting.layouts import xml as xml_layouts
from receiver.drafting.layouts.candidate import Candidate
from receiver.drafting.sources import FORMS, Sources, Unusable
from receiver.metadata.layout import Absent, Layout
from receiver.schemas.folder import Schemas

LAYOUTS: dict[str, Any] = {"json": json_layouts, "xml": xml_layouts}
NEXTSTEP = {"json": "nextstep-metadata.schema.json", "xml": "nextstep-metadata.xsd"}
NEVER = {"json": "`null`", "xml": "@none"}  # the path of a confidence that nobody sends


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


def read(sources: Sources, shipped: Path) -> Reading:
    """Find the fields in the samples; `shipped` holds the schemas of known shapes. Raises `Unusable`."""
    known = _known(sources, shipped)
    chosen = known or _likeliest(sources)
    if chosen is None:
        raise Unusable("no fields are found in the metadata: nothing in it looks like names with values")
    source_id = "sourceId" if known else LAYOUTS[sources.form].source_id(sources.documents, chosen)
    if source_id is None:
        raise Unusable(
            "nothing in the metadata looks like the document's own id, which every delivery needs: copy the nearest "
            "process, and tell where it stands as source_id under [metadata] in its process.toml"
        )
    fields, confidences = _gathered(sources, chosen)
    scale = 100 if max(confidences, default=0) > 1 else 1
    name = NEXTSTEP[sources.form] if known else None
    confidence = chosen.confidence or _other_than_the_default(sources, chosen)
    return Reading(name, chosen.each, chosen.name, chosen.value, confidence, scale, source_id, fields)


def _other_than_the_default(sources: Sources, chosen: Candidate) -> str | None:
    """Return a path to nothing where the default one leads to what is no confidence."""
    default = replace(chosen, confidence=FORMS[sources.form].CONFIDENCE)
    found = [sure for document in sources.documents for _, _, sure in _raw(sources, document, default)]
    return None if all(sure is None or isinstance(sure, Absent) for sure in found) else NEVER[sources.form]


def _known(sources: Sources, shipped: Path) -> Candidate | None:
    """Return the layout of NEXTSTEP's own shape if all samples satisfy its schema, and hold fields by it."""
    schemas, form = Schemas(shipped, shipped), FORMS[sources.form]
    schema: Any = form.schema(schemas, NEXTSTEP[sources.form])
    if any(schema.violations(form.judged(document)) for document in sources.documents):
        return None
    return Candidate(form.EACH, form.FIELD_NAME, form.VALUE, form.CONFIDENCE, 0)


def _likeliest(sources: Sources) -> Candidate | None:
    """Return the likeliest layout that reads every sample."""
    candidates = sorted(LAYOUTS[sources.form].found(sources.documents), key=lambda each: -each.likely)
    return next(
        (each for each in candidates if all(_reads(sources, document, each) for document in sources.documents)), None
    )


def _reads(sources: Sources, document: object, candidate: Candidate) -> bool:
    found = list(_raw(sources, document, candidate))
    return bool(found) and all(isinstance(name, str) and name.strip() for name, _, _ in found)


def _raw(sources: Sources, document: object, candidate: Candidate) -> Iterator[tuple[Any, Any, Any]]:
    form = FORMS[sources.form]
    paths = (candidate.each, candidate.name, candidate.value, candidate.confidence or NEVER[sources.form])
    layout = Layout(*map(form.path, paths))
    for raw in form.fields(document, layout) or ():
        if not isinstance(raw.value, Absent):
            yield raw.name, raw.value, raw.confidence


def _gathered(sources: Sources, candidate: Candidate) -> tuple[tuple[Seen, ...], list[float]]:
    values: dict[str, list[Any]] = {}
    samples: Counter[str] = Counter()
    repeated: set[str] = set()
    confidences: list[float] = []
    for document in sources.documents:
        here = [(name, value, sure) for name, value, sure in _raw(sources, document, candidate)]
        counts = Counter(name for name, _, _ in here)
        samples.update(counts.keys())
        repeated |= {name for name, count in counts.items() if count > 1}
        for name, value, sure in here:
            values.setdefault(name, []).append(value)
            confidences += [float(sure)] if isinstance(sure, str | int | float) and sure != "" else []
    total = len(sources.documents)
    seen = (
        Seen(name, tuple(each), samples[name] == total and not all(map(_is_empty, each)), name in repeated)
        for name, each in values.items()
    )
    return tuple(seen), confidences


def _is_empty(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, str) and not value.strip())
