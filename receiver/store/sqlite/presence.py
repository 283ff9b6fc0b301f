"""Detects that the ledger was replaced while processes have it open.

SQLite finds what it keeps beside a database by name. Where another database is laid under that name while somebody
has the first one open, whoever opens it takes the log of the one for changes to the other, and ruins it. So
everybody who opens the ledger holds a shared lock on `ledger.db.open`, in which the first one has noted by device
and inode which files they are. Whoever finds others there opens nothing and writes nothing, until they are back or
all are gone who have them open.
"""

import errno
import fcntl
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import apsw

from receiver.core.problems import Code, Problem
from receiver.store import durable
from receiver.store.durable import storage

Result = TypeVar("Result")

SUFFIX = ".open"
BESIDE = ("-wal", "-shm")  # what SQLite keeps beside the ledger: removed by the last one who closes it
LOOKS = 10  # before what lies there is called wrong: the last one may just be leaving
PAUSE = 0.03  # seconds between them
NOTE = 1_000  # bytes at most

_READ_ONLY = {errno.EACCES, errno.EPERM, errno.EROFS}


class LedgerMovedError(Problem):
    """One of the files is not where it was."""


class Presence:
    """One process that has the ledger open, from before it opens until it closed."""

    def __init__(self, path: Path) -> None:
        """Join them.

        Raises Problem: LedgerMovedError if the files that they have open are not those here.
        """
        self._path = str(path)
        self._files: dict[str, str] = {}  # by what follows the path; unknown before they are noted
        self._paths: list[str] = []  # of these files
        self._places: list[tuple[int, ...]] = []  # inode and device of each
        self._anchor: apsw.Connection  # whoever keeps them open
        self._file: int | None = None
        self._file = _joined(path)
        self._require_noted()

    def __del__(self) -> None:
        self.close()

    def note(self, anchor: apsw.Connection) -> None:
        """Note which files they are that this connection keeps open. Raises Problem."""
        self._anchor = anchor
        beside = BESIDE if anchor.pragma("journal_mode") == "wal" else ()  # else a copy on which no service started yet
        self._files = {suffix: _identity(f"{self._path}{suffix}") for suffix in ("", *beside)}
        self._paths = [f"{self._path}{suffix}" for suffix in self._files]
        with storage("look at the files of the ledger"):
            self._places = [os.stat(path)[1:3] for path in self._paths]
        if not self._require_noted() and self._file is not None:
            with storage("note which files the ledger is"):
                os.pwrite(self._file, json.dumps(self._files).encode(), 0)

    def require(self) -> None:
        """Check each of the files, in microseconds.

        What was committed is then moved out of the log, which nobody else may ever find again.

        Raises LedgerMovedError if one is not where it was.
        """
        with suppress(OSError):
            if [os.stat(path)[1:3] for path in self._paths] == self._places:  # of inode and device
                return
        try:
            self._compare(self._files)
        except LedgerMovedError:
            with suppress(apsw.Error):
                self._anchor.wal_checkpoint()
            raise

    def close(self) -> None:
        """Leave them; in the child of a fork, what it has inherited of its parent."""
        self._files = {}
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def _require_noted(self) -> bool:
        """Return whether anything is noted.

        Raises LedgerMovedError, having left, if it is not what lies there.
        """
        if self._file is None:
            return False
        with storage("read which files the ledger is"):
            noted: dict[str, str] = json.loads(os.pread(self._file, NOTE, 0) or "{}")
        try:
            self._compare(noted)
        except LedgerMovedError:
            self.close()
            raise
        return bool(noted)

    def _compare(self, files: dict[str, str]) -> None:
        for suffix, identity in files.items():
            found = _identity(f"{self._path}{suffix}")
            if found != identity:
                raise _moved(os.path.basename(f"{self._path}{suffix}"), there=bool(found), whole=not suffix)


def patiently(join: Callable[[], Result]) -> Result:
    """Join again if other files are found: their last user may just be leaving.

    Raises Problem.
    """
    for _ in range(LOOKS):
        with suppress(LedgerMovedError):
            return join()
        time.sleep(PAUSE)
    return join()


def require_none_else(path: Path) -> None:
    """Raise Problem if a new ledger would clash with an open or incomplete one.

    SQLite would take away what lies beside an empty ledger, whosever it is.
    """
    patiently(lambda: Presence(path)).close()
    if not path.exists() and any(_identity(f"{path}{suffix}") for suffix in BESIDE):
        raise Problem(
            Code.STORAGE_FAILED,
            f"there is no ledger {path}, but what SQLite kept beside one: put the ledger back, "
            f"or remove {path.name}-wal and {path.name}-shm as well",
        )


def _joined(path: Path) -> int | None:
    """Return the note, open and share-locked, emptied if unused; None if read-only."""
    with storage("open the note of which files the ledger is"):
        try:
            file = os.open(f"{path}{SUFFIX}", os.O_RDWR | os.O_CREAT, durable.FILE_MODE)
        except OSError as error:
            if error.errno in _READ_ONLY:
                return None
            raise
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(file, 0)
        fcntl.flock(file, fcntl.LOCK_SH)
    return file


def _identity(path: str) -> str:
    """Return device and inode of a file; "" if there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return ""
    return f"{found.st_dev}:{found.st_ino}"


def _moved(name: str, *, there: bool, whole: bool) -> LedgerMovedError:
    reason = f"{name} is not the file that it was" if there else f"{name} is not where it was"
    cure = "put it back, or stop the service, restore the ledger and start" if whole else "put it back, or restart"
    return LedgerMovedError(Code.STORAGE_FAILED, f"the ledger cannot be used, for {reason}: {cure}")
