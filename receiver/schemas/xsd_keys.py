"""The paths of xs:key, xs:unique and xs:keyref, judged without all of Unicode's letters where ASCII's will do.

xmlschema judges them by two expressions (XSD 1.0 part 1 §3.11.6), and compiling those takes 0.2 s of each start, for
the schema of schemas has such paths itself. With ASCII's letters alone they take 5 ms; what these do not match is left
to the library's own.
"""

import re
from typing import Any

from elementpath.regex import translate_pattern
from xmlschema.validators.identities import XsdFieldSelector, XsdSelector

ASCII = {r"\i": "[A-Za-z_:]", r"\c": "[-.0-9:A-Z_a-z]"}


class Paths:
    """Stands where the library looks for a compiled expression."""

    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._plain = re.compile(re.sub(r"\\[ic]", lambda found: ASCII[found[0]], expression))

    def match(self, path: str) -> Any:
        """Return something true for a path that may stand in a key."""
        return self._plain.fullmatch(path) or self._with_all_letters().match(path)

    def _with_all_letters(self) -> re.Pattern[str]:
        told = translate_pattern(self._expression, back_references=False, lazy_quantifiers=False, anchors=False)
        return re.compile(told)


def judge_quickly() -> None:
    """Let the library judge the paths of keys by `Paths`."""
    for selector in (XsdSelector, XsdFieldSelector):
        selector.pattern = Paths(selector._REGEXP)  # type: ignore[assignment]  # all that is asked of it is `match`
