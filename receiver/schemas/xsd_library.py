"""What of xmlschema is exchanged: its engine for patterns, and two slow places.

- Patterns run on finite automata: time grows with the text, whatever the pattern. xmlschema translates them for
  Python's re, which backtracks: `(a+)+` and thirty letters stall a worker for good. Its translation is kept,
  jsonschema-rs's linear engine runs it, and a schema class of ours plugs that in.
- The paths of xs:key, xs:unique and xs:keyref are matched without all of Unicode's letters if ASCII's will do. The
  library matches them by two expressions (XSD 1.0 part 1 §3.11.6), and compiling those takes 0.5 s of the 2 s of a
  start with XSDs, for the schema of schemas has such paths itself. With ASCII's letters alone they take 5 ms; what
  these do not match is left to the library's own.
- Sets of characters, which `\\w` in a pattern intersects for seconds, are intersected range by range.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

import jsonschema_rs
from elementpath.regex import RegexError, UnicodeSubset, translate_pattern
from xmlschema import XMLSchema10, XMLSchema11
from xmlschema.validators import XsdPatternFacets
from xmlschema.validators.builders import XsdBuilders
from xmlschema.validators.identities import XsdFieldSelector, XsdSelector

# XML Schema Part 2, F.1.1: multi-character escapes, which engines differ about
ESCAPES = {
    r"\d": r"\p{Nd}",
    r"\D": r"\P{Nd}",
    r"\w": r"[^\p{P}\p{Z}\p{C}]",
    r"\W": r"[\p{P}\p{Z}\p{C}]",
    r"\s": r"[ \t\n\r]",
    r"\S": r"[^ \t\n\r]",
}
ASCII = {r"\i": "[A-Za-z_:]", r"\c": "[-.0-9:A-Z_a-z]"}  # of the escapes in paths
_ESCAPE = re.compile(r"\\.", re.DOTALL)
_END = r"$(?!\n\Z)"  # how the translation says "the end, and no line break before it"


def _keep_common(characters: UnicodeSubset, others: Iterable[Any]) -> UnicodeSubset:
    """Intersect by ranges: the library goes character by character, for seconds."""
    characters -= characters - others
    return characters


def _for_python(pattern: str, xsd_version: str) -> str:
    """Translate a pattern of XSD. Raises `RegexError`."""
    return translate_pattern(
        pattern, xsd_version=xsd_version, back_references=False, lazy_quantifiers=False, anchors=False
    )


class Linear:
    """One pattern, anchored at both ends.

    Raises `ValueError` if the engine does not take it.
    """

    def __init__(self, pattern: str, xsd_version: str) -> None:
        translated = _for_python(pattern, xsd_version)
        body = _ESCAPE.sub(lambda escape: ESCAPES.get(escape[0], escape[0]), translated.removesuffix(_END))
        self._validator = jsonschema_rs.validator_for(
            {"pattern": body + "$"}, pattern_options=jsonschema_rs.RegexOptions()
        )

    def match(self, text: str) -> bool | None:
        """Return True if the whole text matches, else None, as xmlschema expects of re."""
        return self._validator.is_valid(text) or None


class LinearPatterns(XsdPatternFacets):
    """The pattern facet, with the engine exchanged."""

    __slots__ = ()

    def _parse_value(self, elem: Any) -> Any:
        try:
            return Linear(elem.get("value", ""), self.xsd_version)
        except RegexError as error:
            self.parse_error(str(error), elem)
        except ValueError:
            self.parse_error("not a pattern, or one too large when its {n,m} are written out", elem)
        return re.compile("")  # the schema is refused; only the rest of its faults is still looked for


class Schema10(XMLSchema10):
    """XSD 1.0 with patterns that cannot stall."""

    builders = XsdBuilders("1.0", LinearPatterns)


class Schema11(XMLSchema11):
    """XSD 1.1 with patterns that cannot stall."""

    builders = XsdBuilders("1.1", LinearPatterns)


class KeyPaths:
    """Takes the place of a compiled expression of the library."""

    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._plain = re.compile(re.sub(r"\\[ic]", lambda found: ASCII[found[0]], expression))

    def match(self, path: str) -> Any:
        """Return something true for a path that may stand in a key."""
        return self._plain.fullmatch(path) or re.match(_for_python(self._expression, "1.0"), path)


@cache
def adapt() -> None:
    """Patch the library's two slow places once, before the first XSD is compiled."""
    UnicodeSubset.__iand__ = _keep_common  # type: ignore[assignment]
    for selector in (XsdSelector, XsdFieldSelector):
        selector.pattern = KeyPaths(selector._REGEXP)  # type: ignore[assignment]  # only its `match` is called
