"""Regular expressions that take time in proportion to the text, whatever they say (RE2, by Google's own wheel).

Python's engine backtracks: `(a+)+$` and forty letters stall a worker for good. jsonschema-rs, whose engine judges the
patterns of schemas, says only whether a text matches; `extract` needs to know where.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import re2

from receiver.formats import budget, values
from receiver.formats.errors import RefusedError
from receiver.templates.filters.objection import NONE, Objection

CACHED = 256  # patterns: a site has some dozens, all of them constants
LIKE_SCHEMAS = "it is one as in schemas: no look-ahead, no look-behind, no \\1"
_NONE = object()


def matches(value: object, pattern: str) -> bool:
    """Return whether a text holds what a pattern describes: all of it only between ^ and $."""
    return _compiled(pattern).search(budget.slow(values.text(value))) is not None


def extract(value: object, pattern: str, default: object = _NONE) -> object:
    """Return the first piece of a text that a pattern describes, or of it what the pattern has in parentheses.

    Raises `RefusedError` if there is none and no default.
    """
    found = _compiled(pattern).search(budget.slow(values.text(value)))
    piece = found[1 if found.re.groups else 0] if found else None
    if piece is not None:
        return budget.made(piece)
    if default is _NONE:
        raise RefusedError("has nothing that the pattern describes", "extract")
    return default


@lru_cache(CACHED)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error:
        raise RefusedError("is compared with a text that is no regular expression", "argument") from None


def check(arguments: Mapping[str, Any]) -> Objection:
    """Return what is wrong with the constant arguments of `matches`."""
    pattern = arguments.get("pattern")
    if not isinstance(pattern, str):
        return Objection("the pattern stands there itself, in quotes")
    try:
        _compiled(pattern)
    except RefusedError:
        return Objection(f'"{pattern}" is no regular expression', LIKE_SCHEMAS)
    return NONE


def check_extract(arguments: Mapping[str, Any]) -> Objection:
    """Return what is wrong with the constant arguments of `extract`."""
    if wrong := check(arguments):
        return wrong
    groups = _compiled(arguments["pattern"]).groups
    hint = "one is extracted; write (?:…) for the others"
    return Objection(f"the pattern has {groups} groups", hint) if groups > 1 else NONE
