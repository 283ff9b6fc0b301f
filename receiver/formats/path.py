"""Paths within the output folder; each value becomes a safe part of one name.

Separators, characters that some file system forbids and controls become "_"; marks that nobody sees (bidirectional
ones among others) go; all is NFC. A component never begins with a dot or blank, ends with one, is empty, is a reserved
name of Windows or is longer than MAX_COMPONENT; the whole is not longer than MAX_PATH.
"""

import unicodedata
from collections.abc import Callable

from receiver.formats import values
from receiver.formats.errors import MisplacedError, RefusedError

START = "start"  # of a component; otherwise "middle"
STRUCTURE = "/\\\r\n"
MARKS: frozenset[str] = frozenset()

MAX_VALUE = 120  # bytes of one value: leaves room in a component for an id, a suffix and a stage's own name
MAX_COMPONENT = 250  # bytes: of the 255 that file systems hold, five are left for -1000, which tells namesakes apart
MAX_PATH = 1_024  # bytes of all of it: Linux takes 4,096, of which the output folder has its share
FORBIDDEN = frozenset('/\\:*?"<>|')
RESERVED = frozenset({"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}) | {
    f"{port}{number}" for port in ("COM", "LPT") for number in "0123456789¹²³"
}


def advance(state: str, text: str) -> str:
    """Return the place after some literal text.

    Raises `MisplacedError` for what cannot stand in a path.
    """
    for offset, character in enumerate(text):
        if character == "/":
            if state == "start" and offset == 0:
                raise MisplacedError("a path begins with a name, not with /", "it is relative to the output folder")
            state = "start"
        elif character in FORBIDDEN or not character.isprintable():
            hint = "write / between folders, and _ or - for what no file system takes"
            raise MisplacedError(f"{character!r} cannot stand in a file's name", hint, offset)
        elif character in ". " and state == "start":
            hint = "begin it with a letter or a digit"
            raise MisplacedError("a name cannot begin with a dot or a blank", hint, offset)
        else:
            state = "middle"
    return state


def escaper(state: str, _mark: str | None) -> Callable[[object], str]:
    """Return the escaper for a value at this place."""
    return first if state == "start" else piece


def after(_state: str) -> str:
    """Return the place once a value was printed."""
    return "middle"


def merge(one: str, other: str) -> str | None:
    """Return the place where two branches go on together: perhaps still at the start."""
    return one if one == other else "start"


def resume(state: str) -> str | None:
    """Stay."""
    return state


def describe(_state: str) -> str:
    """Say where a value would stand."""
    return "in a path"


def finish(text: str) -> str:
    """Make every component safe as a whole.

    Raises `RefusedError` for an empty or too long one, or too many of them.
    """
    path = "/".join(map(_component, unicodedata.normalize("NFC", text).split("/")))
    if len(path.encode()) > MAX_PATH:
        raise RefusedError(f"The path has more than {MAX_PATH:,} bytes.", "path")
    return path


def _component(text: str) -> str:
    name = text.strip(". ")
    if not name:
        raise RefusedError("The path has an empty name in it.", "path")
    if name.split(".")[0].rstrip().upper() in RESERVED:
        name = f"_{name}"
    if len(name.encode()) > MAX_COMPONENT:
        raise RefusedError(f"The path has a name of more than {MAX_COMPONENT} bytes in it.", "path")
    return name


def first(value: object) -> str:
    """Print a value at a component's start: not empty, no leading dots or blanks."""
    return piece(value).lstrip(". ") or "_"


def piece(value: object) -> str:
    """Print a value within a component."""
    plain = value if type(value) is str else values.text(value)
    if not (plain.isalnum() or (plain.isprintable() and FORBIDDEN.isdisjoint(plain))):
        plain = "".join(map(_character, plain))
    if plain.isascii():  # as nearly always: the shortest way
        return plain[:MAX_VALUE]
    return unicodedata.normalize("NFC", plain).encode()[:MAX_VALUE].decode(errors="ignore")


def _character(character: str) -> str:
    if character in FORBIDDEN:
        return "_"
    if character.isprintable():
        return character
    category = unicodedata.category(character)
    if category == "Cf":
        return ""
    return " " if category == "Zs" else "_"
