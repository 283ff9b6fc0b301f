"""Letters in ASCII: Łukasz, Nguyễn, Straße become Lukasz, Nguyen, Strasse."""

import unicodedata

from anyascii import anyascii

from receiver.formats import budget, values
from receiver.formats.errors import RefusedError

LETTERS = frozenset({"Lu", "Ll", "Lt", "Lo"})
NO_CHARACTERS = frozenset({"Cn", "Co", "Cs"})  # of Unicode's categories: unassigned, private, half a character
SIGNS = "ªºµ"  # letters by their category, of no alphabet
OKINA = str.maketrans("ʻ", "'")  # the one apostrophe that the table writes as another mark


def ascii(value: object) -> str:  # noqa: A001 (the word for it)
    """Write Latin letters, signs and punctuation in ASCII.

    Raises `RefusedError` for letters of other scripts: how 王 is spelled depends on whose name it is.
    """
    plain = budget.slow(values.text(value))
    if plain.isascii():
        return plain
    composed = unicodedata.normalize("NFC", plain)
    if not all(map(_is_expressible, composed)):
        raise RefusedError("has a letter that is not Latin, which ASCII has no one spelling for", "ascii", _offends)
    return budget.made(anyascii(composed.translate(OKINA)))


def _is_expressible(character: str) -> bool:
    if character in SIGNS:
        return True
    category = unicodedata.category(character)
    return category not in NO_CHARACTERS and (
        category not in LETTERS or "LATIN" in unicodedata.name(character, "").split()
    )


def _offends(text: str) -> bool:
    return not all(map(_is_expressible, unicodedata.normalize("NFC", text)))
