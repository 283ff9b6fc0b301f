"""What a thread works on: its turn, and how long the steps of its delivery take.

A thread that waits for something other than the processor or a disk of ours gives its turn to another one meanwhile
(`given`), wherever that is known: with the sender at the door, with the helper that reads documents.
"""

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import wraps
from time import perf_counter
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_thread = threading.local()


class Turns:
    """A fair semaphore; in `threading.Semaphore` newcomers overtake those who wait.

    Within a `with` the thread has a turn.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: deque[threading.Lock] = deque()
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self.take()
        _thread.turns = self

    def __exit__(self, *_error: object) -> None:
        _thread.turns = None
        self.give()

    def take(self) -> None:
        """Wait for a turn."""
        with self._lock:
            if self._free:
                self._free -= 1
                return
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        mine.acquire()

    def give(self) -> None:
        """End a turn: the next in line has it now."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1


@contextmanager
def given() -> Iterator[None]:
    """Give this thread's turn, if it has one, away, and wait for another at the end."""
    turns: Turns | None = getattr(_thread, "turns", None)
    if turns:
        turns.give()
    try:
        yield
    finally:
        if turns:
            turns.take()


class Step(StrEnum):
    """The steps, in the order of the path of `delivery/receive.py`."""

    RECEIVE = "receive"  # the body, onto the stage: as fast as its sender
    READ = "read"
    RENDER = "render"
    COMMIT = "commit"
    PUBLISH = "publish"
    QUARANTINE = "quarantine"


class _Account(threading.local):
    def __init__(self) -> None:
        self.seconds: dict[Step, float] = defaultdict(float)


_account = _Account()


def start_timing() -> dict[Step, float]:
    """Open a new account for this thread and return it: seconds by step."""
    _account.seconds = defaultdict(float)
    return _account.seconds


def timed(step: Step) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a function that is part of a step: its time counts, even if it raises."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def counted(*args: P.args, **kwargs: P.kwargs) -> R:
            started = perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                _account.seconds[step] += perf_counter() - started

        return counted

    return decorate
