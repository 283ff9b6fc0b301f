"""Text that is put together before it is printed.

The body of a set block, or of a macro within an expression.

Values are taken as they are, since the whole is escaped once, where it is printed. So its literal text is data,
too, and must not hold what is structure in the record: that would come out escaped.
The state is the record format's structural characters.
"""

from collections.abc import Callable

from receiver.formats import values
from receiver.formats.errors import MisplacedError

START = ""
STRUCTURE = ""
MARKS: frozenset[str] = frozenset()


def advance(state: str, text: str) -> str:
    """Refuse structural characters in literal text."""
    for offset, character in enumerate(text):
        if character in state:
            shown = "a line break" if character in "\r\n" else f'"{character}"'
            raise MisplacedError(
                f"{shown} in a text that is escaped later, where it is printed",
                "print a macro by itself, {{ name(…) }}, for text with structure in it",
                offset,
            )
    return state


def escaper(_state: str, _mark: str | None) -> Callable[[object], str]:
    """Return the plain text of a value."""
    return values.text


def after(state: str) -> str:
    """Stay."""
    return state


def merge(one: str, other: str) -> str | None:
    """Return the context of two branches: always the same one."""
    return one if one == other else None


def resume(state: str) -> str | None:
    """Stay."""
    return state


def describe(_state: str) -> str:
    """Say where a value would stand."""
    return "in a plain text"


def finish(text: str) -> str:
    """Leave the text as it is."""
    return text
