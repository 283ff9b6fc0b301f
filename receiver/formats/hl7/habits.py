"""What HL7 v2 receivers expect beyond the standard's structure.

Source: HL7 v2.5.1, chapters 2 (MSH, control), 3 (PID) and 7 (OBX), with the lengths (LEN) of their segment tables; the
tables named at each rule.
"""

from collections.abc import Iterator
from itertools import groupby

from receiver.formats.hl7 import tables

NUMBERED = frozenset({"AL1", "DG1", "GT1", "IN1", "NK1", "NTE", "OBX", "PR1"})  # their first field counts from 1
DELIMITERS = "^~\\&"
VALUE_TYPES = """AD CE CF CK CN CNE CP CWE CX DR DT DTM ED FT ID IS MA MO NA NM PN PPN RP SI SN ST TM TN TS TX
    XAD XCN XON XPN XTN"""
ENCODINGS = """ASCII 8859/1 8859/2 8859/3 8859/4 8859/5 8859/6 8859/7 8859/8 8859/9 8859/15 BIG-5 UNICODE"""
TABLES = {  # segment and field → the number of its table, and the codes in it
    ("MSH", 11): ("0103", frozenset("PTD")),
    ("MSH", 15): ("0155", frozenset(["AL", "NE", "ER", "SU"])),
    ("MSH", 16): ("0155", frozenset(["AL", "NE", "ER", "SU"])),
    ("MSH", 18): ("0211", frozenset([*ENCODINGS.split(), "UNICODE UTF-8", "UNICODE UTF-16", "UNICODE UTF-32"])),
    ("OBR", 25): ("0123", frozenset("ACFIOPRSXYZ")),
    ("OBX", 2): ("0125", frozenset(VALUE_TYPES.split())),
    ("OBX", 11): ("0085", frozenset("BCDFINOPRSUVWX")),
    ("PID", 8): ("0001", frozenset("AFMNOU")),
    ("PV1", 2): ("0004", frozenset("BCEINOPRU")),
    ("TXA", 3): ("0191", frozenset(["AP", "AU", "FT", "IM", "NS", "SD", "SI", "TEXT", "TX", "multipart"])),
    ("TXA", 17): ("0271", frozenset(["AU", "DI", "DO", "IN", "IP", "LA", "PA"])),
    ("TXA", 18): ("0272", frozenset("RUV")),
    ("TXA", 19): ("0273", frozenset(["AV", "CA", "OB", "UN"])),
}
LENGTHS = {  # segment and field → characters; since version 2.7 a length is agreed on with the receiver
    ("MSH", 8): 40,
    ("MSH", 10): 20,
    ("NTE", 1): 4,
    ("OBR", 1): 4,
    ("OBX", 1): 4,
    ("OBX", 4): 20,
    ("PID", 1): 4,
    ("PID", 2): 20,
    ("PID", 19): 16,
    ("PID", 20): 25,
    ("PV1", 1): 4,
    ("PV1", 3): 80,
    ("TXA", 1): 4,
    ("TXA", 2): 30,
    ("TXA", 12): 30,
}
LENGTHS_AGREED = "2.7"
MOST_LISTED = 14  # codes of a table: one line
REQUIRED = {("MSH", 11)}  # of those; the others may be empty
FIRST = {  # fields whose first component says it all, and what that is
    ("PID", 2): "identifier",
    ("PID", 3): "identifier",
    ("PID", 4): "identifier",
    ("PID", 5): "family name",
    ("PID", 18): "account number",
    ("PV1", 19): "visit number",
}
CODED = frozenset({"CE", "CNE", "CWE"})
JUDGED = frozenset({"ADT", "MDM", "SIU"})  # messages whose structures `tables` has all of


def findings(text: str) -> Iterator[tuple[str, str]]:
    """Yield a place, "line 3, PID-3", and what is unusual there."""
    separator = text[3:4]
    segments = [each.split(separator) for each in text.split("\r")]
    yield from _header(text, segments[0])
    bounded = _at(segments[0], 11) < LENGTHS_AGREED
    for number, fields in enumerate(segments, 1):
        long = _long(fields) if bounded else ()
        for place, message in (*_codes(fields), *_empty(fields), *_observed(fields), *long):
            yield f"line {number}, {place}", message
        if fields[0] == "EVN" and _at(fields, 1) not in ("", *_at(segments[0], 8).split("^")[1:2]):
            yield f"line {number}, EVN-1", "this is another event than that of MSH-9"
    yield from _counted(segments)


def _codes(fields: list[str]) -> Iterator[tuple[str, str]]:
    """Yield codes that are not in the table of their field; MSH-1 is the separator."""
    for (name, number), (table, known) in TABLES.items():
        if name != fields[0]:
            continue
        code = _at(fields, number - (name == "MSH")).split("^")[0]
        if (code or (name, number) in REQUIRED) and code not in known:
            listed = f": {', '.join(sorted(known))}" if len(known) <= MOST_LISTED else ""
            yield f"{name}-{number}", f"this is not in table {table}{listed}"


def _long(fields: list[str]) -> Iterator[tuple[str, str]]:
    """Yield fields longer than the standard allows; each repetition counts by itself."""
    for (name, number), most in LENGTHS.items():
        found = _at(fields, number - (name == "MSH")).split("~")
        if name == fields[0] and any(len(each) > most for each in found):
            yield f"{name}-{number}", f"this has more than {most} characters; cut it, or limit the field by maxLength"


def _empty(fields: list[str]) -> Iterator[tuple[str, str]]:
    """Yield fields that have components, and not the first one."""
    for (name, number), what in FIRST.items():
        if name == fields[0] and _at(fields, number).startswith("^") and _at(fields, number).strip("^"):
            yield f"{name}-{number}", f"the {what} itself, {name}-{number}.1, is empty"


def _observed(fields: list[str]) -> Iterator[tuple[str, str]]:
    """Yield values of OBX-5 that lack what their type in OBX-2 has."""
    kind, value = (_at(fields, 2), _at(fields, 5)) if fields[0] == "OBX" else ("", "")
    if kind in CODED and value and "^" not in value:
        yield "OBX-5", f"a {kind} has a code, a text and the name of its table: I10^Hypertension^I10"
    if kind == "ED" and value and value.count("^") < 4:
        yield "OBX-5", "an ED has five components: the source, type, subtype, Base64 and the data"


def _header(text: str, fields: list[str]) -> Iterator[tuple[str, str]]:
    """Yield what is unusual in MSH; MSH-1 is the separator, so indexes shift."""
    version = _at(fields, 11).split("^")[0]
    if text[4:8] != DELIMITERS:
        yield "line 1, MSH-2", f"the delimiters are nearly always {DELIMITERS}, in this order"
    kind = _at(fields, 8).split("^")
    if version >= "2.5" and kind[0] != "ACK" and len(kind) < 3:
        yield "line 1, MSH-9", "the message's structure, MSH-9.3, is missing"
    if version >= "2.5" and kind[0] in JUDGED and len(kind) > 2 and kind[2] != tables.structure_of(*kind[:2]):
        yield "line 1, MSH-9", "the message's structure, MSH-9.3, is not that of its event (table 0354)"


def _at(fields: list[str], index: int) -> str:
    return fields[index] if index < len(fields) else ""


def _counted(segments: list[list[str]]) -> Iterator[tuple[str, str]]:
    """Yield set ids that do not count from 1 over consecutive segments of a name."""
    for name, group in groupby(enumerate(segments, 1), key=lambda each: each[1][0]):
        for wanted, (number, fields) in enumerate(group, 1):
            if name in NUMBERED and _at(fields, 1) not in ("", str(wanted)):
                yield f"line {number}, {name}-1", f"the set id does not count: number {wanted} of its segments in a row"
                break
