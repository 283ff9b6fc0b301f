"""JSON (RFC 8259): values print as JSON values, inside quotes as their content.

    {"name": {{ fields.patient_name }}}     → {"name": "O\\"Brien"}, or a number, true, null, a list, an object
    "urn:{{ delivery.id }}"                 → the content, escaped; null is empty here
    { {{ fields.kind }}: 1 }                → a key is always a string

The scanner knows where a value, a key, a colon or the end of an element is expected. Where branches differ, it keeps
what any of them expects: `[{% for … %}{{ … }}{% if not loop.last %},{% endif %}{% endfor %}]` is right.
Whether the whole is well formed, trailing commas among others, is judged on the record itself.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any, NamedTuple

from receiver.formats import budget, values
from receiver.formats.errors import MisplacedError, RefusedError
from receiver.formats.values import refuse_surrogates

STRUCTURE = '"\\{}[]'
MARKS: frozenset[str] = frozenset()

SPACE = " \t\r\n"
CONTAINERS = (list, tuple, dict, Iterator)
MAX_DEPTH = 64  # levels of a list or object that is printed: as many as metadata may have
CLOSERS = {"}": "{", "]": "["}


HINTS = {  # what to write, by what is expected
    "value": "a value is a number, true, false, null, or text in double quotes",
    "key": 'a key stands in double quotes: "name": …',
    "colon": 'write ":" between a key and its value',
    "literal": 'put it into the quotes: "{{ … }}x"',
    "end": 'write "," between two elements, and text in double quotes: "{{ … }}x"',
}


class State(NamedTuple):
    """A place in a JSON text."""

    stack: str = ""  # the open containers: "{["
    expect: str = "value"  # value, key, colon or end; "literal" inside a number, true, false or null
    string: str = ""  # inside a quoted string: what it is, "key" or "value"
    escape: str = ""  # the part of an escape sequence that has been seen: "\\u00"


START = State()


def advance(state: State, text: str) -> State:
    """Return the place after some literal text.

    Raises `MisplacedError` if it cannot be JSON.
    """
    for offset, character in enumerate(text):
        step = _inside if state.string else _outside
        state = step(state, character, offset)
    return state


def _inside(state: State, character: str, offset: int) -> State:
    if state.escape:
        escape = state.escape + character
        complete = len(escape) == 6 if escape[1] == "u" else len(escape) == 2
        return state._replace(escape="" if complete else escape)
    if character == "\\":
        return state._replace(escape=character)
    if character == '"':
        return state._replace(string="", expect="colon" if state.string == "key" else "end")
    if character in "\r\n":
        raise MisplacedError("a line break inside a quoted string", "write \\n", offset)
    return state


def _outside(state: State, character: str, offset: int) -> State:
    if character in SPACE:
        return state._replace(expect="end") if state.expect == "literal" else state
    if character in CLOSERS:
        if not state.stack.endswith(CLOSERS[character]):
            raise MisplacedError(f'"{character}" closes nothing', "remove it, or open it before", offset)
        return state._replace(stack=state.stack[:-1], expect="end")
    if character == "," and state.stack:
        return state._replace(expect="key" if state.stack[-1] == "{" else "value")
    if character == ":" and state.expect == "colon":
        return state._replace(expect="value")
    if character == '"' and state.expect in ("key", "value"):
        return state._replace(string=state.expect)
    if character in "{[" and state.expect == "value":
        return state._replace(stack=state.stack + character, expect="key" if character == "{" else "value")
    if state.expect == "literal" or (state.expect == "value" and character not in ",:"):
        return state._replace(expect="literal")
    shown = "a double quote" if character == '"' else f'"{character}"'
    raise MisplacedError(f"{shown} {describe(state)}", HINTS[state.expect], offset)


def escaper(state: State, _mark: str | None) -> Callable[[object], str]:
    """Return the escaper for a value at this place.

    Raises `MisplacedError` if JSON allows none.
    """
    if state.escape:
        raise MisplacedError("a value within an escape sequence", "finish the sequence first")
    if state.string:
        return content
    if state.expect == "value":
        return value
    if state.expect == "key":
        return key
    raise MisplacedError(f"a value {describe(state)}", 'a value stands after "[", ":" or ",", or inside quotes')


def after(state: State) -> State:
    """Return the place once a value was printed."""
    if state.string:
        return state
    return state._replace(expect="colon" if state.expect == "key" else "end")


def merge(one: State, other: State) -> State | None:
    """Return the place where two branches go on together, or None if they cannot."""
    if one == other:
        return one
    if one._replace(expect="") != other._replace(expect="") or one.string:
        return None
    expected = {one.expect, other.expect}
    if expected == {"literal", "end"}:
        return one._replace(expect="end")
    rest = expected - {"end", "literal"}
    if len(rest) == 1 and rest <= {"value", "key"}:
        return one._replace(expect=rest.pop())
    return None


def resume(_state: State) -> State | None:
    """Nothing is sure after a fault."""
    return None


def describe(state: State) -> str:
    """Say where a value would stand."""
    if state.string:
        return "inside a quoted string"
    if state.expect == "value":
        return "where a value is expected"
    if state.expect == "key":
        return "where a key is expected"
    if state.expect == "literal":
        return "right after a number or a word"
    return 'where ":" is expected' if state.expect == "colon" else "where an element has ended"


def finish(text: str) -> str:
    """Leave the text as it is."""
    return text


def value(value: object) -> str:
    """Print a value as JSON: quoted text, number, true, false, null, list or object."""
    if type(value) is str:
        if not value.isprintable():
            refuse_surrogates(value)
        return encode_basestring(value)
    if value is None:
        return "null"
    if isinstance(value, CONTAINERS):
        return budget.made(_container(value))
    plain = values.text(value)
    return plain if isinstance(value, int | float | Decimal) else encode_basestring(plain)


def content(value: object) -> str:
    """Print a value's text as the content of a quoted string."""
    plain = value if type(value) is str else values.text(value)
    if not plain.isprintable():
        refuse_surrogates(plain)
    return encode_basestring(plain)[1:-1]


def key(value: object) -> str:
    """Print a value's text as a key."""
    return f'"{content(value)}"'


def _container(container: Any, depth: int = 0) -> str:
    if depth > MAX_DEPTH:
        raise RefusedError(f"is nested deeper than {MAX_DEPTH} levels")
    if isinstance(container, dict):
        members = (f"{_name(name)}: {_element(each, depth)}" for name, each in budget.each(container.items()))
        return "{" + ", ".join(members) + "}"
    return "[" + ", ".join(_element(each, depth) for each in budget.each(container)) + "]"


def _element(each: object, depth: int) -> str:
    return _container(each, depth + 1) if isinstance(each, CONTAINERS) else value(each)


def _name(name: object) -> str:
    if isinstance(name, list | tuple | dict):
        raise RefusedError("holds a key that is no text")
    return key(name)
