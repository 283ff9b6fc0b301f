"""HL7 v2: segments with names, and by the standard where that is asked for."""

import re
from collections.abc import Iterator

from receiver.core.problems import Violation
from receiver.formats.hl7 import standard as hl7

SEGMENT = re.compile(r"[A-Z][A-Z0-9]{2}")  # HL7 v2.5.1 §2.5.2: three characters, Z for local ones


def violations(text: str, *, by_standard: bool) -> tuple[Violation, ...]:
    """Return the faults, each with the line of its segment, and its field where it is one."""
    faults = tuple(_segments(text))
    return faults or (hl7.violations(text) if by_standard else ())


def _segments(text: str) -> Iterator[Violation]:
    """Yield what is wrong with the segments; the field separator is the one that MSH-1 declares."""
    if not text.startswith("MSH") or len(text) < 8:
        yield Violation("line 1", "well-formed", "An HL7 message begins with MSH and its five delimiters.")
        return
    separator = text[3]
    segments = text.rstrip("\r").split("\r")
    if all(_begins(head, separator) for head in {segment[:4] for segment in segments}):
        return
    for number, segment in enumerate(segments, 1):
        if not _begins(segment[:4], separator):
            message = f'A segment begins with its three-letter name and "{separator}".'
            yield Violation(f"line {number}", "well-formed", message)


def _begins(head: str, separator: str) -> bool:
    """Tell whether a segment may begin so: most of a message begin as one of a few do."""
    return SEGMENT.fullmatch(head[:3]) is not None and head[3:] in ("", separator)
