"""Regular expressions in time proportional to the text (RE2, by Google's wheel).

Python's engine backtracks: `(a+)+$` and forty letters stall a worker for good. jsonschema-rs, whose engine judges the
patterns of schemas, says only whether a text matches; `extract` needs to know where.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import re2

from receiver.formats import budget, values
from receiver.formats.errors import RefusedError
from receiver.templates.filters.objection import NONE, Objection

CACHED = 256  # patterns: a site has some dozens, all of them constants
LIKE_SCHEMAS = "it is one as in schemas: no look-ahead, no look-behind, no \\1"
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # what a text makes of \\b, \\f and \\1
_NONE = object()


def matches(value: object, pattern: str) -> bool:
    """Return whether a pattern is found in a text; all of it between ^ and $."""
    return _compiled(pattern).search(_readable(value)) is not None


def extract(value: object, pattern: str, default: object = _NONE) -> object:
    """Return the first match of a pattern, or its part in parentheses.

    Raises `RefusedError` if there is none and no default.
    """
    found = _compiled(pattern).search(_readable(value))
    piece = found[1 if found.re.groups else 0] if found else None
    if piece is not None:
        return budget.made(piece)
    if default is _NONE:
        raise RefusedError("has nothing that the pattern describes", "extract")
    return default


def _readable(value: object) -> str:
    plain = budget.slow(values.text(value))
    values.refuse_surrogates(plain)
    return plain


@lru_cache(CACHED)
def _compiled(pattern: str) -> Any:
    """Return a pattern, ready to search by. Raises `re2.error`."""
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)


def check(arguments: Mapping[str, Any]) -> Objection:
    """Return what is wrong with the constant arguments of `matches`."""
    pattern = arguments.get("pattern")
    if not isinstance(pattern, str):
        return Objection("the pattern stands there itself, in quotes")
    if CONTROL.search(pattern):
        return Objection("the pattern holds a control character", "a backslash is written twice here: \\\\b, \\\\d")
    try:
        _compiled(pattern)
    except re2.error as error:
        (told,) = error.args
        reason = told.decode("utf-8", "replace").partition(":")[0]
        return Objection(f'"{pattern}" is no regular expression: {reason}', LIKE_SCHEMAS)
    return NONE


def check_extract(arguments: Mapping[str, Any]) -> Objection:
    """Return what is wrong with the constant arguments of `extract`."""
    if wrong := check(arguments):
        return wrong
    groups = _compiled(arguments["pattern"]).groups
    hint = "one is extracted; write (?:…) for the others"
    return Objection(f"the pattern has {groups} groups", hint) if groups > 1 else NONE
