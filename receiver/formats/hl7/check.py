"""Checks HL7 v2: segments, and by hl7apy messages as the standard has them.

hl7apy's messages may quote what a message holds, so only those of known shape, which name elements and nothing else,
are passed on. It judges a message by its shape alone: which segments follow each other, and where in each of them
something stands; what stands there it does not weigh. Within one structure of messages a segment is always judged by
the same definition. So a message whose order of segments was right, and each of whose segments has a shape that was
right, is right, and each kind of segment is judged once, not in each message. The tests hold hl7apy to that.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from itertools import repeat
from typing import Any

from receiver.core.problems import Violation
from receiver.formats.hl7 import tables as hl7_tables
from receiver.formats.hl7 import values as hl7_values

SEGMENT = "[A-Z][A-Z0-9]{2}"  # HL7 v2.5.1 §2.5.2: three characters, Z for local ones


def violations(text: str, *, by_standard: bool) -> tuple[Violation, ...]:
    """Return the faults, each with its segment's line, and its field if it has one."""
    faults = tuple(_segments(text))
    return faults or (violations_of_standard(text) if by_standard else ())


def _segments(text: str) -> Iterator[Violation]:
    """Yield faults of segments; MSH-1 declares the field separator."""
    if not text.startswith("MSH") or len(text) < 8:
        yield Violation("line 1", "well-formed", "An HL7 message begins with MSH and its five delimiters.")
        return
    separator, line, before = text[3], 1, 0
    for strange in _strange(separator).finditer(text.rstrip("\r")):
        line += text.count("\r", before, strange.end())
        before = strange.end()
        message = f'A segment begins with its three-letter name and "{separator}".'
        yield Violation(f"line {line}", "well-formed", message)


@cache
def _strange(separator: str) -> re.Pattern[str]:
    """Return what finds the ends of segments behind which no segment begins."""
    return re.compile(rf"\r(?!{SEGMENT}(?:{re.escape(separator)}|\r|\Z))")


USUAL_HEAD = "MSH|^~\\&|"  # the delimiters that HL7 v2.5.1 §2.5.4 suggests: messages with others are judged in full
SHAPED = re.compile(r"[^|^~&\s][^|^~&\r]*")  # from its first character on: hl7apy takes blanks for nothing
TYPE, VERSION = 8, 11  # where MSH-9 and MSH-12 are, counted in separators: they name the structure
Piece = tuple[object, ...]  # the structure, and the order of its segments or one of them and its shape
MOST = 20_000  # orders and shapes remembered, some hundred bytes each; a template prints some dozen

LIBRARY = "hl7apy"
ELEMENTS = r"(?P<parent>[A-Z0-9_]+)\.(?P<child>[A-Z0-9_]+)"
RULES = (
    (re.compile(rf"Missing required child {ELEMENTS}"), "required", "is missing"),
    (re.compile(rf"Child limit exceeded {ELEMENTS}"), "repeated", "comes too often"),
    (
        re.compile(rf"Datatype \S+ is not correct for {ELEMENTS} \(it must be \S+\)"),
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
MOST_NAMED = 6  # segments that might stand at a place: more than a reader looks up
WHOLE = "message"  # where a fault is that has no line: what is missing stands nowhere
UNREADABLE = "The record is not a message of the type and version that its MSH-9 and MSH-12 tell."
ESCAPED = 'The "^" in MSH-9 is escaped, as one of a value: write those that separate components in the template.'
STRANGE = "The standard has no such segment, or not with such content."


class Shapes:
    """The shapes that were right, of all messages of this process."""

    def __init__(self) -> None:
        self._right: set[Piece] = set()

    def known(self, message: str) -> bool:
        """Return whether all of a message was right in messages before it."""
        return message.startswith(USUAL_HEAD) and self._right.issuperset(_pieces(message))

    def learn(self, message: str) -> None:
        """Remember a message that is right."""
        if len(self._right) < MOST:
            self._right.update(_pieces(message))


def _pieces(message: str) -> set[Piece]:
    """Return the order of the segments, and each segment with an x for each value.

    All with the structure's name.
    """
    segments = message.split("\r")
    fields = segments[0].split("|")
    structure = fields[TYPE] if len(fields) > TYPE else "", fields[VERSION] if len(fields) > VERSION else ""
    names = [segment[:3] for segment in segments]
    values = "\r".join([segment[3:] for segment in segments])
    shapes = zip(repeat(structure), names, SHAPED.sub("x", values).split("\r"))
    return {(structure, " ".join(names)), *shapes}


_right = Shapes()


def available() -> bool:
    """Return whether hl7apy is installed (`pip install receiver[hl7]`)."""
    try:
        import hl7apy  # noqa: F401 (an extra)
    except ImportError:
        return False
    return True


def violations_of_standard(message: str) -> tuple[Violation, ...]:
    """Return every fault of a message by the standard, with its line; () without one.

    Segments end with CR.

    First those of its structure; if that is right, those of its dates, times and numbers.
    """
    if not _right.known(message):
        faults = _judged(message)
        if faults:
            return faults
        _right.learn(message)
    return tuple(hl7_values.violations(message))


def _judged(message: str) -> tuple[Violation, ...]:
    from hl7apy.exceptions import HL7apyException
    from hl7apy.parser import parse_message

    if "\\S\\" in "".join(message.split("|")[TYPE : TYPE + 1]):
        return (Violation("line 1, MSH-9", "structure", ESCAPED, "hl7"),)
    try:
        known = hl7_tables.with_structure(message)
        parsed = parse_message(known)
        report = _report(parsed)
    except Exception:  # noqa: BLE001 (hl7apy raises IndexError and others, too, for what it cannot read)
        return (Violation("line 1", "structure", UNREADABLE, "hl7"),)
    if not report:
        return ()
    found = [_translated(line, WHOLE) for line in report]
    with suppress(HL7apyException):  # of a structure that hl7apy has not: then its own words stand
        of_order = list(violations_of_order(parsed.name, parsed.version, message))
        found = [(each, False) for each in of_order] + [(each, of_field) for each, of_field in found if of_field]
    within = list(_within_segments(message, parsed))
    missing = [each for each, of_field in found if not (of_field and within)]
    return tuple(dict.fromkeys([*missing, *within]))


def _numbered(message: str) -> Iterator[tuple[int, str]]:
    """Yield each segment with its line."""
    return enumerate(message.rstrip("\r").split("\r"), 1)


def violations_of_order(structure: str, version: str, message: str) -> Iterator[Violation]:
    """Yield the first segment that has no place where it stands, local ones aside."""
    segments = [(line, each[:3]) for line, each in _numbered(message)]
    standard = [(line, name) for line, name in segments if not name.startswith("Z")]
    names = [name for _, name in standard]
    found = hl7_tables.misplaced(structure, version, names)
    if not found:
        return
    index, instead = found
    line, name = standard[min(index, len(standard) - 1)]
    missing = next((each for each in instead if _helps(structure, version, names, index, each)), "")
    shown = missing or " or ".join(instead[:MOST_NAMED])
    if index == len(standard):
        yield Violation(f"line {line}", "required", f"{shown} is missing behind {name}.", "hl7")
    elif missing:
        yield Violation(f"line {line}", "required", f"{missing} is missing before {name}.", "hl7")
    else:
        yield Violation(f"line {line}", "structure", f"{name} has no place here, where {shown} may stand.", "hl7")


def _helps(structure: str, version: str, names: list[str], index: int, segment: str) -> bool:
    """Return whether a segment before the misplaced one makes the message continue."""
    if index < len(names) and not hl7_tables.misplaced(structure, version, names[:index] + names[index + 1 :]):
        return False
    found = hl7_tables.misplaced(structure, version, [*names[:index], segment, *names[index:]])
    return not found or found[0] > index + 1


def _within_segments(message: str, parsed: Any) -> Iterator[Violation]:
    """Yield faults of each segment alone; hl7apy's for a message have no line."""
    from hl7apy.parser import parse_segment

    for number, text in _numbered(message):
        try:
            segment = parse_segment(text, parsed.version, parsed.encoding_chars)
            report = _report(segment)
        except Exception:  # noqa: BLE001 (as above)
            yield Violation(f"line {number}", "structure", STRANGE, "hl7")
        else:
            yield from (_translated(line, f"line {number}")[0] for line in report)


def _report(element: Any) -> list[str]:
    """Return all of hl7apy's errors; it raises the first, and writes others down."""
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
    """Return whether hl7apy misses a field or component that is not required."""
    match = RULES[0][0].fullmatch(line)
    if not match or not FIELD.fullmatch(match["child"]):
        return False
    return not hl7_tables.is_required(match["child"])


def _translated(line: str, where: str) -> tuple[Violation, bool]:
    """Return an hl7apy error in plain words, and whether it is about a field."""
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
