"""JSON Schemas that reject the examples that they give themselves."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs

from receiver.authoring.check.site import Site
from receiver.core.faults import Fault, Severity
from receiver.core.positions import Path
from receiver.schemas import json_check
from receiver.schemas.json_explain import message, pointer
from receiver.schemas.json_library import Document, Library

DATA = frozenset({"const", "default", "enum", "examples"})  # what stands below them is no schema


def faults(site: Site) -> Iterator[Fault]:
    """Yield the examples that break a rule of the schema which they stand in."""
    for name in sorted(site.compiled.schemas.used()):
        document = site.schema(name) if name.endswith(".json") else None
        for path, examples in _examples((), document.contents) if document else ():
            yield from _rejected(document, path, examples, site.library)


def _examples(path: Path, schema: Any) -> Iterator[tuple[Path, list[Any]]]:
    below = schema.items() if isinstance(schema, dict) else enumerate(schema) if isinstance(schema, list) else ()
    if isinstance(schema, dict) and isinstance(schema.get("examples"), list):
        yield path, schema["examples"]
    for step, inner in below:
        if step not in DATA or (path and path[-1] in ("properties", "$defs", "definitions")):
            yield from _examples((*path, step), inner)


def _rejected(document: Document | None, path: Path, examples: list[Any], library: Library) -> Iterator[Fault]:
    if document is None:
        return
    judge = jsonschema_rs.validator_for(
        {"$ref": f"{document.uri}#{pointer(path)}"},
        validate_formats=True,
        retriever=library.contents,
        pattern_options=json_check.LINEAR,
    )
    for index, example in enumerate(examples):
        for error in judge.iter_errors(example):
            told = f"the schema rejects its own example: it {message(error)}"
            place = (*path, "examples", index, *error.instance_path)
            yield document.fault(place, "example-rejected", told, severity=Severity.WARNING)
            break
