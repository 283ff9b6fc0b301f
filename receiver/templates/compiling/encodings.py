"""Characters that an encoding cannot express: in literal text a fault, in a value an error with its field's name.

A value that goes through an escaper has no lone surrogate, and all else can be expressed in any UTF. So only what is
printed raw, and what goes into another encoding, is looked at here.
"""

import codecs
from collections.abc import Callable

from receiver.formats.errors import Misplaced, Refused


def universal(encoding: str) -> bool:
    """Tell whether an encoding can express every character."""
    return codecs.lookup(encoding).name.startswith("utf-")


def checked(escaper: Callable[[object], str], encoding: str) -> Callable[[object], str]:
    """Return an escaper that refuses what the encoding cannot express."""

    def escape(value: object) -> str:
        text = escaper(value)
        if text.isascii() or not offends(text):
            return text
        raise Refused(f"has a character that cannot be expressed in {encoding}", "encoding", offends)

    def offends(text: str) -> bool:
        try:
            text.encode(encoding)
        except UnicodeEncodeError:
            return True
        return False

    return escape


def literal(text: str, encoding: str) -> None:
    """Raise `Misplaced` for literal text that the encoding cannot express, at its first such character."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError as error:
        character = text[error.start]
        message = f'"{character}" (U+{ord(character):04X}) cannot be expressed in {encoding}'
        raise Misplaced(message, "use utf-8, or write it otherwise", error.start) from None
