"""Several helpers, and who is next: nobody waits for long behind the documents of one process.

Of those who wait, the process with the fewest documents at work comes first, and no process has all helpers: another
one's document always finds one. Who waits holds no turn at work (`turns`), and only so many wait at once.
"""

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from receiver.core import work
from receiver.core.problems import Code, Problem
from receiver.documents.helper import Helper

HELPERS = max(2, min(4, os.cpu_count() or 1))  # of one worker: a core each, two for a share, four for the memory
MAX_WAITING = 32  # documents of one process that wait in one worker: an eighth of its threads
MAX_WAITING_OF_ALL = 64  # of all processes: a quarter of its threads
MAX_SECONDS = 90.0  # that a document waits for others, before the sender is told to come back


class Waiting:
    """One document that waits, and the helper that it gets."""

    def __init__(self, process: str) -> None:
        self.process = process
        self.helper: Helper | None = None
        self.called = threading.Event()


class Helpers:
    """The helpers of one worker; each is started when it is first needed."""

    def __init__(self, count: int = HELPERS) -> None:
        self._free = [Helper() for _ in range(count)]
        self._share = max(1, count - 1)  # helpers that one process has at most
        self._at_work = Counter[str]()
        self._waiting: list[Waiting] = []
        self._lock = threading.Lock()

    def ask(
        self, process: str, question: dict[str, str], seconds: float, take: Callable[[bytes], object] | None = None
    ) -> dict[str, Any]:
        """Return what a helper says, as `Helper.ask`; raises `Problem` where too many others come first."""
        with work.given(), self._one(process) as helper:
            return helper.ask(question, seconds, take)

    def stop(self) -> None:
        """End all that nobody is asking."""
        for helper in self._free:
            helper.stop()

    @contextmanager
    def _one(self, process: str) -> Iterator[Helper]:
        helper = self._claim(process)
        try:
            yield helper
        finally:
            with self._lock:
                self._at_work[process] -= 1
                self._free.insert(0, helper)  # it runs already, others may not
                self._call_next()

    def _claim(self, process: str) -> Helper:
        mine = Waiting(process)
        with self._lock:
            self._waiting.append(mine)
            self._call_next()
            theirs = sum(each.process == process for each in self._waiting)
            if mine.helper is None and (theirs > MAX_WAITING or len(self._waiting) > MAX_WAITING_OF_ALL):
                self._waiting.remove(mine)
                raise _busy()
        mine.called.wait(MAX_SECONDS)
        with self._lock:
            if mine.helper is None:
                self._waiting.remove(mine)
                raise _busy()
        return mine.helper

    def _call_next(self) -> None:
        """Give free helpers to those who wait. Whoever calls this holds the lock."""
        while self._free:
            eligible = [each for each in self._waiting if self._at_work[each.process] < self._share]
            if not eligible:
                return
            called = min(eligible, key=lambda each: self._at_work[each.process])  # of equals who came first
            self._waiting.remove(called)
            self._at_work[called.process] += 1
            called.helper = self._free.pop(0)
            called.called.set()


def _busy() -> Problem:
    return Problem(Code.BUSY, "Other documents are being read.")
