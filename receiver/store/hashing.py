"""SHA-256 of a file while it is written: the large ones by a thread beside the writing, which has its own core."""

import hashlib
import threading
from collections.abc import Callable
from queue import SimpleQueue

Chunk = bytes | bytearray | memoryview

LARGE = 4_000_000  # bytes hashed before a thread is worth its start, which takes as long as hashing 100 KB
PIECE = 64_000  # bytes; below it, handing over takes longer than hashing


class Hashing:
    """The digest of what grows; of one thread at a time."""

    __slots__ = ("_done", "_given", "_hash", "_size", "_thread")

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._size = 0  # bytes hashed
        self._thread: threading.Thread | None = None
        self._given: SimpleQueue[Chunk | None] = SimpleQueue()  # None ends the thread
        self._done: SimpleQueue[None] = SimpleQueue()

    @property
    def hexdigest(self) -> str:
        """The digest of all so far, hexadecimal."""
        return self._hash.hexdigest()

    def beside(self, work: Callable[[], None], chunk: Chunk) -> None:
        """Hash `chunk` while `work` is done. Both have ended on return; raises what `work` raises."""
        self._size += len(chunk)
        if self._size < LARGE or len(chunk) < PIECE:
            self._hash.update(chunk)
            work()
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="hashing", daemon=True)
            self._thread.start()
        self._given.put(chunk)
        try:
            work()
        finally:
            self._done.get()

    def close(self) -> None:
        """End the thread, if there is one."""
        if self._thread is not None:
            self._given.put(None)
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while (chunk := self._given.get()) is not None:
            self._hash.update(chunk)
            del chunk  # a megabyte that nobody needs while the next one is waited for
            self._done.put(None)
