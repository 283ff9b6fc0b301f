"""What one process has open of the ledger: its writers and a few readers.

Never across a fork.
"""

import os
import threading
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import apsw

from receiver.core.problems import Code, Problem
from receiver.store.rows import Roots
from receiver.store.sqlite import schema
from receiver.store.sqlite.presence import Presence, patiently
from receiver.store.sqlite.schema import Connection
from receiver.store.sqlite.writers import Writers

Result = TypeVar("Result")


@dataclass(slots=True, weakref_slot=True)
class _Opened:
    """The connections of one process."""

    pid: int
    presence: Presence
    anchor: apsw.Connection  # never used: the files beside the ledger stay the same as long as it is open
    writers: Writers | None = None  # opened by the first write: an auditor may have no right to write
    readers: deque[Connection] = field(default_factory=deque)  # those that nobody is using


class Connections:
    """The connections to one ledger, opened by each process when it first needs them."""

    def __init__(self, path: Path, roots: Roots) -> None:
        self.roots = roots
        self._path = path
        self._opening = threading.Lock()
        self._opened: _Opened | None = None
        self._damaged: Problem | None = None  # nothing is asked of it any more: SQLite would make it worse
        self._foreign: list[_Opened] = []  # a parent's: SQLite forbids a child even to close them

    def write(self, operation: Callable[[apsw.Connection], Result], *, durable: bool = True) -> Result:
        """Run an operation in a transaction, as `Writers.run` tells.

        Raises Problem and what the operation raises.
        """
        writers = self._present().writers or self._open_writers()
        try:
            return writers.run(operation, durable=durable)
        except schema.Damaged as damaged:
            self._noted(damaged)
            raise

    def postpone(self, operation: Callable[[apsw.Connection], None]) -> None:
        """Run an operation soon, as `Writers.postpone` tells. Raises Problem."""
        (self._present().writers or self._open_writers()).postpone(operation)

    def flush(self) -> None:
        """Write what this process has postponed, as far as it can be written."""
        opened = self._opened
        if opened and opened.writers and opened.pid == os.getpid():
            opened.writers.flush()

    def read(self, query: Callable[[apsw.Connection], Result]) -> Result:
        """Run a query on what is committed by now. It must read its rows to the end.

        Raises Problem.
        """
        opened = self._present()
        try:
            try:
                connection = opened.readers.pop()
            except IndexError:
                opened.presence.require()  # SQLite would create what is not beside the ledger
                connection = schema.connect(self._path)
                connection.roots = self.roots
            found = query(connection)
        except apsw.Error as error:
            raise self._noted(schema.problem_of(error)) from None
        except schema.Damaged as damaged:
            self._noted(damaged)
            raise
        except ValueError:
            raise Problem(Code.STORAGE_FAILED, "could not read the ledger (one of its rows is damaged)") from None
        opened.readers.append(connection)  # not one that has failed: it is dropped
        return found

    def close(self) -> None:
        """Close what this process has open; the next use opens it again."""
        self.flush()
        opened, self._opened = self._opened, None
        if opened and opened.pid == os.getpid():
            opened.presence.close()
            if opened.writers:
                opened.writers.close()
            for connection in (*opened.readers, opened.anchor):
                connection.close()

    def require_in_place(self) -> None:
        """Raise Problem if the ledger is unusable, or was moved since it was opened."""
        self._present().presence.require()

    def _noted(self, problem: Problem) -> Problem:
        if isinstance(problem, schema.Damaged):
            self._damaged = problem
        return problem

    def _present(self) -> _Opened:
        if self._damaged:
            raise self._damaged
        opened = self._opened
        if opened is None or opened.pid != os.getpid():
            with self._opening:
                opened = self._opened
                if opened and opened.pid != os.getpid():
                    opened.presence.close()
                    if opened.writers:
                        opened.writers.close_inherited()
                    self._foreign.append(opened)
                    opened = None
                if opened is None:
                    opened = self._opened = patiently(lambda: _opened(self._path))
        return opened

    def _open_writers(self) -> Writers:
        opened = self._present()
        with self._opening, schema.ledger_errors():
            opened.presence.require()
            if opened.writers is None:  # no other thread has opened them meanwhile
                opened.writers = Writers(self._path, opened.presence, self.roots)
                weakref.finalize(opened, _last_flush, opened.writers, opened.pid)
        return opened.writers


def _opened(path: Path) -> _Opened:
    """Open the ledger for this process. Raises Problem."""
    presence = Presence(path)
    if not path.exists():
        presence.close()
        detail = f"there is no ledger {path}: restore it; a start would begin an empty one, which knows of nothing"
        raise Problem(Code.STORAGE_FAILED, detail)
    with schema.ledger_errors():
        anchor = schema.connect(path)
        presence.note(anchor)
        schema.require_up_to_date(anchor)
    opened = _Opened(os.getpid(), presence, anchor)
    weakref.finalize(opened, _last_look, presence, opened.pid)
    return opened


def _last_flush(writers: Writers, pid: int) -> None:
    """Write what is postponed when the process ends."""
    if pid == os.getpid():
        writers.flush()


def _last_look(presence: Presence, pid: int) -> None:
    """Look once more when the process ends: a log that was removed ends with it."""
    if pid == os.getpid():
        with suppress(Problem):
            presence.require()
