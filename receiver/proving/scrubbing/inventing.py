"""Invents texts of the same shape: letters for letters, digits for digits, dates for dates."""

import re
import unicodedata
from collections.abc import Collection
from functools import cache
from secrets import choice

from receiver.proving.scrubbing.dates import replaced

BLOCK = 64  # characters: the letters of one script stand close together
TRIES = 50  # until an invented text holds none of the original ones
SHORTEST = 3  # characters of a text that tells something: shorter ones come up by chance anyway

_DIGITS = re.compile(r"[0-9]+")


def invented(text: str, originals: Collection[str] = ()) -> str:
    """Return another text of the same shape that holds none of the originals, as far as chance allows.

    Each call invents anew; nothing leads back from the result.
    """
    for _ in range(TRIES):
        made = replaced(text, _of_the_same_shape)
        if made != text and not holds_any(made, originals):
            break
    return made


def holds_any(text: str, originals: Collection[str]) -> bool:
    """Tell whether a text holds one of the originals, in whatever case."""
    folded = text.casefold()
    return any(original in folded for original in originals)


def can_change(text: str) -> bool:
    """Tell whether there is anything to invent."""
    return any(map(_changes, text))


def other(character: str) -> str:
    """Return a character of the same kind: of its script and case, a digit for a digit."""
    return choice(_alike(character)) if _changes(character) else character


def _of_the_same_shape(text: str) -> str:
    return _DIGITS.sub(lambda found: _digits(found[0]), "".join(map(_letter, text)))


def _letter(character: str) -> str:
    return character if character in "0123456789" else other(character)


def _digits(run: str) -> str:
    """Return as many digits, with as many zeros before them: a number stays one."""
    kept = len(run) - len(run.lstrip("0"))
    if kept == len(run):
        return "".join(choice("123456789") for _ in run)
    return "0" * kept + choice("123456789") + "".join(choice("0123456789") for _ in run[kept + 1 :])


def _changes(character: str) -> bool:
    return unicodedata.category(character)[0] in "LN"


@cache
def _alike(character: str) -> str:
    start = ord(character) // BLOCK * BLOCK
    kind = unicodedata.category(character)
    return "".join(found for found in map(chr, range(start, start + BLOCK)) if unicodedata.category(found) == kind)
