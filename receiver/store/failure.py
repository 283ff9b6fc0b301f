"""What the disk's refusals are to the rest of the program."""

import errno
import os
from types import TracebackType

from receiver.core.problems import Code, Problem

_FULL = {errno.ENOSPC, errno.EDQUOT}


class storage:  # noqa: N801 (used as a statement: `with storage("write to the stage"):`)
    """Turn an OSError inside into a Problem that names what was tried and the errno, never a path.

    Paths are rendered from fields, so they may spell a value; the OSError, which holds them, is left behind.
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
    code = Code.DISK_FULL if error.errno in _FULL else Code.STORAGE_FAILED
    number = error.errno or 0
    name = f"{errno.errorcode[number]}: {os.strerror(number)}" if number in errno.errorcode else "unknown error"
    return Problem(code, f"could not {attempt} ({name})")
