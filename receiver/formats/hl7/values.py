"""Checks how an HL7 v2 message writes dates, times and numbers.

hl7apy, being tolerant, accepts any text.

The types are those that the standard gives each field of a segment, as hl7apy carries them; of OBX-5 that which OBX-2
tells. Numbers are judged where they are a field of their own: as components, of telephone numbers above all, they are
seldom written so. Empty values, and `""` for "delete what you have", are right everywhere.
"""

import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import Any

from receiver.core.problems import Violation

FIRST_YEAR = 1850  # of a date: nobody born before it lives; empty dates are earlier, of .NET (1), of SQL Server (1753)
MONTH, DAY = "(?:0[1-9]|1[0-2])", "(?:0[1-9]|[12][0-9]|3[01])"
CLOCK = r"(?:[01][0-9]|2[0-3])(?:[0-5][0-9](?:[0-5][0-9](?:\.[0-9]{1,4})?)?)?"
OFFSET = r"(?:[+-](?:0[0-9]|1[0-4])[0-5][0-9])?"
TYPES = {  # HL7 v2.5.1 §2.A → how it is written, in words
    "DT": (re.compile(f"[0-9]{{4}}(?:{MONTH}{DAY}?)?"), "a date as HL7 writes it, YYYYMMDD"),
    "TM": (re.compile(CLOCK + OFFSET), "a time of day as HL7 writes it, HHMMSS"),
    "TS": (
        re.compile(f"[0-9]{{4}}(?:{MONTH}(?:{DAY}(?:{CLOCK})?)?)?{OFFSET}"),
        "a time as HL7 writes it, YYYYMMDDHHMMSS",
    ),
    "NM": (re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"), "a number as HL7 writes it, -12.5"),
    "SI": (re.compile(r"[0-9]+"), "a whole number"),
}
TYPES["DTM"] = TYPES["TS"]  # the name since v2.5, and the one before
NUMBERS = {"NM", "SI"}
DAYS = {"DT", "TS", "DTM"}
DELETE = '""'
OBSERVED = "OBX_5"
SEGMENTS = 2_000  # definitions remembered: the versions together have fewer in use

Leaves = tuple[tuple[int, int, str], ...]  # component, subcomponent and type of each
Types = tuple[tuple[int, Leaves], ...]  # of fields, in their order


def violations(message: str) -> Iterator[Violation]:
    """Yield values that are not written as their type, in a sound structure."""
    field, component, repetition, _, subcomponent = tuple(message[3:8])
    segments = message.split("\r")
    version = segments[0].split(field)[11].split(component)[0]
    for line, segment in enumerate(segments, 1):
        name, fields = segment[:3], segment.split(field)
        if name == "MSH":
            fields = [field, *fields]  # MSH-1 is the separator itself: all others move up
        count = len(fields)
        for number, kinds in _types(version, name):
            if number >= count:  # and so are those after it
                break
            for value in fields[number].split(repetition) if fields[number] else ():
                components = value.split(component)
                for first, second, kind in kinds or _observed(fields):
                    if first > len(components):  # and so are those after it
                        break
                    leaf = components[first - 1]
                    if second > 1 or subcomponent in leaf:
                        leaf = "".join(leaf.split(subcomponent)[second - 1 : second])  # "" if there is none
                    leaf = leaf.strip(" ")
                    if leaf and leaf != DELETE and not written(kind, leaf):
                        yield _wrong(line, f"{name}-{number}", first, second, kind)


def _wrong(line: int, name: str, first: int, second: int, kind: str) -> Violation:
    shown = name + (f".{first}" if (first, second) != (1, 1) else "") + (f".{second}" if second > 1 else "")
    return Violation(f"line {line}, {shown}", "type", f"{shown} is not {TYPES[kind][1]}.", "hl7")


def written(kind: str, text: str) -> bool:
    """Return whether a text is written as one of `TYPES`; days must exist."""
    if not TYPES[kind][0].fullmatch(text):
        return False
    if kind not in DAYS:
        return True
    if int(text[:4]) < FIRST_YEAR:
        return False
    day = text[:8]
    if len(day) < 8 or not day.isdigit():  # only a year or month, and perhaps an offset
        return True
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True


def _observed(fields: list[str]) -> Leaves:
    return ((1, 1, fields[2]),) if fields[2] in TYPES else ()


@lru_cache(SEGMENTS)
def _types(version: str, segment: str) -> Types:
    """Return where a segment has values of checked types; () for custom segments.

    OBX-5 has none: those are what OBX-2 says.
    """
    from hl7apy import load_reference
    from hl7apy.exceptions import HL7apyException

    try:
        definition = load_reference(segment, "Segment", version)
    except HL7apyException:
        return ()
    if len(definition) != 2:  # of some withdrawn segments hl7apy has the name alone, or fields out of their place
        return ()
    found: list[tuple[int, Leaves]] = []
    for name, reference, *_ in definition[1]:
        kinds = tuple(_leaves(reference))
        if kinds or name == OBSERVED:
            found.append((int(name.split("_")[1]), kinds))
    return tuple(found)


def _leaves(reference: Any) -> Iterator[tuple[int, int, str]]:
    """Yield component, subcomponent and type of a field's checked leaves."""
    for first, component in enumerate(_parts(reference), 1):
        for second, leaf in enumerate(_parts(component), 1):
            owner, number = (reference, first) if leaf is component else (component, second)
            kind = "TS" if (owner[2], number) == ("TS", 1) else leaf[2]  # before v2.5 its component is plain text
            if kind in TYPES and (leaf is reference or kind not in NUMBERS):
                yield first, second, kind


def _parts(reference: Any) -> list[Any]:
    """Return what a field or component consists of; itself if hl7apy lacks the rest.

    It does for TQ1-1 in v2.7.
    """
    return [part[1] for part in reference[1]] if reference[0] == "sequence" and reference[1] else [reference]
