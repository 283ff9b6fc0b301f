"""Turns at work: so many threads at once, and the others in the order in which they came."""

from collections import deque
from threading import Lock


class Turns:
    """A semaphore that is fair: `threading.Semaphore` lets who comes now overtake who has waited long."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: deque[Lock] = deque()
        self._lock = Lock()

    def take(self) -> None:
        """Wait for a turn."""
        with self._lock:
            if self._free:
                self._free -= 1
                return
            mine = Lock()
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
