"""Checks a rendered record before anything is published: well formed for its format, and by its target schema."""

import csv
import io
import re
from collections.abc import Callable, Iterator

from receiver.problems import Violation
from receiver.schemas import hl7, json_text, xml_text
from receiver.schemas.folder import Schemas
from receiver.schemas.json_schema import JsonSchema
from receiver.schemas.malformed import Malformed
from receiver.schemas.xsd import XmlSchema

Check = Callable[[bytes], tuple[Violation, ...]]

MAX_XML_NODES = 100_000  # elements and attributes of a record: our own, so bounded only against a runaway loop
SEGMENT = re.compile(r"[A-Z][A-Z0-9]{2}")  # HL7 v2.5.1 §2.5.2: three characters, Z for local ones


def checker(format: str, encoding: str, schema: str | None, schemas: Schemas) -> Check:  # noqa: A002
    """Return the check of one record: every violation with its line, never a value. Raises `Misconfigured`."""
    if format == "json":
        judge_json = schemas.json(schema) if schema else None
        return lambda content: _json(content.decode(encoding), judge_json)
    if format == "xml":
        judge_xml = schemas.xml(schema) if schema else None
        return lambda content: _xml(content, judge_xml)
    if format == "hl7":
        return lambda content: _hl7(content.decode(encoding), by_standard=schema == "hl7")
    if format == "csv":
        return lambda content: tuple(_csv(content.decode(encoding)))
    return lambda _content: ()


def _json(text: str, schema: JsonSchema | None) -> tuple[Violation, ...]:
    try:
        document = json_text.loads(text.encode())
    except Malformed as error:
        fault = _malformed(error)
    else:
        return schema.violations(document) if schema else ()
    return (fault,)


def _xml(content: bytes, schema: XmlSchema | None) -> tuple[Violation, ...]:
    try:
        document = xml_text.parse(content, MAX_XML_NODES)
    except Malformed as error:
        fault = _malformed(error)
    else:
        return schema.violations(document) if schema else ()
    return (fault,)


def _malformed(error: Malformed) -> Violation:
    return Violation(f"line {error.line}, column {error.column}", "well-formed", error.message)


def _hl7(text: str, *, by_standard: bool) -> tuple[Violation, ...]:
    faults = tuple(_segments(text))
    return faults or (hl7.violations(text, "record") if by_standard else ())


def _segments(text: str) -> Iterator[Violation]:
    """Yield what is wrong with the segments; the field separator is the one that MSH-1 declares."""
    if not text.startswith("MSH") or len(text) < 8:
        yield Violation("segment 1", "well-formed", "An HL7 message begins with MSH and its five delimiters.")
        return
    separator = text[3]
    for number, segment in enumerate(text.rstrip("\r").split("\r"), 1):
        if not SEGMENT.fullmatch(segment[:3]) or segment[3:4] not in ("", separator):
            message = f'A segment begins with its three-letter name and "{separator}".'
            yield Violation(f"segment {number}", "well-formed", message)


def _csv(text: str) -> Iterator[Violation]:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    width = 0
    try:
        for number, row in enumerate(rows, 1):
            width = width or len(row)
            if len(row) != width:
                message = f"This row has {len(row)} columns and the first one has {width}."
                yield Violation(f"row {number}", "well-formed", message)
    except csv.Error:
        yield Violation(f"row {rows.line_num}", "well-formed", "A quoted cell is not closed as RFC 4180 has it.")
