"""Characters that the formats have to refuse or replace, and those that an encoding cannot express.

`str.isprintable` is the quick way past all of it: it is false for controls, surrogates, line breaks and
unassigned code points, so only the rare value that has some is looked at closely.

A value that goes through an escaper has no lone surrogate, and all else can be expressed in any UTF. So only what is
printed raw, and what goes into another encoding, needs `expressible`.
"""

import codecs
from collections.abc import Callable

from receiver.formats.errors import MisplacedError, RefusedError

SURROGATES = dict.fromkeys(range(0xD800, 0xE000))
CONTROLS = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)])
LINE_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"  # what str.splitlines parts at


def refuse(text: str, characters: dict[int, None], reason: str) -> None:
    """Raise `RefusedError` if a text has one of the characters."""

    def offends(text: str) -> bool:
        return len(text.translate(characters)) != len(text)

    if offends(text):
        raise RefusedError(reason, "character", offends)


def refuse_surrogates(text: str) -> None:
    """Raise `RefusedError` for half a character, which no encoding can express."""
    refuse(text, SURROGATES, "contains half a character (a lone surrogate)")


def universal(encoding: str) -> bool:
    """Return whether an encoding can express every character."""
    return codecs.lookup(encoding).name.startswith("utf-")


def expressible(escaper: Callable[[object], str], encoding: str) -> Callable[[object], str]:
    """Return an escaper that refuses what the encoding cannot express."""

    def escape(value: object) -> str:
        text = escaper(value)
        if text.isascii() or not offends(text):
            return text
        raise RefusedError(f"has a character that cannot be expressed in {encoding}", "encoding", offends)

    def offends(text: str) -> bool:
        try:
            text.encode(encoding)
        except UnicodeEncodeError:
            return True
        return False

    return escape


def express(text: str, encoding: str) -> None:
    """Raise `MisplacedError` for literal text that the encoding cannot express, at its first such character."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError as error:
        character = text[error.start]
        message = f'"{character}" (U+{ord(character):04X}) cannot be expressed in {encoding}'
        raise MisplacedError(message, "use utf-8, or write it otherwise", error.start) from None
