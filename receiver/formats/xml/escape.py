"""XML 1.0: values stand in text and in quoted attributes.

In text, `& < >` and the carriage return are escaped; in attributes also both quotes and white space other than
the blank, which a parser would change (XML 1.0 §3.3.3). What XML forbids outright (§2.2: controls, surrogates,
U+FFFE, U+FFFF) is refused with the field's name. Nothing can be escaped in names, comments, CDATA sections and
processing instructions, so a value there is a fault.
"""

from collections.abc import Callable
from typing import NamedTuple

from receiver.formats import values
from receiver.formats.errors import MisplacedError
from receiver.formats.values import SURROGATES, refuse

STRUCTURE = "<>&"
MARKS: frozenset[str] = frozenset()

FORBIDDEN = SURROGATES | dict.fromkeys([*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0xFFFE, 0xFFFF])
ENDS = {"comment": "-->", "cdata": "]]>", "instruction": "?>", "declaration": ">", "end tag": ">"}
OPENERS = {"<!--": "comment", "<![CDATA[": "cdata", "<?": "instruction", "</": "end tag"}
PLACES = {
    "markup": "in a tag's name",
    "tag": "in a tag, outside of an attribute's quotes",
    "equals": "as an attribute without quotes",
    "comment": "inside a comment",
    "cdata": "inside a CDATA section",
    "instruction": "inside a processing instruction",
    "declaration": "inside a declaration",
    "end tag": "in an end tag",
    '"': "inside an attribute",
    "'": "inside an attribute",
    "text": "in text",
}


class State(NamedTuple):
    """A place in an XML text."""

    place: str = "text"  # one of PLACES; a quote stands for an attribute in such quotes
    tail: str = ""  # what has been seen of an opening or closing sequence


START = State()


def advance(state: State, text: str) -> State:
    """Return the place after some literal text."""
    for offset, character in enumerate(text):
        state = _step(state, character, offset)
    return state


def _step(state: State, character: str, offset: int) -> State:
    place = state.place
    if place == "text":
        return State("markup", "<") if character == "<" else state
    if place == "markup":
        return _markup(state.tail + character, offset)
    if place in ENDS:
        tail = (state.tail + character)[-3:]
        return START if tail.endswith(ENDS[place]) else State(place, tail)
    if place in "\"'":
        return State("tag") if character == place else state
    return _tag(state, character, offset)


def _markup(seen: str, offset: int) -> State:
    if seen in OPENERS:
        return State(OPENERS[seen])
    if any(opener.startswith(seen) for opener in OPENERS):
        return State("markup", seen)
    if seen.startswith("<!"):
        return State("declaration")
    return _tag(State("tag"), seen[-1], offset)


def _tag(state: State, character: str, offset: int) -> State:
    if state.place == "equals" and character in "\"'":
        return State(character)
    if state.place == "equals" and not character.isspace():
        raise MisplacedError("an attribute without quotes", 'write name="…"', offset)
    if character == "=":
        return State("equals")
    return START if character == ">" else state


def escaper(state: State, _mark: str | None) -> Callable[[object], str]:
    """Return the escaper for a value at this place.

    Raises `MisplacedError` if XML can escape nothing.
    """
    if state.place == "text":
        return content
    if state.place in "\"'":
        return attribute
    hint = (
        'put it in quotes: name="{{ … }}"'
        if state.place in ("tag", "equals")
        else "values stand in text and attributes"
    )
    raise MisplacedError(f"a value {describe(state)}", hint)


def after(state: State) -> State:
    """Return the place once a value was printed."""
    return state


def merge(one: State, other: State) -> State | None:
    """Return the place where two branches go on together, or None if they cannot."""
    if one == other:
        return one
    return State(one.place) if one.place == other.place and one.place in ENDS else None


def resume(_state: State) -> State | None:
    """Nothing is sure after a fault."""
    return None


def describe(state: State) -> str:
    """Say where a value would stand."""
    return PLACES[state.place]


def finish(text: str) -> str:
    """Leave the text as it is."""
    return text


def content(value: object) -> str:
    """Escape a value for text."""
    plain = value if type(value) is str else values.text(value)
    plain = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if not plain.isprintable():
        refuse(plain, FORBIDDEN, "contains a character that XML cannot express")
        plain = plain.replace("\r", "&#13;")
    return plain


def attribute(value: object) -> str:
    """Escape a value for an attribute in either kind of quotes."""
    plain = content(value).replace('"', "&quot;").replace("'", "&#39;")
    if not plain.isprintable():
        plain = plain.replace("\n", "&#10;").replace("\t", "&#9;")
    return plain
