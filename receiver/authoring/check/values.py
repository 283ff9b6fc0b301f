"""Values that a JSON Schema accepts: listed, empty, shortest, longest, null.

What is returned is only likely to satisfy the schema: whoever tries it asks the schema itself.
"""

import re
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from itertools import chain
from re import _constants as codes  # type: ignore[attr-defined]  # the tree of a pattern; test_values holds it
from re import _parser as patterns  # type: ignore[attr-defined]
from typing import Any, NamedTuple

from receiver.authoring.check.shape import Node, certain, items, possible
from receiver.schemas.json_library import Library

MAX_LISTED = 200  # values of one enum: a longer list belongs into a code table
MAX_LENGTH = 5_000  # characters of an invented text, and what an unbounded one stops at
MAX_ITEMS = 50  # of an invented list
REPEATS = 12  # times that an unbounded repetition of a pattern is taken
MADE = (  # of a pattern: whether it is the longest text, whether of the last letters, and how it is called
    (False, False, "at its shortest"),
    (True, True, "at its longest"),
    (True, False, "at its longest, of the first letters and digits"),
)
FORMATS = {  # one value each, as RFC 3339 and the others write them
    "date": "2024-02-29",
    "date-time": "2024-02-29T23:59:59Z",
    "time": "23:59:59Z",
    "email": "name@example.org",
    "uri": "https://example.org/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


class Value(NamedTuple):
    """One value, and what is special about it."""

    value: Any
    what: str  # "empty": a message says it of the field
    exact: bool = True  # the schema itself makes it: no filter should refuse it


def values(top: Node, library: Library, seen: tuple[Any, ...] = ()) -> Iterator[Value]:
    """Yield values for a schema; `seen` are known good ones."""
    schemas = [node.schema for node in possible(top, library)]
    yield from _listed(schemas)
    types = _types([node.schema for node in certain(top, library)])
    if "null" in types:
        yield Value(None, "null")
    if not types or "string" in types:
        yield Value("", "empty")
        yield from _texts(schemas)
    if types & {"integer", "number"}:
        yield from _numbers(schemas)
    if "boolean" in types:
        yield from (Value(each, str(each).lower()) for each in (True, False))
    if "array" in types:
        yield from _lists(top, schemas, library, seen)


def _types(schemas: list[dict[str, Any]]) -> set[str]:
    declared = (schema.get("type", []) for schema in schemas)
    return set(chain.from_iterable([each] if isinstance(each, str) else each for each in declared))


def _listed(schemas: list[dict[str, Any]]) -> Iterator[Value]:
    for schema in schemas:
        listed = schema.get("enum", [])
        for each in [*listed[:MAX_LISTED], *([schema["const"]] if "const" in schema else [])]:
            yield Value(each, f'"{each}"' if each != "" else "empty")
        for each in schema.get("examples", []):
            yield Value(each, "as in the schema's example")


def _texts(schemas: list[dict[str, Any]]) -> Iterator[Value]:
    for schema in schemas:
        if schema.get("format") in FORMATS:
            yield Value(FORMATS[schema["format"]], f"a {schema['format']}")
        pattern = schema.get("pattern")
        if isinstance(pattern, str):
            anchored = pattern.startswith("^") and pattern.endswith("$")
            for longest, last, what in MADE:
                if (text := instance(pattern, longest=longest, last=last)) is not None:
                    yield Value(text, what, anchored)
    shortest = max((schema.get("minLength", 1) for schema in schemas), default=1)
    longest_ = min((schema["maxLength"] for schema in schemas if "maxLength" in schema), default=MAX_LENGTH)
    yield Value("x" * min(shortest, MAX_LENGTH), "at its shortest", exact=False)
    if longest_ < MAX_LENGTH:
        yield Value("x" * longest_, "at its longest", exact=False)


def _numbers(schemas: list[dict[str, Any]]) -> Iterator[Value]:
    for schema in schemas:
        for keyword, what in (("minimum", "at its least"), ("maximum", "at its most")):
            if keyword in schema:
                yield Value(schema[keyword], what)
    yield Value(0, "0")
    yield Value(1, "1")


def _lists(top: Node, schemas: list[dict[str, Any]], library: Library, seen: tuple[Any, ...]) -> Iterator[Value]:
    inner = items(top, library)
    singles = [*chain.from_iterable(each for each in seen if isinstance(each, list))]
    singles += [each.value for each in values(inner, library)] if inner else ["x"]
    most = min((schema["maxItems"] for schema in schemas if "maxItems" in schema), default=3)
    yield Value([], "without items")
    for each in singles[:MAX_LISTED]:
        yield Value([each], "of one item")
        yield Value([each, each], "of two items")
        yield Value([each] * min(most, MAX_ITEMS), "of the most items")
    yield Value(singles[:2], "of two items")


@cache  # one schema serves several processes
def instance(pattern: str, *, longest: bool, last: bool = True) -> str | None:
    """Return a text that a pattern matches, short or long; None if Python cannot.

    Of each set of characters the long text has the `last` one, or the first.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Python's own syntax; a schema's is another
            return _walk(patterns.parse(pattern), longest=longest, last=last)
    except (re.error, RecursionError, OverflowError, KeyError):
        return None


def may_hold(pattern: str, letter: str) -> bool:
    """Return whether a text that matches a pattern may contain a character.

    True if that is not known.
    """
    if not (pattern.startswith("^") and pattern.endswith("$")):
        return True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _may_hold(patterns.parse(pattern), letter)
    except (re.error, RecursionError, OverflowError, KeyError):
        return True


def _may_hold(parsed: Any, letter: str) -> bool:
    return any(_piece_may_hold(code, argument, letter) for code, argument in parsed)


def _piece_may_hold(code: Any, argument: Any, letter: str) -> bool:
    if code in (codes.LITERAL, codes.NOT_LITERAL):
        return (argument == ord(letter)) is (code is codes.LITERAL)
    if code is codes.IN:
        return _holds(argument, letter)
    if code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.SUBPATTERN):
        return _may_hold(argument[-1], letter)
    if code is codes.BRANCH:
        return any(_may_hold(each, letter) for each in argument[1])
    return code not in (codes.AT, codes.GROUPREF)


def _walk(parsed: Any, *, longest: bool, last: bool) -> str:
    return "".join(_piece(code, argument, longest=longest, last=last) for code, argument in parsed)


def _piece(code: Any, argument: Any, *, longest: bool, last: bool) -> str:
    if code is codes.LITERAL:
        return chr(argument)
    if code is codes.ANY or code is codes.NOT_LITERAL:
        return "x" if argument != ord("x") else "y"
    if code is codes.IN:
        return _member(argument, last=longest and last)
    if code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
        low, high, inner = int(argument[0]), int(argument[1]), argument[2]
        times = min(high, low + REPEATS) if longest else low
        return _walk(inner, longest=longest, last=last) * min(times, MAX_LENGTH)
    if code is codes.SUBPATTERN:
        return _walk(argument[-1], longest=longest, last=last)
    if code is codes.BRANCH:
        found = [_walk(each, longest=longest, last=last) for each in argument[1]]
        return max(reversed(found), key=len) if longest else min(found, key=len)
    return ""  # an anchor, or what only looks around


def _member(items: list[tuple[Any, Any]], *, last: bool) -> str:
    """Return one character of a set: the last that is plain, or the first."""
    letters = [chr(each) for each in (*range(48, 58), *range(65, 91), *range(97, 123), *range(33, 127), 32)]
    matching = [letter for letter in letters if _holds(items, letter)]
    if not matching:
        code, argument = items[-1]
        return chr(argument[1] if code is codes.RANGE else argument) if code in (codes.RANGE, codes.LITERAL) else ""
    same = [letter for letter in matching if letter.isdigit() == matching[0].isdigit()]
    plain = [letter for letter in same if letter.isalnum()] or same
    return plain[-1] if last else plain[0]


def _holds(items: list[tuple[Any, Any]], letter: str) -> bool:
    negated = bool(items) and items[0][0] is codes.NEGATE
    found = False
    for code, argument in items:
        if code is codes.LITERAL:
            found |= ord(letter) == argument
        elif code is codes.RANGE:
            found |= argument[0] <= ord(letter) <= argument[1]
        elif code is codes.CATEGORY:
            found |= CATEGORIES[argument](letter)
    return found != negated


CATEGORIES: dict[Any, Callable[[str], bool]] = {
    codes.CATEGORY_DIGIT: str.isdigit,
    codes.CATEGORY_NOT_DIGIT: lambda letter: not letter.isdigit(),
    codes.CATEGORY_SPACE: str.isspace,
    codes.CATEGORY_NOT_SPACE: lambda letter: not letter.isspace(),
    codes.CATEGORY_WORD: lambda letter: letter.isalnum() or letter == "_",
    codes.CATEGORY_NOT_WORD: lambda letter: not (letter.isalnum() or letter == "_"),
}
