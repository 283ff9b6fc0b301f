"""What a template may reach with a dot, by type. Nothing else is there: no method that is not listed can be called.

Items of objects come first and alone: `fields.items` is the field called "items" (use `fields | items` to go
through them). Methods that could blow up a text are bounded ones of our own.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from functools import partial
from typing import Any

from jinja2.runtime import LoopContext

from receiver.formats import budget, values

DATE = frozenset({"year", "month", "day", "weekday", "isoweekday", "isoformat", "strftime"})
LIST = frozenset({"count", "index"})

ATTRIBUTES: dict[type, frozenset[str]] = {
    str: frozenset(
        {"upper", "lower", "title", "capitalize", "casefold", "swapcase", "strip", "lstrip", "rstrip"}
        | {"split", "rsplit", "splitlines", "partition", "rpartition", "removeprefix", "removesuffix"}
        | {"startswith", "endswith", "find", "rfind", "index", "count"}
        | {"isdigit", "isdecimal", "isnumeric", "isalpha", "isalnum", "isspace", "isupper", "islower", "isascii"}
    ),
    list: LIST,
    tuple: LIST,
    date: DATE,
    datetime: DATE | {"hour", "minute", "second", "microsecond", "date", "time", "timestamp"},
    LoopContext: frozenset(
        {"index", "index0", "revindex", "revindex0", "first", "last", "length", "depth", "depth0"}
        | {"previtem", "nextitem", "cycle", "changed"}
    ),
}


def _join(separator: str, pieces: Iterable[object]) -> str:
    return budget.concat(_separated(separator, pieces))


def _separated(separator: str, pieces: Iterable[object]) -> Iterable[str]:
    for index, piece in enumerate(budget.each(pieces)):
        if index:
            yield separator
        yield values.text(piece)


def _padded(method: Callable[..., str]) -> Callable[..., str]:
    def padded(text: str, columns: int, *fill: str) -> str:
        budget.width(columns)
        return budget.made(method(text, columns, *fill))

    return padded


def replace(text: str, old: str, new: str, count: int = -1) -> str:
    """Replace, its result counted before it is made."""
    found = text.count(old) if count < 0 else min(count, text.count(old))
    budget.spend(len(text) + found * len(new))
    return text.replace(old, new, count)


BOUNDED: dict[str, Callable[..., str]] = {  # methods of texts
    "join": _join,
    "replace": replace,
    "center": _padded(str.center),
    "ljust": _padded(str.ljust),
    "rjust": _padded(str.rjust),
    "zfill": _padded(str.zfill),
}

METHODS = frozenset().union(BOUNDED, *ATTRIBUTES.values())

join = _join


def reach(owner: object, name: str) -> Any:
    """Return an attribute that is listed. Raises `AttributeError` for any other."""
    if name in ATTRIBUTES.get(type(owner), ()):
        return getattr(owner, name)
    if type(owner) is str and name in BOUNDED:
        return partial(BOUNDED[name], owner)
    raise AttributeError
