"""JSON: as RFC 8259 has it, and by a JSON Schema or FHIR."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from receiver.core.positions import json_positions, pointed_path
from receiver.core.problems import Violation
from receiver.schemas import json_text
from receiver.schemas.encodings import MalformedError

Judge = Callable[[Any], tuple[Violation, ...]]


def violations(text: str, judge: Judge | None) -> tuple[Violation, ...]:
    """Return the faults, each with its line and JSON Pointer."""
    try:
        document = json_text.parse(text)
    except MalformedError as error:
        fault = Violation(f"line {error.line}, column {error.column}", "well-formed", error.message)
    else:
        found = judge(document) if judge else ()
        return _placed(found, document, text.encode()) if found else ()
    return (fault,)


def _placed(found: tuple[Violation, ...], document: Any, content: bytes) -> tuple[Violation, ...]:
    positions = json_positions(content)
    return tuple(
        replace(each, where=f"line {positions.of(pointed_path(each.where, document))[0]}, {each.where}")
        for each in found
    )
