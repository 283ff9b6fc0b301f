"""Calls of Linux that Python does not offer: the rename that never overwrites, early write-back, a common end."""

import ctypes
import errno
import os
import signal
from collections.abc import Callable

AnyPath = str | os.PathLike[str]  # as the functions of `os` take it

_AT_FDCWD = -100  # linux/fcntl.h: paths are relative to the working folder
_RENAME_NOREPLACE = 1  # linux/fs.h
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_SYNC_FILE_RANGE_WRITE = 2  # linux/fs.h: start to write dirty pages, wait for none

_libc = ctypes.CDLL(None, use_errno=True)


def _function(name: str, *types: type) -> Callable[..., int] | None:
    """Return libc's function `name`, or None where this libc does not have it."""
    found = getattr(_libc, name, None)
    if found is None:
        return None
    found.argtypes = types
    found.restype = ctypes.c_int
    return found  # type: ignore[no-any-return]


_renameat2 = _function("renameat2", ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
_sync_file_range = _function("sync_file_range", ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
_prctl = _function("prctl", ctypes.c_int, ctypes.c_ulong)


def rename_new(source: AnyPath, target: AnyPath) -> None:
    """Rename without ever overwriting, or raise OSError: FileExistsError, or ENOSYS where libc has no such call."""
    if _renameat2 is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    names = os.fsencode(source), os.fsencode(target)
    if _renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_NOREPLACE) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def start_writing(descriptor: int, offset: int, length: int) -> None:
    """Have the kernel begin to write these bytes to the disk now; a hint, so a refusal is nothing to report."""
    if _sync_file_range is not None:
        _sync_file_range(descriptor, offset, length, _SYNC_FILE_RANGE_WRITE)


def end_with_parent() -> None:
    """Have this process killed when the one that started it ends, however it does."""
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
