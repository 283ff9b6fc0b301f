"""Plain text: lines. A value stays within its line, so line breaks and control characters in it are refused."""

from collections.abc import Callable

from receiver.mapping import values
from receiver.mapping.formats.characters import CONTROLS, LINE_BREAKS, refuse, refuse_surrogates

START = "text"
STRUCTURE = "\r\n"
MARKS: frozenset[str] = frozenset()

BREAKS = dict.fromkeys(map(ord, LINE_BREAKS))


def escape(value: object) -> str:
    """Return a value's text. Raises `Refused` for line breaks and control characters."""
    plain = value if type(value) is str else values.text(value)
    if not plain.isprintable():
        refuse(plain, BREAKS, "contains a line break, which a line of text cannot hold")
        refuse(plain, CONTROLS, "contains a control character")
        refuse_surrogates(plain)
    return plain


def advance(state: str, _text: str) -> str:
    """Stay: all of a text record is one place."""
    return state


def escaper(_state: str, _mark: str | None) -> Callable[[object], str]:
    """Return the escaper for a value."""
    return escape


def after(state: str) -> str:
    """Stay."""
    return state


def meet(one: str, _other: str) -> str | None:
    """Branches always meet."""
    return one


def resume(state: str) -> str | None:
    """Stay."""
    return state


def describe(_state: str) -> str:
    """Say where a value would stand."""
    return "in a line of text"


def finish(text: str) -> str:
    """Leave the text as it is."""
    return text
