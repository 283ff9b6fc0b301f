"""Limits of one rendering, counted per thread, each with its reason."""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf
from time import monotonic, thread_time
from typing import TypeVar

from receiver.formats.errors import ExceededError, RefusedError

# What one rendering may cost.
MAX_SECONDS = 2.0  # seconds of processor time of one rendering: a record of 200 fields takes about a millisecond
MAX_STEPS = 1_000_000  # turns of loops and calls: a thousand times what the longest record needs
MAX_TEXT = 100_000_000  # characters that one rendering may put together: a document of MAX_DOCUMENT and its record
MAX_DOCUMENT = 32_000_000  # bytes of a document embedded by `base64`: HL7 v2 interfaces refuse far less
MAX_SLOW_TEXT = 1_000_000  # characters given to slow filters: they take a microsecond for each
MAX_RANGE = 100_000  # numbers of one `range`: more than a document has fields
MAX_ITEMS = 1_000_000  # items of one list put together: 8 MB of references
MAX_WIDTH = 10_000  # characters of padding, indentation or a fixed column: the widest records are a tenth of it
MAX_BITS = 1_024  # bits of a whole number: 308 digits; every identifier and amount has fewer than 40
MAX_DIGITS = 30  # decimal places of `round`: no float has more
MAX_FILE = 1_000_000  # bytes of a template or code table: larger ones are data, not configuration
MAX_INCLUDES = 100  # files and macros unfolded into one template: their doubling would fill the memory
MAX_NODES = 200_000  # nodes visited to compile one template: it would take seconds

Item = TypeVar("Item")


@dataclass(slots=True)
class _Spent:
    """What one rendering has spent."""

    until: float  # processor time of the thread
    deadline: float  # when `until` can be reached at the earliest; the clock is cheaper to look at
    steps: int = 0
    text: int = 0


class _Thread(threading.local):
    """Holds what a thread's rendering has spent: one look at the thread for all."""

    def __init__(self) -> None:
        self.spent = _Spent(inf, inf)


_thread = _Thread()


def start() -> None:
    """Begin the count of one rendering in this thread."""
    _thread.spent = _Spent(thread_time() + MAX_SECONDS, monotonic() + MAX_SECONDS)


def tick() -> None:
    """Count one turn of a loop or one call."""
    spent = _thread.spent
    spent.steps += 1
    if spent.steps > MAX_STEPS or monotonic() > spent.deadline:
        _look_closer(spent)


def _look_closer(spent: _Spent) -> None:
    """Stop a rendering that has used up its turns or its time.

    Time spent waiting, for pages or a busy machine, does not count.
    """
    if spent.steps > MAX_STEPS:
        raise ExceededError(f"the template makes more than {MAX_STEPS:,} turns and calls")
    left = spent.until - thread_time()
    if left <= 0:
        raise ExceededError(f"the template runs for more than {MAX_SECONDS:g} seconds")
    spent.deadline = monotonic() + left


def spend(size: int) -> None:
    """Count one call, and the characters that it is about to put together."""
    spent = _thread.spent
    spent.text += size
    spent.steps += 1  # as `tick` does
    if spent.text > MAX_TEXT:
        raise ExceededError(f"the template puts together more than {MAX_TEXT:,} characters")
    if spent.steps > MAX_STEPS or monotonic() > spent.deadline:
        _look_closer(spent)


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
    """Join the pieces of a text, counted first."""
    pieces = list(parts)
    spend(sum(map(len, pieces)))
    return "".join(pieces)


def whole(parts: Iterable[str]) -> str:
    """Join the pieces of one rendering, whose count begins with the first of them."""
    _thread.spent = _Spent(thread_time() + MAX_SECONDS, monotonic() + MAX_SECONDS)
    pieces = list(parts)
    spend(sum(map(len, pieces)))
    return "".join(pieces)


def each(value: Iterable[Item]) -> Iterator[Item]:
    """Yield the items of a list, each of them counted.

    A text is no list: its characters are never meant.
    """
    if isinstance(value, str):
        raise RefusedError('is a text, not a list (a repeated field is named under "repeated" in process.toml)')
    if value is None or isinstance(value, bool | int | float):
        raise RefusedError("is not a list")
    return _counted(value)


def _counted(value: Iterable[Item]) -> Iterator[Item]:
    spent = _thread.spent
    for item in value:
        spent.steps += 1  # as `tick` does
        if spent.steps > MAX_STEPS or monotonic() > spent.deadline:
            _look_closer(spent)
        yield item
