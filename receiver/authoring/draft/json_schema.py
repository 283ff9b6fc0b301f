"""JSON Schemas out of samples: of the metadata, and of the fields.

They hold forms, never values.
"""

from collections.abc import Sequence
from typing import Any

from receiver.authoring.draft.kinds import Kind, kind
from receiver.authoring.draft.reading import Reading, Seen
from receiver.authoring.draft.words import role

DRAFT = "https://json-schema.org/draft/2020-12/schema"
TYPES: dict[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
}
NAMED = ("mrn", "name", "family")  # what tells whose record it is
ORDER = ("object", "array", "string", "integer", "number", "boolean", "null")


def metadata_schema(process: str, reading: Reading, documents: Sequence[Any]) -> dict[str, Any]:
    """Return a schema that all documents satisfy, and those that have more as well."""
    return {
        "$schema": DRAFT,
        "title": f"Metadata of {process}",
        "description": "Drafted from samples. What the fields must be is said by the schema of the fields.",
        **_Shape(reading).of(documents, ""),
    }


def types(values: Sequence[Any]) -> list[str]:
    """Return the types of values as JSON Schema names them; mixed numbers are number.

    Nobody knows what may come in the place of a mere null: [] then.
    """
    found = {TYPES.get(type(value), "null") for value in values}
    if found == {"null"}:
        return []
    if "number" in found:
        found.discard("integer")
    return sorted(found, key=ORDER.index)


class _Shape:
    """Infers schemas; values and confidences of fields get a description."""

    def __init__(self, reading: Reading) -> None:
        self.map_at = reading.each if reading.name == "key" and reading.each != "@" else None
        self.value = _place(reading, reading.value)
        self.confidence = _place(reading, reading.confidence) if reading.confidence else None
        self.scale = reading.scale

    def of(self, values: Sequence[Any], path: str) -> dict[str, Any]:
        """Return the schema of values at a path of the document: `pages[].fields[].name`."""
        found = types(values)
        if path == self.value:
            return {}  # judged by the schema of the fields
        if path == self.confidence:
            return {"type": list(dict.fromkeys([*found, "null"])), "minimum": 0, "maximum": self.scale}
        schema: dict[str, Any] = {"type": found[0] if len(found) == 1 else found} if found else {}
        if objects := [value for value in values if isinstance(value, dict)]:
            schema |= self._members(objects, path)
        if items := [item for value in values if isinstance(value, list) for item in value]:
            schema["items"] = self.of(items, f"{path}[]")
        return schema

    def _members(self, objects: Sequence[dict[str, Any]], path: str) -> dict[str, Any]:
        if path == self.map_at:
            members = [value for each in objects for value in each.values()]
            return {"additionalProperties": self.of(members, f"{path}.*")} if members else {}
        names = dict.fromkeys(name for each in objects for name in each)
        required = [name for name in names if all(name in each for each in objects)]
        below = {name: [each[name] for each in objects if name in each] for name in names}
        properties = {name: self.of(values, f"{path}.{name}".strip(".")) for name, values in below.items()}
        return ({"required": required} if required else {}) | {"properties": properties}


def _place(reading: Reading, path: str) -> str:
    """Return where a path below each field stands, seen from the document."""
    plain = path.removeprefix("not_null(").removesuffix(")")
    if reading.name == "key":
        return f"{reading.each}.*.{plain.removeprefix('value.')}" if plain != "value" else f"{reading.each}.*"
    return f"{reading.each.removesuffix('[]')}[].{plain}"


def fields_schema(process: str, reading: Reading, samples: int) -> dict[str, Any]:
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


def row_schema(process: str, table: str, cells: Sequence[Seen]) -> dict[str, Any]:
    """Return the JSON Schema of one row of a table."""
    return {
        "$schema": DRAFT,
        "title": f"One row of {table} of {process}",
        "description": "Drafted from samples: required is what every row had. Other cells are let through unchecked.",
        "type": "object",
        "required": [seen.name for seen in cells if seen.always],
        "properties": {seen.name: _field(seen) for seen in cells},
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
    elif role(name) in NAMED and len(texts) == len(values) and not common.empty:
        schema["minLength"] = 1  # a record of an unnamed patient helps nobody
    return schema


def _read_as(common: Kind) -> str:
    doubt = f"; the samples could as well be read as {common.other}" if common.other else ""
    return f"A date, read as {common.date}{doubt}"
