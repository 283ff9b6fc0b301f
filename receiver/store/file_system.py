"""Tests that a file system does what stage and publication depend on.

What is tried is what `stage.py` and `publish.py` do: a new file is new, a move takes the whole file away from its place
and overwrites nothing, a folder has one owner and stays the same one. All of it happens in a hidden folder of the
stage, so no importing system sees it; that a rename leads from there to the output is `durable.leads_to`.

Whether an fsync reaches the disk, and whether two hosts that move the same file have one winner, no program can tell
from one host: its own kernel lets one rename wait for the other. File systems over object stores pass all else, and
are known by their names.
"""

import contextlib
import errno
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from receiver.core.problems import Code, Problem
from receiver.store import durable
from receiver.store.durable import storage, storage_problem

PREFIX = ".probe-"
MODE = 0o700
LONGEST_NAME = 255  # bytes: those of `formats/path.py`, and what tells namesakes apart
ABANDONED = 3600  # seconds after which a probe belongs to nobody: hosts' clocks differ by less
MOUNTS = "/proc/self/mountinfo"
# Their rename is a copy that a crash, or another host, finds half done; or their fsync waits for a cache alone.
COPYING = {
    *("fuse.s3fs", "fuse.goofys", "fuse.geesefs", "fuse.riofs", "fuse.ossfs", "fuse.cosfs", "fuse.obsfs"),
    *("fuse.gcsfuse", "fuse.blobfuse", "fuse.blobfuse2", "fuse.rclone"),
}
CONTENT = b"a delivery, as far as this disk knows\n"
USE_ANOTHER = "put RECEIVER_DATA and the outputs on a file system that docs/scaling.md lists"

_UNKNOWN = {errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.EPERM, errno.EXDEV, errno.ENOLCK, errno.ENAMETOOLONG}
_proven: set[int] = set()  # devices


class _UnfitError(Exception):
    """What a file system does not do."""


def require_sound(root: Path) -> None:
    """Raise Problem unless a folder's file system is fit; each is tried once.

    One that is full is tried the next time: deliveries are refused there, and recovery may free space.
    """
    with storage(f"look at the folder {root}"):
        device = root.stat().st_dev
    if device in _proven:
        return
    _clear_abandoned(root)
    place = root / f"{PREFIX}{durable.new_name()}"
    try:
        _require_moving(device)
        _try(root, place)
        _proven.add(device)
    except _UnfitError as unfit:
        detail = f"the file system of {root} does not keep what is accepted: {unfit}; {USE_ANOTHER}"
        raise Problem(Code.STORAGE_FAILED, detail) from None
    except Problem as problem:
        if problem.code is not Code.DISK_FULL:
            raise
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _require_moving(device: int) -> None:
    """Raise _UnfitError if a device is known to copy where it should move."""
    number = f"{os.major(device)}:{os.minor(device)}"
    with contextlib.suppress(OSError), open(MOUNTS, errors="replace") as mounts:
        for line in mounts:
            fields = line.split()  # proc(5): the number is the third field, the type the first one after a dash
            kind = fields[fields.index("-") + 1]
            if fields[2] == number and kind in COPYING:
                raise _UnfitError(f"{kind} renames by copying, or syncs to a cache alone")


def _try(root: Path, place: Path) -> None:
    source, target = place / "from", place / "to"
    with _doing("create a file", root):
        for folder in (place, source, target):
            folder.mkdir(mode=MODE)
        _try_new_file(source / "file")
    with _doing(f"rename a file to a name of {LONGEST_NAME} bytes", root):
        _try_move(source / "file", target / ("n" * LONGEST_NAME))
        _try_no_overwriting(source / "second", target / ("n" * LONGEST_NAME))
    with _doing("lock and rename a folder", root):
        _try_folder(source, place / "moved")


@contextlib.contextmanager
def _doing(what: str, root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _UNKNOWN:
            raise _UnfitError(f"it cannot {what} ({errno.errorcode[error.errno]})") from None
        raise storage_problem(f"{what} in {root}", error) from None


def _try_new_file(path: Path) -> None:
    durable.write_new(path, CONTENT)
    durable.sync_folder(path.parent)
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        raise _UnfitError("a new file may be one that is there already (O_EXCL)")


def _try_move(source: Path, target: Path) -> None:
    durable.move_new(source, target)
    if os.path.lexists(source):
        raise _UnfitError("a file that was renamed is still in its place")
    listed = target.name in os.listdir(target.parent)
    if not listed or not target.exists() or target.read_bytes() != CONTENT:
        raise _UnfitError("a file that was renamed is not whole under its new name")
    with contextlib.suppress(FileNotFoundError):
        durable.move_new(source, target.with_name("again"))
        raise _UnfitError("a file can be renamed twice")


def _try_no_overwriting(source: Path, target: Path) -> None:
    source.touch()
    with contextlib.suppress(FileExistsError):
        durable.move_new(source, target)
        raise _UnfitError("a rename that must not overwrite does")
    if not source.exists():
        raise _UnfitError("a file whose rename was refused is gone")


def _try_folder(folder: Path, target: Path) -> None:
    """Own a folder by a lock, and move it with what is in it."""
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _require_held(held, folder)
        durable.move_new(folder, target)
        _require_held(held, target)
    finally:
        os.close(held)


def _require_held(held: int, folder: Path) -> None:
    """Raise _UnfitError unless a folder is the one that is open and locked."""
    if not os.path.samestat(os.fstat(held), folder.stat()):
        raise _UnfitError("a folder has another inode each time it is looked at")
    other = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
            raise _UnfitError("a lock on a folder (flock) does not keep others out")
    finally:
        os.close(other)


def _clear_abandoned(root: Path) -> None:
    """Remove what a probe left that was killed."""
    with contextlib.suppress(OSError):
        for path in root.glob(f"{PREFIX}*"):
            if time.time() - path.stat().st_mtime > ABANDONED:
                shutil.rmtree(path, ignore_errors=True)
