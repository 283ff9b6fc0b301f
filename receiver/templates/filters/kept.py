"""Jinja2's harmless filters and tests: bounded, with null as an empty text."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from functools import wraps
from typing import Any, cast

from jinja2 import Environment, pass_context, pass_environment
from jinja2 import filters as jinja
from jinja2.runtime import Context, Undefined
from jinja2.tests import TESTS as JINJA_TESTS
from jinja2.utils import missing

from receiver.formats import budget, values
from receiver.formats.errors import RefusedError
from receiver.metadata.xml_names import Names
from receiver.schemas.json_text import Written
from receiver.templates import operations

Filter = Callable[..., Any]


def _of_text(function: Callable[..., Any]) -> Filter:
    """Apply a filter to a value's text, which is bounded before and counted after."""

    @wraps(function)
    def filtered(value: object, *arguments: Any, **named: Any) -> Any:
        result = function(budget.slow(values.text(value)), *arguments, **named)
        return budget.made(result) if isinstance(result, str) else result

    return filtered


def _of_items(function: Callable[..., Any]) -> Filter:
    """Apply a filter that calls others on the items of a list, each of them counted."""

    @pass_context
    @wraps(function)
    def filtered(context: Context, value: Iterable[Any], *arguments: Any, **named: Any) -> Any:
        return function(context, budget.each(value), *arguments, **named)

    return filtered


def _center(text: str, width: int = 80) -> str:
    budget.width(width)
    return text.center(width)


def _replace(text: str, old: object, new: object, count: int | None = None) -> str:
    return operations.replace(text, values.text(old), values.text(new), -1 if count is None else count)


def _wordwrap(environment: Environment) -> Filter:
    def wrap(text: str, width: int, break_long_words: bool = True, wrapstring: str = "\n") -> str:
        budget.spend(len(text) * len(wrapstring))
        return jinja.do_wordwrap(environment, text, width, break_long_words, wrapstring)

    return _of_text(wrap)


@pass_environment
def wordwrap(environment: Environment, value: object, width: int = 79, *arguments: Any, **named: Any) -> str:
    """Wrap a text to a width, 79 by default."""
    result: str = _wordwrap(environment)(value, width, *arguments, **named)
    return result


@pass_environment
def truncate(
    environment: Environment,
    value: object,
    length: int = 255,
    killwords: bool = False,
    end: str = "...",
    leeway: int = 0,
) -> str:
    """Cut a text to a length; Jinja2's own lets five characters more pass."""
    return jinja.do_truncate(environment, budget.slow(values.text(value)), length, killwords, end, leeway)


@pass_environment
def join(environment: Environment, value: Iterable[Any], separator: object = "", attribute: Any = None) -> str:
    """Put the texts of a list's items together; null is empty."""
    pieces: Iterable[Any] = budget.each(value)
    if attribute is not None:
        pieces = map(jinja.make_attrgetter(environment, attribute), pieces)
    return operations.join(values.text(separator), pieces)


def whole(value: object, default: Any = missing, base: int = 10) -> Any:
    """Read a whole number; without a default, what is none is refused."""
    if base not in range(2, 37):
        raise RefusedError("is read to a base from 2 to 36", "argument")
    try:
        if isinstance(value, str | Names):
            return int(values.text(value), base)
        return int(Decimal(value.literal)) if isinstance(value, Written) else int(value)  # type: ignore[call-overload]
    except (ValueError, TypeError, OverflowError):
        if default is missing:
            raise RefusedError("is not a whole number", "int") from None
        return default


def decimal(value: object, default: Any = missing) -> Any:
    """Read a number; without a default, what is none is refused."""
    try:
        number = float(values.text(value))
    except ValueError:
        number = math.nan
    if math.isfinite(number):
        return number
    if default is missing:
        raise RefusedError("is not a number", "float")
    return default


@pass_environment
def total(environment: Environment, value: Iterable[Any], attribute: Any = None, start: float = 0) -> Any:
    """Add numbers up."""
    pieces: Iterable[Any] = budget.each(value)
    if attribute is not None:
        pieces = map(jinja.make_attrgetter(environment, attribute), pieces)
    for piece in pieces:
        start = operations.add(start, piece) if isinstance(piece, int | float | Decimal) else _no_number()
    return start


def _no_number() -> float:
    raise RefusedError("has an item that is not a number", "sum")


def batch(value: Iterable[Any], count: int, fill: Any = None) -> Iterator[list[Any]]:
    """Cut a list into lists of a length."""
    budget.width(count)
    return jinja.do_batch(budget.each(value), count, fill)


def sliced(value: Iterable[Any], count: int, fill: Any = None) -> Iterator[list[Any]]:
    """Cut a list into a number of lists."""
    budget.width(count)
    return jinja.sync_do_slice(listed(value), count, fill)


def items(value: object) -> Iterator[tuple[Any, Any]]:
    """Return the names and values of an object."""
    if isinstance(value, Undefined):
        str(value)  # raises MissingNameError
    if not isinstance(value, Mapping):
        raise RefusedError("is not an object", "items")
    return budget.each(value.items())


def listed(value: Iterable[Any]) -> list[Any]:
    """Return the items as a list."""
    return list(budget.each(value))


def formatted(value: object, *arguments: Any, **named: Any) -> str:
    """Fill the values into a format such as "%05d"."""
    return operations.fill(values.text(value), named or arguments)


def trim(text: str, characters: str | None = None) -> str:
    """Remove white space, or these characters, from both ends."""
    return text.strip(characters)


_NONE = object()


def first(value: Iterable[Any], default: object = _NONE) -> Any:
    """Return the first item.

    Raises `RefusedError` for an empty list without a default, and for what is no list.
    """
    return _items(value, default)[0]


def last(value: Iterable[Any], default: object = _NONE) -> Any:
    """Return the last item.

    Raises `RefusedError` for an empty list without a default, and for what is no list.
    """
    return _items(value, default)[-1]


def _items(value: Iterable[Any], default: object) -> list[Any]:
    items = list(budget.each(value)) or [default]
    if items == [_NONE]:
        raise RefusedError("is an empty list (say what stands for it: `first(default=…)`)", "empty")
    return items


AS_THEY_ARE = (
    *("abs", "count", "d", "default", "dictsort", "filesizeformat", "groupby", "length"),
    *("max", "min", "reverse", "sort", "unique"),
)

FILTERS: dict[str, Filter] = {name: jinja.FILTERS[name] for name in AS_THEY_ARE} | {
    "capitalize": _of_text(str.capitalize),
    "center": _of_text(_center),
    "lower": _of_text(str.lower),
    "replace": _of_text(_replace),
    "string": values.text,
    "title": _of_text(jinja.do_title),
    "trim": _of_text(trim),
    "truncate": truncate,
    "upper": _of_text(str.upper),
    "urlencode": _of_text(jinja.do_urlencode),
    "wordcount": _of_text(jinja.do_wordcount),
    "wordwrap": wordwrap,
    "batch": batch,
    "first": first,
    "last": last,
    "float": decimal,
    "format": formatted,
    "int": whole,
    "items": items,
    "join": join,
    "list": listed,
    "map": _of_items(jinja.sync_do_map),
    "reject": _of_items(jinja.sync_do_reject),
    "rejectattr": _of_items(jinja.sync_do_rejectattr),
    "select": _of_items(jinja.sync_do_select),
    "selectattr": _of_items(jinja.sync_do_selectattr),
    "slice": sliced,
    "sum": total,
}

TESTS: dict[str, Filter] = {
    name: test
    for name, test in cast(dict[str, Filter], JINJA_TESTS).items()
    if name not in {"callable", "escaped", "filter", "sameas", "test"}
}
