"""What every HL7 v2 receiver expects of a message, and no table of the standard's structure tells.

Source: HL7 v2.5.1, chapters 2 (MSH, control), 3 (PID) and 7 (OBX); the tables named at each rule.
"""

from collections.abc import Iterator
from itertools import groupby

MODES = ("P", "T", "D")  # table 0103
NUMBERED = frozenset({"AL1", "DG1", "GT1", "IN1", "NK1", "NTE", "OBX", "PR1"})  # their first field counts from 1
DELIMITERS = "^~\\&"
CONTROL_ID = 20  # characters of MSH-10 before version 2.7
VALUE_TYPES = frozenset(  # table 0125
    """AD CE CF CK CN CNE CP CWE CX DR DT DTM ED FT ID IS MA MO NA NM PN PPN RP SI SN ST TM TN TS TX
    XAD XCN XON XPN XTN""".split()  # noqa: SIM905 (a list would take a page)
)


def findings(text: str) -> Iterator[tuple[str, str]]:
    """Yield a place, "line 3, PID-3", and what is unusual there."""
    separator = text[3:4]
    segments = [each.split(separator) for each in text.rstrip("\r").split("\r")]
    yield from _header(text, segments[0])
    for number, fields in enumerate(segments, 1):
        if fields[0] == "PID" and _at(fields, 3).startswith("^"):
            yield f"line {number}, PID-3", "the identifier itself, PID-3.1, is empty"
        if fields[0] == "OBX" and _at(fields, 2) not in VALUE_TYPES | {""}:
            yield f"line {number}, OBX-2", "this is no type of a value (table 0125)"
    yield from _counted(segments)


def _header(text: str, fields: list[str]) -> Iterator[tuple[str, str]]:
    """Yield what is unusual in MSH; its first field is the separator, so a field's index is one less."""
    version = _at(fields, 11).split("^")[0]
    if text[4:8] != DELIMITERS:
        yield "line 1, MSH-2", f"the delimiters are nearly always {DELIMITERS}, in this order"
    if _at(fields, 10).split("^")[0] not in MODES:
        yield "line 1, MSH-11", "this is not P, T or D (table 0103)"
    if version < "2.7" and len(_at(fields, 9)) > CONTROL_ID:
        yield "line 1, MSH-10", f"the control id has more than {CONTROL_ID} characters"
    kind = _at(fields, 8).split("^")
    if version >= "2.5" and kind[0] != "ACK" and len(kind) < 3:
        yield "line 1, MSH-9", "the message's structure, MSH-9.3, is missing"


def _at(fields: list[str], index: int) -> str:
    return fields[index] if index < len(fields) else ""


def _counted(segments: list[list[str]]) -> Iterator[tuple[str, str]]:
    """Yield set ids that do not count: segments of one name in a row are numbered from 1."""
    for name, group in groupby(enumerate(segments, 1), key=lambda each: each[1][0]):
        for wanted, (number, fields) in enumerate(group, 1):
            if name in NUMBERED and _at(fields, 1) not in ("", str(wanted)):
                yield f"line {number}, {name}-1", f"the set id does not count: number {wanted} of its segments in a row"
                break
