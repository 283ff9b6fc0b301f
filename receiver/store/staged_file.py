"""A growing file of the stage, in memory while small: retries never reach the disk."""

import hashlib
import threading
from pathlib import Path
from queue import SimpleQueue

from receiver.store.durable import NewFile

LARGE = 4_000_000  # bytes hashed before a thread is worth its start, which takes as long as hashing 100 KB
PIECE = 64_000  # bytes; below it, handing over takes longer than hashing


class StagedFile:
    """What one file is to contain, hashed as it comes in."""

    __slots__ = ("_folder", "_hash", "_held", "_room", "beside", "name", "on_disk", "size")

    def __init__(self, folder: Path, name: str, room: int) -> None:
        """Begin in memory, with room for so many bytes; larger files go to the folder."""
        self.name = name
        self._folder = folder
        self.size = 0  # bytes so far
        self._room = room
        self._held: list[bytes] = []
        self.on_disk: NewFile | None = None  # once it is written
        self._hash = hashlib.sha256()
        self.beside: Hashing | None = None  # once it is large

    @property
    def path(self) -> Path:
        """Where the file lies, or will."""
        return self._folder / self.name

    @property
    def sha256(self) -> str:
        """The digest of what came in so far, hexadecimal."""
        if self.beside:
            self.beside.settle()
        return self._hash.hexdigest()

    @property
    def held(self) -> bytes | None:
        """All that came in so far; None if it was written already."""
        return b"".join(self._held) if self.on_disk is None else None

    def write(self, chunk: bytes) -> None:
        """Append `chunk`, which is hashed beside and so must not change.

        Raises Problem if the disk refuses.
        """
        self.size += len(chunk)
        if self.size < LARGE:
            self._hash.update(chunk)
        else:
            self.beside = self.beside or Hashing(self._hash)
            self.beside.update(chunk)
        if self.on_disk is None and self.size <= self._room:
            self._held.append(chunk)
        else:
            self.written().write(chunk)

    def written(self) -> NewFile:
        """Return the file on disk, created with what was held until now. Raises Problem."""
        if self.on_disk is None:
            self.on_disk = NewFile(f"{self._folder}/{self.name}", begun=b"".join(self._held))
            self._held = []
        return self.on_disk

    def close(self) -> None:
        """End without making anything durable."""
        if self.beside:
            self.beside.close()
        if self.on_disk:
            self.on_disk.close()


class Hashing:
    """SHA-256 of a large file while it is written, by a thread on another core."""

    __slots__ = ("_done", "_given", "_hash", "_owed", "_thread")

    def __init__(self, begun: "hashlib._Hash") -> None:
        """Go on with what was begun."""
        self._hash = begun
        self._thread: threading.Thread | None = None
        self._given: SimpleQueue[bytes | None] = SimpleQueue()  # None ends the thread
        self._done: SimpleQueue[None] = SimpleQueue()
        self._owed = False  # one chunk is with the thread: a second one would only take memory

    def update(self, chunk: bytes) -> None:
        """Hash `chunk`: a large one while its writing goes on and the next one comes in."""
        self.settle()
        if len(chunk) < PIECE:
            self._hash.update(chunk)
        else:
            self._hand_over(chunk)

    def settle(self) -> None:
        """Wait until all so far is hashed."""
        if self._owed:
            self._done.get()
            self._owed = False

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

    def _run(self) -> None:
        while (chunk := self._given.get()) is not None:
            self._hash.update(chunk)
            del chunk  # a megabyte that nobody needs while the next one is waited for
            self._done.put(None)
