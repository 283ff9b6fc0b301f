"""Judges an HL7 v2 message by the standard's own structure, with hl7apy: missing segments, fields, wrong types.

hl7apy's messages may quote what a message holds, so only those of known shape, which name elements and
nothing else, are passed on.
"""

import os
import re
from collections.abc import Iterator
from typing import Any

from receiver.problems import Violation

RULES = (
    (re.compile(r"Missing required child \S*?\.?(?P<element>[A-Z0-9_]+)"), "required", "{element} is missing."),
    (re.compile(r"Child limit exceeded \S*?\.?(?P<element>[A-Z0-9_]+)"), "repeated", "{element} comes too often."),
    (
        re.compile(r"Datatype \S+ is not correct for \S*?\.?(?P<element>[A-Z0-9_]+) \(it must be \S+\)"),
        "type",
        "{element} has not the type that the standard gives it.",
    ),
    (
        re.compile(r"Invalid children detected for <\w+ (?P<element>[A-Z0-9_]+).*"),
        "structure",
        "{element} holds something that the standard does not put there.",
    ),
)
UNREADABLE = "The record is not a message of the type and version that its MSH-9 and MSH-12 tell."


def available() -> bool:
    """Tell whether hl7apy is installed (`pip install receiver[hl7]`)."""
    try:
        import hl7apy  # noqa: F401 (an extra)
    except ImportError:
        return False
    return True


def violations(message: str, where: str) -> tuple[Violation, ...]:
    """Return every structural fault of a message whose segments end with CR; () where there is none."""
    from hl7apy.consts import VALIDATION_LEVEL
    from hl7apy.exceptions import HL7apyException
    from hl7apy.parser import parse_message

    try:
        parsed = parse_message(message, validation_level=VALIDATION_LEVEL.TOLERANT, find_groups=True)
        report = _report(parsed)
    except HL7apyException:
        return (Violation(where, "structure", UNREADABLE, "hl7"),)
    return tuple(dict.fromkeys(_explained(report, where)))


def _report(parsed: Any) -> list[str]:
    """Return hl7apy's errors, all of them: it raises the first one, and writes the rest to a file only."""
    from hl7apy.exceptions import ValidationError
    from hl7apy.validation import Validator

    memory = os.memfd_create("hl7-report")  # never a file on disk: its warnings quote values
    try:
        Validator.validate(parsed, report_file=f"/proc/self/fd/{memory}")
    except ValidationError:
        text = os.pread(memory, os.fstat(memory).st_size, 0).decode("utf-8", "replace")
        return [line.removeprefix("Error: ") for line in text.splitlines() if line.startswith("Error: ")]
    finally:
        os.close(memory)
    return []


def _explained(report: list[str], where: str) -> Iterator[Violation]:
    for line in report:
        for pattern, rule, message in RULES:
            if match := pattern.fullmatch(line):
                yield Violation(where, rule, message.format(element=match["element"]), "hl7")
                break
        else:
            yield Violation(where, "structure", UNREADABLE, "hl7")
