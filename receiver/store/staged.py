"""One delivery in the making: its stage folder and files, in memory while small.

So a retry never reaches the disk.
"""

import hashlib
import os
import threading
from collections.abc import Collection
from dataclasses import dataclass
from itertools import filterfalse
from operator import attrgetter
from pathlib import Path
from queue import SimpleQueue

from receiver.core import processors
from receiver.core.problems import Code, Problem
from receiver.store import durable, folders
from receiver.store.durable import NewFile, storage

MEMORY_LIMIT = 256 * 1024  # bytes of one delivery in memory; 256 senders that pause take 64 MB of a worker at most
OPEN_FILES = 16  # files of one delivery left open until all are synced together; 16 threads stay far below 1,024
LARGE = 4_000_000  # bytes hashed before a thread is worth its start, which takes as long as hashing 100 KB
PIECE = 64_000  # bytes; below it, handing over takes longer than hashing


@dataclass(slots=True, eq=False)
class Folder:
    """A folder of the stage, and the lock that its owner holds on it."""

    path: Path
    lock: int  # descriptor of the folder itself
    place: tuple[int, ...]  # its inode and device
    names: int = 0  # given out so far, over all its deliveries: none is ever given twice
    rooted: bool = False  # its own name is durable

    def is_there(self) -> bool:
        """Return whether the folder is still where it was created."""
        try:
            return os.stat(self.path)[1:3] == self.place
        except OSError:
            return False

    def empty(self) -> None:
        """Remove what a delivery has left in it. Raises Problem."""
        with storage("clear the stage"):
            for left in os.listdir(self.path):
                folders.remove(self.path / left)


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

    def _hand_over(self, chunk: bytes) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="hashing", daemon=True)
            self._thread.start()
        self._given.put(chunk)
        self._owed = True

    def _run(self) -> None:
        processors.free()
        while (chunk := self._given.get()) is not None:
            self._hash.update(chunk)
            del chunk  # a megabyte that nobody needs while the next one is waited for
            self._done.put(None)


_name = attrgetter("name")


class Staged:
    """One delivery in the making."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder.path
        self.accepted = False  # from the ledger row on, only recovery's rules may remove the folder
        self._folder = folder
        self._files: list[StagedFile] = []  # not yet durable
        self.lying: set[str] = set()  # names in the folder that may still be there

    def part(self, suffix: str = "") -> StagedFile:
        """Begin a new file for a part's pieces; `suffix` is our own, never the sender's."""
        if len(self._files) >= OPEN_FILES:
            self._sync(self._files)
        self._folder.names += 1
        room = MEMORY_LIMIT
        for each in self._files:
            if each.on_disk is None:
                room -= each.size
        file = StagedFile(self.folder, f"{self._folder.names}{suffix}", room)
        self._files.append(file)
        return file

    def add(self, content: bytes, suffix: str = "") -> StagedFile:
        """Stage a whole file: a record, or the empty marker."""
        file = self.part(suffix)
        file.write(content)
        return file

    def describe(self, name: str, content: bytes) -> None:
        """Stage what tells of the other files, under a name that says so.

        Durable once it is sealed with them.
        """
        file = StagedFile(self.folder, name, len(content))
        file.write(content)
        self._files.append(file)

    def adopt(self, path: Path, suffix: str = "") -> Path:
        """Stage a durable file: linked, or copied from another file system."""
        target = self.free(suffix)
        durable.link_or_copy(path, target)
        return target

    def free(self, suffix: str) -> Path:
        """Return a name in the folder that nothing has, or ever had."""
        self._folder.names += 1
        name = f"{self._folder.names}{suffix}"
        self.lying.add(name)
        return self.folder / name

    def write(self, names: Collection[str] | None = None) -> None:
        """Have the named files, or all, on disk, where they can be read; not yet durable.

        Raises Problem.
        """
        for file in self._files:
            if names is None or file.name in names:
                self.lying.add(file.name)
                file.written()

    def share(self, names: Collection[str], group: int) -> None:
        """Give the named files to a group, readable: durable once they are sealed.

        Raises Problem.
        """
        self.write(names)
        open_yet = {file.name for file in self._files}
        for name in names:
            folders.share_file(f"{self.folder}/{name}", group)
            if name not in open_yet:
                durable.sync_again(f"{self.folder}/{name}")

    def seal(self, names: Collection[str] | None = None) -> None:
        """Make the named files, or all, and the folder durable; others may be lost.

        Raises Problem.
        """
        self._sync(self._files if names is None else [file for file in self._files if file.name in names])
        durable.sync_opened(self._folder.lock)
        if not self._folder.rooted:
            durable.sync_folder(self.folder.parent)
            self._folder.rooted = True
        if not self._folder.is_there():
            raise Problem(Code.STORAGE_FAILED, "a folder of the stage is not where it was")

    def _sync(self, files: list[StagedFile]) -> None:
        """Make files durable and close them. Raises Problem."""
        self.lying.update(map(_name, files))
        try:
            durable.sync_files(map(StagedFile.written, files))
        except BaseException:
            for file in files:
                file.close()
            raise
        finally:
            self._files = list(filterfalse(files.__contains__, self._files))
        for file in files:
            if file.beside:
                file.beside.close()

    def close(self) -> None:
        """Close what is still open."""
        for file in self._files:
            if file.on_disk:
                self.lying.add(file.name)
            file.close()
        self._files.clear()
