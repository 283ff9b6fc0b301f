"""Faults of the configuration, which `receiver check` reports.

`reading` is the one door to libraries that read what a user wrote: whatever they raise is a fault of that file, and in
time.
"""

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from types import FrameType

from receiver.core.problems import Problem

READING_SECONDS = 20.0  # of processor time for one file: the largest public schemas take some five
REPEATED_SECONDS = 1.0  # seconds: a library that catches everything has caught the first signal

Place = Callable[[BaseException], tuple[str, int, int]]  # file, line and column


class Severity(StrEnum):
    """Errors refuse the start; warnings do not; infos are worth a look."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault at one place of one file.

    Prints as `file:line:column: CODE message (hint)`.
    """

    file: str  # relative to the site's folder
    line: int  # from 1
    column: int  # from 1
    code: str  # stable, in lower case with hyphens: "unknown-key"
    message: str
    hint: str = ""
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.file}:{self.line}:{self.column}: {self.code} {self.message}{hint}"


class ConfigurationError(Exception):
    """Something cannot be compiled; carries every fault found."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(map(str, self.faults)))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `did you mean "…"?` with the nearest known word; "" if none is near.

    Case makes no difference.
    """
    words = {each.casefold(): each for each in known}
    near = [words[each] for each in get_close_matches(word.casefold(), words, n=1, cutoff=0.6)]
    return f'did you mean "{near[0]}"?' if near else ""


class _TooLong(BaseException):
    """The time is over; no `Exception`, for libraries catch those."""


@contextmanager
def reading(file: str, place: Place | None = None) -> Iterator[None]:
    """Turn what a library raises on a user's file into `ConfigurationError`.

    `place` tells where in which file it is, by what was raised. `ConfigurationError` and `Problem` pass through.
    """
    at = place or (lambda _: (file, 1, 1))
    try:
        with _bounded():
            yield
    except (ConfigurationError, Problem, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except _TooLong as error:
        message = f"it takes more than {READING_SECONDS:g} seconds to compile"
        hint = "make it smaller: large bounds and lists, and what refers to itself again and again, cost most"
        fault = Fault(*at(error), "too-costly", message, hint)
    except BaseException as error:  # noqa: BLE001 (panics of libraries in Rust are no Exception)
        fault = Fault(*at(error), "unreadable-content", _told(error))
    else:
        return
    raise ConfigurationError([fault])


def _told(error: BaseException) -> str:
    """Report which library gave up, without its own words: they may quote a value."""
    if isinstance(error, OSError):
        return f"it cannot be read: {error.strerror}"
    frame = error.__traceback__
    while frame and frame.tb_next:
        frame = frame.tb_next
    library = frame.tb_frame.f_globals.get("__name__", "").partition(".")[0] if frame else ""
    return f"{library or 'a library'} cannot make sense of it ({type(error).__name__})"


@contextmanager
def _bounded() -> Iterator[None]:
    """Raise _TooLong if this takes too long.

    Other threads than the first compile only what was proven before.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    outer = signal.signal(signal.SIGVTALRM, _give_up)
    left = signal.setitimer(signal.ITIMER_VIRTUAL, READING_SECONDS, REPEATED_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, *left)
        signal.signal(signal.SIGVTALRM, outer)


def _give_up(_number: int, _frame: FrameType | None) -> None:
    raise _TooLong
