"""Repeated fields: lists of values, of which there may be none."""

from collections.abc import Iterable
from typing import Any

from receiver.formats import budget
from receiver.formats.errors import Refused

_NONE = object()


def first(value: Iterable[Any], default: object = _NONE) -> Any:
    """Return the first item. Raises `Refused` for an empty list without a default, and for what is no list."""
    return _items(value, default)[0]


def last(value: Iterable[Any], default: object = _NONE) -> Any:
    """Return the last item. Raises `Refused` for an empty list without a default, and for what is no list."""
    return _items(value, default)[-1]


def _items(value: Iterable[Any], default: object) -> list[Any]:
    items = list(budget.each(value)) or [default]
    if items == [_NONE]:
        raise Refused("is an empty list (say what stands for it: `first(default=…)`)", "empty")
    return items
