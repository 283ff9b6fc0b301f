"""Turns at work: so many threads at once, and the others in the order in which they came.

A thread that waits for something other than the processor or a disk of ours gives its turn to somebody else meanwhile
(`given`), wherever that is known: with the sender at the door, with the helper that reads documents.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

_thread = threading.local()


class Turns:
    """A semaphore that is fair: `threading.Semaphore` lets who comes now overtake who has waited long."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: deque[threading.Lock] = deque()
        self._lock = threading.Lock()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Have a turn, once there is one."""
        self.take()
        _thread.turns = self
        try:
            yield
        finally:
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
    """Give the turn of this thread, if it has one, to somebody else, and wait for another one at the end."""
    turns: Turns | None = getattr(_thread, "turns", None)
    if turns:
        turns.give()
    try:
        yield
    finally:
        if turns:
            turns.take()
