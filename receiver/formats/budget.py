"""Counts what the present rendering costs, per thread, and stops it where it goes beyond `limits`."""

import threading
from collections.abc import Iterable, Iterator
from time import monotonic
from typing import TypeVar

from receiver.formats.errors import ExceededError, RefusedError
from receiver.formats.limits import MAX_ITEMS, MAX_SECONDS, MAX_SLOW_TEXT, MAX_STEPS, MAX_TEXT, MAX_WIDTH

Item = TypeVar("Item")


class _Spent(threading.local):
    deadline = float("inf")
    steps = 0
    text = 0


_spent = _Spent()


def start() -> None:
    """Begin the count of one rendering in this thread."""
    _spent.deadline = monotonic() + MAX_SECONDS
    _spent.steps = 0
    _spent.text = 0


def tick() -> None:
    """Count one turn of a loop or one call."""
    _spent.steps += 1
    if _spent.steps > MAX_STEPS:
        raise ExceededError(f"the template makes more than {MAX_STEPS:,} turns and calls")
    if monotonic() > _spent.deadline:
        raise ExceededError(f"the template runs for more than {MAX_SECONDS:g} seconds")


def spend(size: int) -> None:
    """Count characters that are about to be put together."""
    _spent.text += size
    if _spent.text > MAX_TEXT:
        raise ExceededError(f"the template puts together more than {MAX_TEXT:,} characters")
    tick()


def made(text: str) -> str:
    """Count a text that a filter made, and return it."""
    spend(len(text))
    return text


def items(count: int) -> None:
    """Refuse a list of more than MAX_ITEMS before it is put together."""
    if count > MAX_ITEMS:
        raise ExceededError(f"the template makes a list of more than {MAX_ITEMS:,} items")
    tick()


def width(columns: int) -> None:
    """Refuse padding that is wider than MAX_WIDTH."""
    if columns > MAX_WIDTH:
        raise ExceededError(f"the template asks for a width of more than {MAX_WIDTH:,}")


def slow(text: str) -> str:
    """Refuse a long text for a filter that is slow on each character."""
    if len(text) > MAX_SLOW_TEXT:
        raise ExceededError(f"the text has more than {MAX_SLOW_TEXT:,} characters, too many for this filter")
    spend(len(text))
    return text


def concat(parts: Iterable[str]) -> str:
    """Join the pieces of a record, counted first."""
    pieces = list(parts)
    spend(sum(map(len, pieces)))
    return "".join(pieces)


def each(value: Iterable[Item]) -> Iterator[Item]:
    """Yield the items of a list, each of them counted. A text is no list: its characters are never meant."""
    if isinstance(value, str):
        raise RefusedError('is a text, not a list (a repeated field is named under "repeated" in process.toml)')
    if value is None or isinstance(value, bool | int | float):
        raise RefusedError("is not a list")
    return _counted(value)


def _counted(value: Iterable[Item]) -> Iterator[Item]:
    for item in value:
        tick()
        yield item
