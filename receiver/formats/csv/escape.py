"""CSV (RFC 4180) with the formula guard of OWASP ASVS 1.2.10.

A value is a whole cell, quoted where it must be, or stands inside quotes of the template's own:

    {{ fields.mrn }},{{ fields.patient_name }},"{{ fields.dose }} mg"

Text beside a value outside of quotes is a fault: the value may need quotes. A value that a spreadsheet would take
for a formula gets a ' in front; plain numbers such as -12.5 or -12,5 do not. `| unguarded` leaves the guard away,
`| raw` all. Rows end with CRLF, empty lines are dropped.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from receiver.formats import values
from receiver.formats.errors import MisplacedError
from receiver.formats.values import CONTROLS, refuse, refuse_surrogates

STRUCTURE = '"\r\n'
MARKS = frozenset({"unguarded"})

FORMULA = frozenset("=+-@\t\r\n＝＋－＠")  # what spreadsheets take for the start of one
FORBIDDEN = {code: None for code in CONTROLS if chr(code) not in "\t\r\n"}
OUTSIDE = ("empty", "text", "closed")  # a cell without quotes, the stricter the later
PLACES = {
    "empty": "at a cell's start",
    "text": "beside other text of its cell",
    "closed": "beside the value of its cell",
    "opened": "inside quotes",
    "quoted": "inside quotes",
    "quote": "right after the closing quote",
}


class State(NamedTuple):
    """A place in a CSV text."""

    place: str = "empty"  # one of PLACES; "opened": inside quotes, perhaps still at the cell's start
    delimiter: str = ","
    quote: str = "needed"  # or "always"


START = State()


def start(delimiter: str, quote: str) -> State:
    """Return the context at the start of a record; `quote` is "needed" or "always"."""
    return State(delimiter=delimiter, quote=quote)


def advance(state: State, text: str) -> State:
    """Return the place after some literal text.

    Raises `MisplacedError` for text beside a value or stray quotes.
    """
    for offset, character in enumerate(text):
        state = state._replace(place=_step(state, character, offset))
    return state


def _step(state: State, character: str, offset: int) -> str:
    place = state.place
    if place in ("opened", "quoted"):
        return "quote" if character == '"' else "quoted"
    if character == state.delimiter or character in "\r\n":
        return "empty"
    if character == '"' and place in ("empty", "quote"):
        return "opened" if place == "empty" else "quoted"
    if place in ("empty", "text") and character != '"':
        return "text"
    shown = "a quote" if character == '"' else "text"
    hint = (
        "put the whole cell in quotes, and write a quote within it twice"
        if place == "text"
        else 'put the whole cell in quotes: "{{ … }} text"'
    )
    raise MisplacedError(f"{shown} {PLACES[place]}", hint, offset)


def escaper(state: State, mark: str | None) -> Callable[[object], str]:
    """Return the escaper for a value at this place.

    Raises `MisplacedError` beside other text outside of quotes.
    """
    guarded = mark != "unguarded"
    if state.place == "empty":
        return _cell(state.delimiter, guarded, state.quote == "always")
    if state.place == "opened" and guarded:
        return opened
    if state.place in ("opened", "quoted"):
        return quoted
    raise MisplacedError(f"a value {describe(state)}", 'put the whole cell in quotes: "{{ … }} {{ … }}"')


def after(state: State) -> State:
    """Return the place once a value was printed.

    After `opened` the cell may still be empty: the guard stays up.
    """
    return state._replace(place="closed") if state.place == "empty" else state


def merge(one: State, other: State) -> State | None:
    """Return the place where two branches go on together, or None if they cannot."""
    places = {one.place, other.place}
    if len(places) == 1:
        return one
    if places <= {*OUTSIDE, "quote"}:
        return one._replace(place="closed" if "quote" in places else max(places, key=OUTSIDE.index))
    return one._replace(place="opened") if places == {"opened", "quoted"} else None


def resume(state: State) -> State | None:
    """Return the start of the next row."""
    return None if state.place in ("opened", "quoted") else state._replace(place="empty")


def describe(state: State) -> str:
    """Say where a value would stand."""
    return PLACES[state.place]


def finish(text: str) -> str:
    """End rows with CRLF and drop empty lines; line breaks inside quotes are data."""
    pieces = text.split('"')
    for index in range(0, len(pieces), 2):  # outside of quotes: a doubled quote has an empty piece in its middle
        pieces[index] = pieces[index].replace("\r\n", "\n").replace("\r", "\n")
        while "\n\n" in pieces[index]:
            pieces[index] = pieces[index].replace("\n\n", "\n")
    pieces[0] = pieces[0].lstrip("\n")
    pieces[0::2] = [piece.replace("\n", "\r\n") for piece in pieces[0::2]]
    return '"'.join(pieces)


def _text(value: object) -> str:
    plain = value if type(value) is str else values.text(value)
    if not plain.isprintable():
        refuse(plain, FORBIDDEN, "contains a control character")
        refuse_surrogates(plain)
    return plain


def _guard(plain: str) -> str:
    stripped = plain.lstrip()
    if plain and (plain[0] in FORMULA or stripped[:1] in FORMULA) and not _is_number(plain):
        return "'" + plain
    return plain


def _is_number(plain: str) -> bool:
    digits = plain[1:] if plain[0] in "+-" else plain
    decimals = any(digits.replace(mark, "", 1).isdecimal() for mark in ".,")  # the comma is that of most of Europe
    return decimals and digits.isascii()


@cache
def _cell(delimiter: str, guarded: bool, always: bool) -> Callable[[object], str]:
    def cell(value: object) -> str:
        """Print a whole cell, in quotes if it needs them."""
        plain = _text(value)
        if plain.isalnum() and not always:
            return plain
        if guarded:
            plain = _guard(plain)
        structure = '"' in plain or delimiter in plain or "\n" in plain or "\r" in plain
        if always or structure or plain != plain.strip():
            return '"' + plain.replace('"', '""') + '"'
        return plain

    return cell


def opened(value: object) -> str:
    """Print a value inside quotes, at the cell's start."""
    return _guard(_text(value)).replace('"', '""')


def quoted(value: object) -> str:
    """Print a value inside quotes."""
    return _text(value).replace('"', '""')
