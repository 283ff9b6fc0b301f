"""Characters that the formats have to refuse or replace.

`str.isprintable` is the quick way past all of it: it is false for controls, surrogates, line breaks and
unassigned code points, so only the rare value that has some is looked at closely.
"""

from receiver.formats.errors import Refused

SURROGATES = dict.fromkeys(range(0xD800, 0xE000))
CONTROLS = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)])
LINE_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"  # what str.splitlines parts at


def refuse(text: str, characters: dict[int, None], reason: str) -> None:
    """Raise `Refused` if a text has one of the characters."""

    def offends(text: str) -> bool:
        return len(text.translate(characters)) != len(text)

    if offends(text):
        raise Refused(reason, "character", offends)


def refuse_surrogates(text: str) -> None:
    """Raise `Refused` for half a character, which no encoding can express."""
    refuse(text, SURROGATES, "contains half a character (a lone surrogate)")
