"""Plain text: a value stays within its line; line breaks in it are refused.

What a record forbids besides, delimiters that have no escape, is the state of its text: it is the same everywhere.
"""

from collections.abc import Callable
from functools import cache

from receiver.formats import values
from receiver.formats.values import CONTROLS, LINE_BREAKS, refuse, refuse_surrogates

START = ""  # the characters that are forbidden
STRUCTURE = "\r\n"
MARKS: frozenset[str] = frozenset()

BREAKS = dict.fromkeys(map(ord, LINE_BREAKS))


def escape(value: object) -> str:
    """Return a value's text.

    Raises `RefusedError` for line breaks and control characters.
    """
    plain = value if type(value) is str else values.text(value)
    if not plain.isprintable():
        refuse(plain, BREAKS, "contains a line break, which a line of text cannot hold")
        refuse(plain, CONTROLS, "contains a control character")
        refuse_surrogates(plain)
    return plain


def advance(state: str, _text: str) -> str:
    """Stay: all of a text record is one place."""
    return state


@cache
def _without(forbidden: str) -> Callable[[object], str]:
    characters = dict.fromkeys(map(ord, forbidden))

    def escape_without(value: object) -> str:
        """Return a value's text.

        Raises `RefusedError` for what `escape` refuses, and for what is forbidden.
        """
        plain = escape(value)
        refuse(plain, characters, "contains a character that the record forbids")
        return plain

    return escape_without


def escaper(state: str, _mark: str | None) -> Callable[[object], str]:
    """Return the escaper for a value."""
    return _without(state) if state else escape


def after(state: str) -> str:
    """Stay."""
    return state


def merge(one: str, _other: str) -> str | None:
    """Return the context of two branches: always the same one."""
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
