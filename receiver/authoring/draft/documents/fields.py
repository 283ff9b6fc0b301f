"""The fields schema: names, types, which are required, and what the values have in common."""

from collections.abc import Sequence
from typing import Any

from receiver.authoring.draft.documents.json_shape import types
from receiver.authoring.draft.kinds import Kind, kind
from receiver.authoring.draft.reading import Reading, Seen
from receiver.authoring.draft.words import role

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schema(process: str, reading: Reading, samples: int) -> dict[str, Any]:
    """Return the JSON Schema of the object of all fields."""
    counted = "one sample" if samples == 1 else f"{samples} samples"
    return {
        "$schema": DRAFT,
        "title": f"Fields of {process}",
        "description": f"Drafted from {counted}: required is what was always there. Fields that are not named here"
        " are let through unchecked.",
        "type": "object",
        "required": [seen.name for seen in reading.fields if seen.always],
        "properties": {seen.name: _field(seen) for seen in reading.fields},
    }


def _field(seen: Seen) -> dict[str, Any]:
    one = _value(seen.name, seen.values)
    return {"type": "array", "items": one} if seen.repeated else one


def _value(name: str, values: Sequence[Any]) -> dict[str, Any]:
    found = types(values)
    texts = [value for value in values if isinstance(value, str)]
    common = kind(name, texts)
    schema: dict[str, Any] = {"description": _read_as(common)} if common.date else {}
    if found:
        schema["type"] = found[0] if len(found) == 1 else found
    if common.pattern:
        schema["pattern"] = f"^({common.pattern})?$" if common.empty else f"^{common.pattern}$"
    elif role(name) == "mrn" and len(texts) == len(values) and not common.empty:
        schema["minLength"] = 1  # a record of an unnamed patient helps nobody
    return schema


def _read_as(common: Kind) -> str:
    doubt = f"; the samples could as well be read as {common.other}" if common.other else ""
    return f"A date, read as {common.date}{doubt}"
