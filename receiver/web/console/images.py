"""Pages of documents as images, cached in memory only: they show patients' data.

Nothing of them lies on a disk, so nothing must be removed when a delivery's time is over; they end with the process.
"""

import threading
import time
from collections import OrderedDict

from receiver import documents
from receiver.core.delivery import Part

MOST = 64_000_000  # bytes of all: some four thousand fax pages, or a hundred of photographs
LASTS = 600.0  # seconds: as long as somebody is at one delivery

Key = tuple[str, int, bool]


class Images:
    """The pages that were drawn last."""

    def __init__(self, most: int = MOST, lasts: float = LASTS) -> None:
        self._most = most
        self._lasts = lasts
        self._lock = threading.Lock()
        self._drawn: OrderedDict[Key, tuple[float, bytes]] = OrderedDict()
        self._size = 0

    def page(self, part: Part, number: int, process: str, *, small: bool) -> bytes:
        """Return a page as PNG, counted from 1.

        Raises `Problem` for one that cannot be read.
        """
        key = part.sha256, number, small
        found = self._find(key)
        if found is None:
            found = documents.page(part, number, process, small=small)
            self._keep(key, found)
        return found

    def _find(self, key: Key) -> bytes | None:
        with self._lock:
            self._forget()
            if key not in self._drawn:
                return None
            self._drawn.move_to_end(key)
            return self._drawn[key][1]

    def _keep(self, key: Key, image: bytes) -> None:
        with self._lock:
            _, before = self._drawn.pop(key, (0.0, b""))
            self._drawn[key] = time.monotonic(), image
            self._size += len(image) - len(before)
            self._forget()

    def _forget(self) -> None:
        """Drop what is too old, and the least used of what is too much.

        The caller holds the lock.
        """
        before = time.monotonic() - self._lasts
        for key in [key for key, (at, _) in self._drawn.items() if at < before]:
            self._size -= len(self._drawn.pop(key)[1])
        while self._size > self._most:
            self._size -= len(self._drawn.popitem(last=False)[1][1])
