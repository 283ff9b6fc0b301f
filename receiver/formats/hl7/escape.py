"""HL7 v2: delimiters in values are escaped (HL7 v2.5.1 §2.7), the escape first.

The delimiters are those that the template's MSH segment declares (MSH-1 and MSH-2, also of FHS and BHS), `|^~\\&`
until then; a fifth character in MSH-2 is the truncation character of v2.7. A value cannot stand in MSH-1, MSH-2 or a
segment's name.

A line break in a value would end its segment. It becomes `\\.br\\` where the standard has formatted text: in the fields
of that type, NTE-3 above all, in OBX-5 if the template writes FT or TX in OBX-2, and where the author says so with
`| hl7_text`. Elsewhere line breaks and tabs become one blank.

A value of nothing but quotation marks, as ditto marks are, would be HL7's null, and is refused; `| hl7_null` prints it.
Other control characters, which transports take for the ends of messages, are refused with the field's name.

One line of the template is one segment, may be indented, and ends with CR in the record; empty lines are dropped.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from receiver.formats import values
from receiver.formats.errors import MisplacedError, RefusedError
from receiver.formats.values import CONTROLS, LINE_BREAKS, refuse, refuse_surrogates

STRUCTURE = "|^~\\&\r\n"
MARKS = frozenset({"hl7_text", "hl7_null"})
NULL = '""'  # deletes what the receiver has (HL7 v2.5.1 §2.5.3)

HEADERS = frozenset({"MSH", "FHS", "BHS"})
FORMATTED = frozenset(  # fields of type FT, alike from v2.3.1 to v2.8 (HL7 v2.5.1 §2.A.31)
    {("NTE", 3), ("EQP", 5), ("PES", 7), ("PES", 8), ("PSH", 9), ("PSH", 12)}
    | {("CON", field) for field in range(5, 10)}
    | {("PEO", field) for field in range(13, 17)}
)
TEXTS = frozenset({"FT", "TX"})  # what OBX-2 says of an OBX-5 with lines (HL7 v2.5.1 §7.4.2.2)
LETTERS = "FSRETP"  # of the escape sequences, in the order in which the delimiters are declared
INDENTATION = re.compile(r"\n[ \t\n]+")
UNKNOWN, EDGE = -1, -2  # branches differ: some field of a segment; a segment may have ended here


class State(NamedTuple):
    """A place in an HL7 message."""

    delimiters: str = "|^~\\&"  # field, component, repetition, escape, subcomponent, perhaps truncation
    segment: str = ""  # its name, as far as seen
    field: int = 0  # 0 within the segment's name
    declared: str | None = None  # within MSH-2: what has been seen of it
    observed: str = ""  # the type in OBX-2, as far as the template writes it out


START = State()


def advance(state: State, text: str) -> State:
    """Return the place after some literal text.

    Raises `MisplacedError` for what cannot be a segment.
    """
    for offset, character in enumerate(text):
        state = _step(state, character, offset)
    return state


def _step(state: State, character: str, offset: int) -> State:
    if character in "\r\n":
        return _end(state, offset)
    if state.field == EDGE:
        raise MisplacedError("a segment does not begin on a line of its own", "", offset)
    if state.declared is not None:
        return _declare(state, character, offset)
    if state.field == 0:
        return _name(state, character, offset)
    if character == state.delimiters[0] and state.field != UNKNOWN:
        return state._replace(field=state.field + 1)
    if (state.segment, state.field) == ("OBX", 2):
        return state._replace(observed=state.observed + character)
    return state


def _end(state: State, offset: int) -> State:
    if state.declared is not None:
        state = _declare(state, state.delimiters[0], offset)
    return State(state.delimiters)


def _name(state: State, character: str, offset: int) -> State:
    if len(state.segment) < 3:
        if not state.segment and character in " \t":
            return state
        if not (character.isascii() and character.isalnum()):
            raise MisplacedError("a segment's name has three letters or digits", "one line is one segment", offset)
        return state._replace(segment=state.segment + character)
    if state.segment in HEADERS:
        return State(character + state.delimiters[1:], state.segment, 2, "")
    if character != state.delimiters[0]:
        raise MisplacedError(
            f'"{state.delimiters[0]}" is expected after a segment\'s name', "one line is one segment", offset
        )
    return state._replace(field=1)


def _declare(state: State, character: str, offset: int) -> State:
    seen = state.declared or ""
    if character != state.delimiters[0]:
        return state._replace(declared=seen + character)
    delimiters = character + seen
    distinct = len(set(delimiters)) == len(delimiters) in (5, 6)
    if not distinct or any(each.isalnum() or not each.isprintable() or each == " " for each in delimiters):
        raise MisplacedError(f"{state.segment}-2 declares four different characters", r"write ^~\&", offset)
    return State(delimiters, state.segment, 3)


def escaper(state: State, mark: str | None) -> Callable[[object], str]:
    """Return the escaper for a value at this place.

    Raises `MisplacedError` in a segment's name, MSH-1 and MSH-2.
    """
    if state.declared is not None or (state.field == 0 and state.segment in HEADERS):
        raise MisplacedError(f"a value in {state.segment}-1 or {state.segment}-2", r"write the delimiters out: |^~\&|")
    if state.field in (0, EDGE):
        raise MisplacedError(f"a value {describe(state)}", "write the segment's name out")
    place = (state.segment, state.field)
    lines = place in FORMATTED or (place == ("OBX", 5) and state.observed in TEXTS)
    leaf = _leaf(state.delimiters, lines or mark == "hl7_text")
    return _or_null(leaf) if mark == "hl7_null" else leaf


def after(state: State) -> State:
    """Return the context after a printed value; in OBX-2 its type is unknown then."""
    return state._replace(observed="?") if (state.segment, state.field) == ("OBX", 2) else state


def merge(one: State, other: State) -> State | None:
    """Return the place where two branches go on together, or None if they cannot."""
    if one == other:
        return one
    if one.delimiters != other.delimiters or one.declared is not None or other.declared is not None:
        return None
    if 0 not in (one.field, other.field) and EDGE not in (one.field, other.field):
        field = one.field if one.field == other.field else UNKNOWN
        segment = one.segment if one.segment == other.segment else ""
        return State(one.delimiters, segment, field, None, observed="?")  # who differs elsewhere is in no known field
    begun = [state for state in (one, other) if state.field == 0 and state.segment]
    return None if begun else State(one.delimiters, "", EDGE)


def resume(state: State) -> State | None:
    """Return the start of the next segment."""
    return State(state.delimiters)


def describe(state: State) -> str:
    """Say where a value would stand."""
    if state.field == EDGE:
        return "where a segment may have ended"
    if state.field == 0:
        return "in a segment's name"
    return f"in {state.segment}-{state.field}" if state.segment and state.field > 0 else "in a field"


def finish(text: str) -> str:
    """End each segment with CR; indentation and empty lines are dropped."""
    lines = INDENTATION.sub("\n", f"\n{text}\n".replace("\r", "\n"))
    return lines[1:].replace("\n", "\r")


@cache
def _leaf(delimiters: str, formatted: bool) -> Callable[[object], str]:
    mark = delimiters[3]
    escapes = [(each, f"{mark}{letter}{mark}") for each, letter in zip(delimiters, LETTERS, strict=False)]
    escapes.sort(key=lambda escape: escape[0] != mark)
    line_break = f"{mark}.br{mark}" if formatted else " "
    special = frozenset(delimiters + '"')

    def leaf(value: object) -> str:
        """Escape a value's delimiters and line breaks."""
        plain = value if type(value) is str else values.text(value)
        if plain.isalnum() or (special.isdisjoint(plain) and plain.isprintable()):
            return plain
        if '"' in plain and _is_quotes(plain):
            why = 'is nothing but quotation marks, and HL7 reads "" as "delete what you have"'
            raise RefusedError(f"{why} (where that is meant, `| hl7_null` prints it)", "hl7_null", _is_quotes)
        for delimiter, escaped in escapes:
            plain = plain.replace(delimiter, escaped)
        return plain if plain.isprintable() else _one_line(plain, line_break)

    return leaf


def _or_null(leaf: Callable[[object], str]) -> Callable[[object], str]:
    """Return an escaper that prints HL7's null for what is empty."""

    def printed(value: object) -> str:
        plain = values.text(value)
        return leaf(plain) if plain.strip() and not _is_quotes(plain) else NULL

    return printed


def _is_quotes(plain: str) -> bool:
    return '"' in plain and not plain.replace('"', "").strip()


def _one_line(plain: str, line_break: str) -> str:
    plain = plain.replace("\r\n", "\n").replace("\t", " ")
    for character in LINE_BREAKS:
        if character not in "\x1c\x1d\x1e":
            plain = plain.replace(character, line_break)
    refuse(plain, CONTROLS, "contains a control character")
    refuse_surrogates(plain)
    return plain
