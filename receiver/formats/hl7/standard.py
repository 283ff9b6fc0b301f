"""Judges an HL7 v2 message by the standard's own structure, with hl7apy: missing segments, fields, wrong types.

hl7apy's messages may quote what a message holds, so only those of known shape, which name elements and
nothing else, are passed on.
"""

import os
import re
from collections.abc import Iterator
from typing import Any

from receiver.core.problems import Violation
from receiver.formats.hl7 import tables as hl7_tables
from receiver.formats.hl7 import values as hl7_values
from receiver.formats.hl7.shapes import Shapes

LIBRARY = "hl7apy"
NAMES = r"(?P<parent>[A-Z0-9_]+)\.(?P<child>[A-Z0-9_]+)"
RULES = (
    (re.compile(rf"Missing required child {NAMES}"), "required", "is missing"),
    (re.compile(rf"Child limit exceeded {NAMES}"), "repeated", "comes too often"),
    (
        re.compile(rf"Datatype \S+ is not correct for {NAMES} \(it must be \S+\)"),
        "type",
        "has not the type that the standard gives it",
    ),
    (
        re.compile(r"Invalid children detected for <(?:Message|Group|Segment) (?P<parent>)(?P<child>[A-Z0-9_]+)>.*"),
        "structure",
        "holds something that the standard does not put there",
    ),
    (
        re.compile(r"Invalid children detected for <\w+ (?P<parent>)(?P<child>[A-Z0-9]+_[0-9]+).*"),
        "structure",
        "holds something that the standard does not put there",
    ),
)
FIELD = re.compile(r"[A-Z0-9]{2,3}_[0-9]+")  # PID_3, or a component of one: CX_1
WHOLE = "message"  # where a fault is that has no line: what is missing stands nowhere
UNREADABLE = "The record is not a message of the type and version that its MSH-9 and MSH-12 tell."
STRANGE = "The standard has no such segment, or not with such content."

_right = Shapes()


def available() -> bool:
    """Tell whether hl7apy is installed (`pip install receiver[hl7]`)."""
    try:
        import hl7apy  # noqa: F401 (an extra)
    except ImportError:
        return False
    return True


def violations(message: str) -> tuple[Violation, ...]:
    """Return every fault of a message whose segments end with CR, with its line; () where there is none.

    First those of its structure; where that is right, those of its dates, times and numbers.
    """
    if not _right.known(message):
        faults = _judged(message)
        if faults:
            return faults
        _right.learn(message)
    return tuple(hl7_values.violations(message))


def _judged(message: str) -> tuple[Violation, ...]:
    from hl7apy.consts import VALIDATION_LEVEL
    from hl7apy.exceptions import HL7apyException
    from hl7apy.parser import parse_message

    try:
        known = hl7_tables.with_structure(message)
        parsed = parse_message(known, validation_level=VALIDATION_LEVEL.TOLERANT, find_groups=True)
        report = _report(parsed)
    except HL7apyException:
        return (Violation("line 1", "structure", UNREADABLE, "hl7"),)
    if not report:
        return ()
    told = [_told(line, WHOLE) for line in report]
    names = [segment[:3] for segment in message.rstrip("\r").split("\r")]
    if hl7_tables.fits(parsed.name, parsed.version, names):
        told = [(each, of_field) for each, of_field in told if of_field]
    within = list(_within_segments(message, parsed))
    missing = [each for each, of_field in told if not (of_field and within)]
    return tuple(dict.fromkeys([*missing, *within]))


def _within_segments(message: str, parsed: Any) -> Iterator[Violation]:
    """Yield the faults of each segment by itself: those of the whole message tell no line."""
    from hl7apy.consts import VALIDATION_LEVEL
    from hl7apy.exceptions import HL7apyException
    from hl7apy.parser import parse_segment

    for number, text in enumerate(message.rstrip("\r").split("\r"), 1):
        try:
            segment = parse_segment(text, parsed.version, parsed.encoding_chars, VALIDATION_LEVEL.TOLERANT)
            report = _report(segment)
        except HL7apyException:
            yield Violation(f"line {number}", "structure", STRANGE, "hl7")
        else:
            yield from (_told(line, f"line {number}")[0] for line in report)


def _report(element: Any) -> list[str]:
    """Return hl7apy's errors, all of them: it raises the first one, and writes the rest to a file only."""
    from hl7apy.exceptions import ValidationError
    from hl7apy.validation import Validator

    memory = os.memfd_create("hl7-report")  # never a file on disk: its warnings quote values
    try:
        Validator.validate(element, report_file=f"/proc/self/fd/{memory}")
    except ValidationError:
        text = os.pread(memory, os.fstat(memory).st_size, 0).decode("utf-8", "replace")
        lines = [line.removeprefix("Error: ") for line in text.splitlines() if line.startswith("Error: ")]
        return [line for line in lines if not _is_mistaken(line)]
    finally:
        os.close(memory)
    return []


def _is_mistaken(line: str) -> bool:
    """Tell whether hl7apy misses a field or component that is not required."""
    match = RULES[0][0].fullmatch(line)
    if not match or not FIELD.fullmatch(match["child"]):
        return False
    return not hl7_tables.is_required(match["child"])


def _told(line: str, where: str) -> tuple[Violation, bool]:
    """Return one of hl7apy's errors in words of our own, and whether it is one of a field."""
    for pattern, rule, message in RULES:
        if match := pattern.fullmatch(line):
            of_field = bool(FIELD.fullmatch(match["child"]))
            name = _field(match["parent"], match["child"]) if of_field else match["child"]
            place = f"{where}, {name}" if of_field else where
            return Violation(place, rule, f"{name} {message}.", "hl7"), of_field
    return Violation(where, "structure", UNREADABLE if where == WHOLE else STRANGE, "hl7"), False


def _field(parent: str, child: str) -> str:
    """Return a field as people write it: PID-3, or PID-3.1 for its component CX_1."""
    name, number = child.split("_")
    return f"{parent.replace('_', '-')}.{number}" if "_" in parent else f"{name}-{number}"
