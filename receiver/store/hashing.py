"""SHA-256 of a file while it is written: of the large ones by a thread beside, which has its own core."""

import hashlib
import threading
from queue import SimpleQueue

LARGE = 4_000_000  # bytes hashed before a thread is worth its start, which takes as long as hashing 100 KB
PIECE = 64_000  # bytes; below it, handing over takes longer than hashing


class Hashing:
    """The digest of what grows; of one thread at a time."""

    __slots__ = ("_done", "_given", "_hash", "_owed", "_size", "_thread")

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._size = 0  # bytes hashed
        self._thread: threading.Thread | None = None
        self._given: SimpleQueue[bytes | None] = SimpleQueue()  # None ends the thread
        self._done: SimpleQueue[None] = SimpleQueue()
        self._owed = False  # one chunk is with the thread: a second one would only take memory

    @property
    def hexdigest(self) -> str:
        """The digest of all so far, hexadecimal."""
        self._settle()
        return self._hash.hexdigest()

    def update(self, chunk: bytes) -> None:
        """Hash `chunk`: a large one while its writing goes on and the next one comes in."""
        self._settle()
        self._size += len(chunk)
        if self._size < LARGE or len(chunk) < PIECE:
            self._hash.update(chunk)
        else:
            self._hand_over(chunk)

    def close(self) -> None:
        """End the thread, if there is one."""
        if self._thread is not None:
            self._given.put(None)
            self._thread.join()
            self._thread = None

    def _hand_over(self, chunk: bytes) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="hashing", daemon=True)
            self._thread.start()
        self._given.put(chunk)
        self._owed = True

    def _settle(self) -> None:
        """Wait until the chunk before this one is hashed."""
        if self._owed:
            self._done.get()
            self._owed = False

    def _run(self) -> None:
        while (chunk := self._given.get()) is not None:
            self._hash.update(chunk)
            del chunk  # a megabyte that nobody needs while the next one is waited for
            self._done.put(None)
