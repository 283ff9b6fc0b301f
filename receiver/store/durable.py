"""The only door to the disk: every fsync, rename, replace and link is here.

What a function has returned from survives a power cut, except where its docstring says what is still to be synced.
An fsync that failed is never retried on the same file: after it, Linux calls pages clean that never reached the
disk, so a second fsync proves nothing.
"""

import ctypes
import errno
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from receiver.core.problems import Code, Problem

AnyPath = str | os.PathLike[str]  # as the functions of `os` take it

FILE_MODE = 0o640  # downstream reads through its group; patients' data is for nobody else
EARLY_WRITE = 8_000_000  # bytes; the disk works while the body still comes in, and the last fsync is nearly free
COPY_CHUNK = 1_000_000  # bytes
NAME_BYTES = 10  # at random: so many that no name is ever given twice

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL
_CLOSED = -1  # no descriptor
_FULL = {errno.ENOSPC, errno.EDQUOT}
_NO_RENAME_NEW = {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}  # renameat2(2): flag or call unknown to the file system
_NO_LINK = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV, errno.EACCES}


class storage:  # noqa: N801 (used as a statement: `with storage("write to the stage"):`)
    """Turn an OSError into a Problem with what was tried and errno, never a path.

    Paths are rendered from fields, so they may spell a value; the OSError, which holds them, is left behind. What every
    delivery does many times catches the error itself (`storage_problem`): three calls a `with` are too many there.
    """

    __slots__ = ("attempt",)

    def __init__(self, attempt: str) -> None:
        self.attempt = attempt

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, OSError):
            raise storage_problem(self.attempt, error) from None


def storage_problem(attempt: str, error: OSError) -> Problem:
    """Return the Problem that an OSError is: the disk is full, or the storage failed."""
    number = error.errno
    code = Code.DISK_FULL if number in _FULL else Code.STORAGE_FAILED
    name = f"{errno.errorcode.get(number, number)}: {os.strerror(number)}" if number is not None else "unknown error"
    by_unit = number == errno.EROFS and "INVOCATION_ID" in os.environ  # which systemd sets for its services
    hint = ": is the folder in the unit's ReadWritePaths=?" if by_unit else ""
    return Problem(code, f"could not {attempt} ({name}){hint}")


class NewFile:
    """A whole new file while it is written: durable only after `sync`."""

    __slots__ = ("_descriptor", "_size", "_started")

    def __init__(self, path: AnyPath, mode: int = FILE_MODE, begun: bytes = b"") -> None:
        """Create the file with what it begins with.

        Raises Problem; one that has less is never taken for whole.
        """
        self._size = 0  # bytes written so far
        self._started = 0  # bytes whose write-back was started
        try:
            self._descriptor = os.open(path, _NEW, mode)
        except OSError as error:
            raise storage_problem("create a file in the stage", error) from None
        try:
            self.write(begun)
        except BaseException:
            self.close()
            raise

    def write(self, chunk: bytes) -> None:
        """Append `chunk`. Raises Problem if the disk refuses."""
        try:
            written = os.write(self._descriptor, chunk)
            while written < len(chunk):
                written += os.write(self._descriptor, memoryview(chunk)[written:])
        except OSError as error:
            raise storage_problem("write to the stage", error) from None
        self._size += len(chunk)
        if self._size - self._started >= EARLY_WRITE:
            self.start_writing()

    def start_writing(self) -> None:
        """Start writing this file's dirty pages to disk; waits for nothing."""
        if self._size > self._started:
            if _sync_file_range is not None:  # a hint, so a refusal is nothing to report
                _sync_file_range(self._descriptor, self._started, self._size - self._started, _SYNC_FILE_RANGE_WRITE)
            self._started = self._size

    def sync(self) -> None:
        """Make the content durable and close.

        Raises Problem; the file is then lost for good.
        """
        if self._descriptor == _CLOSED:
            raise Problem(Code.STORAGE_FAILED, "a file of the stage is closed and cannot be made durable")
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            raise storage_problem("make a file of the stage durable", error) from None
        finally:
            os.close(self._descriptor)
            self._descriptor = _CLOSED

    def close(self) -> None:
        """Close without making anything durable."""
        if self._descriptor != _CLOSED:
            os.close(self._descriptor)
            self._descriptor = _CLOSED

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def sync_files(files: Iterable[NewFile]) -> None:
    """Make several files durable and close them; all start before one is awaited."""
    waiting = list(files)
    try:
        for file in waiting[1:]:  # the first one's begins with its fsync
            file.start_writing()
        for file in waiting:
            file.sync()
    except BaseException:
        for file in waiting:
            file.close()
        raise


def sync_again(path: AnyPath) -> None:
    """Make durable what has changed about a file whose content is durable already.

    Raises Problem.
    """
    with storage("make a file durable"):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sync_folder(folder: AnyPath) -> None:
    """Make the names in `folder` durable. Raises Problem."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise storage_problem("make a folder durable", error) from None
    try:
        sync_opened(descriptor)
    finally:
        os.close(descriptor)


def sync_opened(folder: int) -> None:
    """Make the names in an open folder durable. Raises Problem."""
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno != errno.EINVAL:  # fsync(2): this file system has no such thing for folders
            raise storage_problem("make a folder durable", error) from None


def write_new(path: Path, content: bytes, mode: int = FILE_MODE) -> None:
    """Write a whole new file, durable but for its name: sync the folder."""
    with NewFile(path, mode) as file:
        file.write(content)
        file.sync()


def write_over(path: Path, content: bytes, scratch: Path, mode: int | None = None) -> None:
    """Replace `path` by `content` at once, durably, by `scratch` on the same disk.

    With a `mode`, that of the file whatever the umask is: others read it as they did.
    """
    write_new(scratch, content, FILE_MODE if mode is None else mode)
    with storage("replace a file"):
        if mode is not None:
            scratch.chmod(mode)
        scratch.replace(path)
    sync_folder(path.parent)


def new_name() -> str:
    """Return a name that nothing has, in hexadecimal digits."""
    return os.urandom(NAME_BYTES).hex()


def leads_to(source: Path, target: Path) -> bool:
    """Return whether a file can be renamed between two folders.

    Touches nothing: raises Problem.

    A file that does not exist is renamed: the kernel tells another file system before it misses the file.
    """
    name = f".{new_name()}"
    with storage("reach a folder from the stage"):
        try:
            (source / name).rename(target / name)
        except FileNotFoundError:
            return True
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
    return False


def move_new(source: AnyPath, target: AnyPath) -> None:
    """Rename `source` to a new `target`; durable once both folders are synced.

    Raises a bare OSError: only the caller knows what a missing source means. A file leaves its place at the instant
    at which it has the new name, so that one which is still there was never seen under that. Where the file system
    cannot rename without overwriting, a look comes first: what somebody else lays there within the microseconds
    after it is lost. A link that takes the name would show the file while it is still in its place, too; a crash then
    would have it published again after it was taken away.

    Raises FileExistsError.
    """
    try:
        rename_new(source, target)
    except OSError as error:
        if error.errno not in _NO_RENAME_NEW:
            raise
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
        try:
            os.rename(source, target)
        except OSError as taken:
            if taken.errno == errno.ENOTEMPTY:  # a folder that was laid there meanwhile, which none is renamed over
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
            raise


def link_or_copy(source: Path, target: Path) -> None:
    """Give durable content a new name `target`, by a link if possible, else a copy.

    Durable but for the name: sync the folder. Raises Problem.
    """
    with storage("link a file"):
        try:
            os.link(source, target)
        except OSError as error:
            if error.errno not in _NO_LINK:
                raise
        else:
            return
    copy(source, target)


def copy(source: Path, target: Path) -> None:
    """Copy one file, durable but for its name: sync the folder. Raises Problem."""
    with NewFile(target) as file:
        for chunk in chunks(source):
            file.write(chunk)
        file.sync()


def chunks(path: Path) -> Iterator[bytes]:
    """Read a file piece by piece. Raises Problem."""
    with storage("read a kept file"), path.open("rb") as file:
        while chunk := file.read(COPY_CHUNK):
            yield chunk


_AT_FDCWD = -100  # linux/fcntl.h: paths are relative to the working folder
_RENAME_NOREPLACE = 1  # linux/fs.h
_SYNC_FILE_RANGE_WRITE = 2  # linux/fs.h: start to write dirty pages, wait for none

_libc = ctypes.CDLL(None, use_errno=True)


def _function(name: str, *types: type) -> Callable[..., int] | None:
    """Return libc's function `name`, or None if this libc does not have it."""
    found = getattr(_libc, name, None)
    if found is None:
        return None
    found.argtypes = types
    return found  # type: ignore[no-any-return]


_renameat2 = _function("renameat2", ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
_sync_file_range = _function("sync_file_range", ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)


def rename_new(source: AnyPath, target: AnyPath) -> None:
    """Rename without overwriting, or raise OSError: FileExistsError, or ENOSYS.

    ENOSYS if libc has no such call.
    """
    if _renameat2 is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    names = os.fsencode(source), os.fsencode(target)
    if _renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_NOREPLACE) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
