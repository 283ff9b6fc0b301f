"""What templates may access and compute, by type, bounded before it is applied."""

import operator
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Context, Decimal, Inexact, localcontext
from functools import partial
from typing import Any

from jinja2.runtime import LoopContext

from receiver.formats import budget, values
from receiver.formats.budget import MAX_BITS, MAX_WIDTH
from receiver.formats.errors import ExceededError, RefusedError

PRECISION = 400  # digits of a decimal: the largest float has 309 before its point
EXACT = Context(prec=PRECISION, traps=[Inexact])  # a digit that would be lost is an error
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


BOUNDED_METHODS: dict[str, Callable[..., str]] = {  # methods of texts
    "join": _join,
    "replace": replace,
    "center": _padded(str.center),
    "ljust": _padded(str.ljust),
    "rjust": _padded(str.rjust),
    "zfill": _padded(str.zfill),
}

METHODS = frozenset().union(BOUNDED_METHODS, *ATTRIBUTES.values())

join = _join


def reach(owner: object, name: str) -> Any:
    """Return an attribute that is listed. Raises `AttributeError` for any other."""
    if name in ATTRIBUTES.get(type(owner), ()):
        return getattr(owner, name)
    if type(owner) is str and name in BOUNDED_METHODS:
        return partial(BOUNDED_METHODS[name], owner)
    raise AttributeError


def exact(value: Any) -> Any:
    """Return a fraction as the decimal as written, else the value: 0.1 is 0.1."""
    return Decimal(values.number(value)) if isinstance(value, float) else value


def _counted(operator: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    """Apply an operator; to fractions as decimals as written, without losing a digit."""
    if not isinstance(left, Decimal | float) and not isinstance(right, Decimal | float):
        return operator(left, right)
    try:
        with localcontext(EXACT):
            return operator(exact(left), exact(right))
    except Inexact:
        raise ExceededError(f"the number grows to more than {PRECISION} digits") from None


def add(left: Any, right: Any) -> Any:
    """Add numbers, or put two texts or lists together."""
    if isinstance(left, str) and isinstance(right, str):
        budget.spend(len(left) + len(right))
    elif isinstance(left, list | tuple) and isinstance(right, list | tuple):
        budget.items(len(left) + len(right))
    return _whole(_counted(operator.add, left, right))


def subtract(left: Any, right: Any) -> Any:
    """Subtract numbers."""
    return _counted(operator.sub, left, right)


def divide(left: Any, right: Any) -> Any:
    """Divide numbers; decimals to 28 digits, for many quotients have no end."""
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        return exact(left) / exact(right)
    return left / right


def multiply(left: Any, right: Any) -> Any:
    """Multiply numbers, or repeat a text or list."""
    for many, count in ((left, right), (right, left)):
        if isinstance(many, str | list | tuple) and isinstance(count, int):
            bound = budget.spend if isinstance(many, str) else budget.items
            bound(len(many) * max(count, 0))
    _bits(left, right, lambda one, other: one.bit_length() + other.bit_length())
    return _whole(_counted(operator.mul, left, right))


def power(left: Any, right: Any) -> Any:
    """Raise a number to a power."""
    _bits(left, right, lambda one, other: one.bit_length() * abs(other))
    return _whole(left**right)


def modulo(left: Any, right: Any) -> Any:
    """Return a remainder, or a format with its values filled in."""
    return fill(left, right) if isinstance(left, str) else left % right


def fill(pattern: str, arguments: Any) -> str:
    """Fill in a format such as "%05d": widths are bounded, null is empty."""
    for run in "".join(character if character.isdigit() else " " for character in pattern).split():
        if len(run) > len(str(MAX_WIDTH)):
            raise ExceededError(f"the format asks for a width of more than {MAX_WIDTH:,}")
        budget.width(int(run))
    if "*" in pattern:
        raise RefusedError("a format with * in it is not supported", "argument")
    filled = pattern % tuple(map(_blank, arguments)) if isinstance(arguments, tuple) else pattern % _blank(arguments)
    return budget.made(filled)


def concat(parts: list[object]) -> str:
    """Put the texts of some values together, as `~` does."""
    return budget.concat(map(values.text, parts))


def _blank(value: object) -> object:
    return "" if value is None else value


def _bits(left: Any, right: Any, size: Callable[[int, int], int]) -> None:
    if isinstance(left, int) and isinstance(right, int) and size(left, right) > MAX_BITS * 2:
        raise ExceededError("the number grows too large")


def _whole(result: Any) -> Any:
    if isinstance(result, int) and result.bit_length() > MAX_BITS:
        raise ExceededError("the number grows too large")
    return result


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "**": power,
    "%": modulo,
}
