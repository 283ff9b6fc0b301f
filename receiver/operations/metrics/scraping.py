"""Makes a page for all who ask: one thread at a time, and never for more than a share of the processor's time.

A page of metrics takes as long as several deliveries. Whoever asks while one is made gets the page before it, if that
is young; whoever asks alone always gets one that was begun after the question.
"""

import threading
import time
from collections.abc import Callable
from math import inf

YOUNG = 1.0  # seconds: a monitoring system asks every fifteen
PATIENCE = 10.0  # seconds that anybody waits for a page that takes long: a disk that it asks is away
REST = 4.0  # seconds without a page for each second of the processor that one took: a fifth is left to scrapers


class Page:
    """One page, and how old it is."""

    def __init__(self, make: Callable[[], bytes]) -> None:
        self._make = make
        self._making = threading.Lock()
        self._made = b""
        self._made_at = -inf  # monotonic seconds
        self._rests_until = -inf

    def __call__(self) -> bytes:
        """Return the page."""
        is_young = time.monotonic() - self._made_at < YOUNG
        if not self._making.acquire(timeout=0 if is_young else PATIENCE):
            return self._made
        try:
            time.sleep(max(0, self._rests_until - time.monotonic()))
            begun = time.thread_time()
            self._made = self._make()
            self._made_at = time.monotonic()
            self._rests_until = self._made_at + REST * (time.thread_time() - begun)
            return self._made
        finally:
            self._making.release()
