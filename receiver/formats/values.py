"""The plain text of a value, and characters that formats or encodings forbid.

`str.isprintable` is the quick way past the latter: it is false for controls, surrogates, line breaks and unassigned
code points, so only the rare value that has some is looked at closely. A value that goes through an escaper has no lone
surrogate, and all else can be expressed in any UTF. So only what is printed raw, and what goes into another encoding,
needs `expressible`.
"""

import codecs
import math
from collections.abc import Callable
from datetime import date, time
from decimal import Decimal

from jinja2.runtime import Undefined

from receiver.formats.errors import MisplacedError, RefusedError
from receiver.metadata.xml_names import Names

SEVERAL = "is several elements: say which one, [0], or go through them in a loop"
SURROGATES = dict.fromkeys(range(0xD800, 0xE000))
CONTROLS = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)])
LINE_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"  # what str.splitlines parts at


def text(value: object) -> str:
    """Return a value's text: "" for null, true and false, digits, ISO 8601 for dates.

    A list or an object has no text: it raises `RefusedError`.
    """
    if isinstance(value, str):
        return str(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return number(value)
    if isinstance(value, date | time):  # a datetime is a date
        return value.isoformat()
    if isinstance(value, Undefined):
        return str(value)  # raises MissingNameError
    if isinstance(value, Names):
        return _element(value)
    raise RefusedError(f"is {kind(value)}, not a single value (print its items in a loop, or use `join`)")


def _element(names: Names) -> str:
    try:
        return str(names)
    except ValueError:
        raise RefusedError(SEVERAL) from None


def number(value: float | Decimal) -> str:
    """Return the digits of a finite number.

    Raises `RefusedError` for NaN and the infinities.
    """
    if isinstance(value, int):
        return str(int(value))
    if not math.isfinite(value):
        raise RefusedError("is not a finite number")
    return format(value, "f") if isinstance(value, Decimal) else repr(value)


def kind(value: object) -> str:
    """Name the kind of a value that is not a single one."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    return "not a text or number"


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
    """Raise `MisplacedError` at the first character that the encoding cannot express."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError as error:
        character = text[error.start]
        message = f'"{character}" (U+{ord(character):04X}) cannot be expressed in {encoding}'
        raise MisplacedError(message, "use utf-8, or write it otherwise", error.start) from None
