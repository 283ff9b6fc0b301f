"""A file of the stage while it grows: in memory as long as it is small, so that a retry never comes to the disk."""

from pathlib import Path

from receiver.store.durable import NewFile
from receiver.store.hashing import Hashing


class StagedFile:
    """What one file is to contain, hashed as it comes in."""

    __slots__ = ("_file", "_folder", "_hash", "_held", "_room", "name", "size")

    def __init__(self, folder: Path, name: str, room: int) -> None:
        """Begin in memory, with room for so many bytes: what is larger is written to the folder as it comes in."""
        self.name = name
        self._folder = folder
        self.size = 0  # bytes so far
        self._room = room
        self._held: list[bytes] = []
        self._file: NewFile | None = None  # once it is written
        self._hash = Hashing()

    @property
    def path(self) -> Path:
        """Where the file lies, or will."""
        return self._folder / self.name

    @property
    def sha256(self) -> str:
        """The digest of what came in so far, hexadecimal."""
        return self._hash.hexdigest

    @property
    def in_memory(self) -> int:
        """How many bytes are held."""
        return self.size if self._file is None else 0

    @property
    def held(self) -> bytes | None:
        """All that came in so far; None where it was written already."""
        return b"".join(self._held) if self._file is None else None

    def write(self, chunk: bytes) -> None:
        """Append `chunk`, which is hashed beside and so must not change. Raises Problem where the disk refuses."""
        self._hash.update(chunk)
        self.size += len(chunk)
        if self._file is None and self.size <= self._room:
            self._held.append(chunk)
        else:
            self.written().write(chunk)

    def written(self) -> NewFile:
        """Return the file on disk, created with what was held until now. Raises Problem."""
        if self._file is None:
            self._file = _new(f"{self._folder}/{self.name}", self._held)
            self._held = []
        return self._file

    def close(self) -> None:
        """End without making anything durable."""
        self._hash.close()
        if self._file is not None:
            self._file.close()


def _new(path: str, begun: list[bytes]) -> NewFile:
    """Create a file with what is there already. Raises Problem; one that has less is never taken for whole."""
    file = NewFile(path)
    try:
        for chunk in begun:
            file.write(chunk)
    except BaseException:
        file.close()
        raise
    return file
