"""Spare folders of a stage: empty, still locked, and taken by the next delivery in place of a new one.

A new folder must be created, made durable and removed; and for half a minute ext4 looks at an inode that was removed
before it gives one out, which costs the deliveries after it far more than the removal itself.

A spare folder stays with the process that created it: no fork takes it along, and one that is found on disk is never
taken. `publish.py` tells why nothing is mistaken in a folder that had several deliveries.
"""

import contextlib
import os
import weakref
from dataclasses import dataclass
from pathlib import Path

from receiver.core import limits
from receiver.core.problems import Problem
from receiver.store import folders
from receiver.store.durable import storage


@dataclass(slots=True, eq=False)
class Folder:
    """A folder of the stage, and the lock that its owner holds on it."""

    path: Path
    lock: int  # descriptor of the folder itself
    names: int = 0  # given out so far, over all its deliveries: none is ever given twice
    rooted: bool = False  # its own name is durable

    def is_there(self) -> bool:
        """Tell whether the folder is still where it was created."""
        try:
            return os.path.samestat(os.fstat(self.lock), os.stat(self.path))
        except OSError:
            return False

    def empty(self) -> None:
        """Remove what a delivery has left in it. Raises Problem."""
        with storage("clear the stage"):
            for left in os.listdir(self.path):
                folders.remove(self.path / left)


class Spare:
    """The spare folders of one stage, the one that was used last on top: so there are as few as are needed at once."""

    def __init__(self) -> None:
        self._free: list[Folder] = []
        self._most = limits.AT_WORK
        _everywhere.add(self)

    def take(self) -> Folder | None:
        """Return a folder, which is the caller's from now on; None where there is none."""
        with contextlib.suppress(IndexError):
            while True:
                folder = self._free.pop()
                if folder.is_there():
                    return folder
                os.close(folder.lock)
        return None

    def put(self, folder: Folder) -> bool:
        """Keep a folder on which nothing rests any more; False where it is not needed, or is not as it was."""
        if len(self._free) >= self._most or not folder.is_there():
            return False
        try:
            folder.empty()
        except Problem:
            return False
        self._free.append(folder)
        return True

    def close(self) -> None:
        """Remove all there are, and take no more."""
        self._most = 0
        while self._free:
            folder = self._free.pop()
            with contextlib.suppress(OSError):
                folder.path.rmdir()
            os.close(folder.lock)

    def forsake(self) -> None:
        """Let go of what a fork has inherited: the folders are its parent's, and so are the locks."""
        while self._free:
            os.close(self._free.pop().lock)


_everywhere: weakref.WeakSet[Spare] = weakref.WeakSet()


def _forsake_all() -> None:
    for spare in _everywhere:
        spare.forsake()


os.register_at_fork(after_in_child=_forsake_all)
