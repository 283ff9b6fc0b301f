"""The shapes of answers, as JSON Schema; `replies.py` writes them, and a test holds every answer against these."""

from typing import Any, TypeAlias

from receiver.core.delivery import ID_LENGTH, Status
from receiver.core.problems import Code

Schema: TypeAlias = dict[str, Any]


def ref(name: str) -> Schema:
    """Return a reference to one of `schemas`."""
    return {"$ref": f"#/components/schemas/{name}"}


def schemas() -> Schema:
    """Return the schema of every answer, by its name."""
    text: Schema = {"type": "string"}
    file = {
        "path": text | {"description": "Below the root of all output; absolute for a folder outside of it."},
        "sha256": text | {"pattern": "^[0-9a-f]{64}$"},
        "size": {"type": "integer", "minimum": 0, "description": "Bytes."},
    }
    violation = {
        "where": text | {"description": "A part, a place in the metadata, or a line of a template."},
        "rule": text,
        "message": text,
        "schema": {"type": ["string", "null"], "description": "Where the rule stands."},
    }
    check = {"name": text, "ready": {"type": "boolean"}, "reason": text}
    return {
        "Receipt": _receipt_schema(text),
        "File": _closed(file),
        "Problem": _problem_schema(text),
        "Violation": _closed(violation),
        "NoDoor": _closed({"type": {"const": "about:blank"}, "title": text, "status": {"const": 404}, "detail": text}),
        "Alive": _closed({"status": {"const": "alive"}}),
        "Readiness": _closed({"status": text, "checks": {"type": "array", "items": ref("Check")}}),
        "Check": _closed(check),
    }


def _receipt_schema(text: Schema) -> Schema:
    files = {"type": "array", "items": ref("File")}
    version = "1 for the first content under a sourceId; null for what is held, which is not accepted yet."
    return _closed(
        {
            "id": text | {"pattern": f"^[A-Z2-7]{{{ID_LENGTH}}}$", "description": "Made of the content."},
            "status": {"enum": [Status.PUBLISHED, Status.HELD]},
            "duplicate": {"type": "boolean"},
            "process": text,
            "sourceId": text,
            "version": {"type": ["integer", "null"], "minimum": 1, "description": version},
            "documents": files,
            "records": files,
        }
    )


def _problem_schema(text: Schema) -> Schema:
    shape = {
        "type": text | {"pattern": "^urn:receiver:problem:[a-z-]+$"},
        "title": text,
        "status": {"type": "integer"},
        "detail": text,
        "code": {"enum": list(Code), "description": "Stable; docs/http.md tells what to do about each."},
        "violations": {"type": "array", "items": ref("Violation")},
    }
    return _closed(shape) | {"description": "RFC 9457: all that is wrong, and never a value."}


def _closed(properties: Schema) -> Schema:
    """Return the schema of an object with exactly these properties."""
    return {"type": "object", "required": list(properties), "properties": properties, "additionalProperties": False}
