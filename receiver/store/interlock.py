"""The lock that orders the writers of different processes: a `flock`, so a crash of its holder frees it at once.

Where another process has it, a thread of ours blocks in flock(2), and the kernel wakes it the moment that the lock is
free. Whoever wants the lock waits for that thread, and only so long: it cannot be called back, so what it gets too
late it hands to the next who wants it, or gives back.
"""

import fcntl
import os
import threading
from pathlib import Path
from queue import Empty, SimpleQueue

from receiver.store import durable


class Interlock:
    """A lock on a file, shared by all threads of this process, one of which may take it at a time."""

    def __init__(self, path: Path) -> None:
        """Open the file, creating it where it is missing. Raises OSError."""
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, durable.FILE_MODE)
        self._mutex = threading.Lock()  # for the two below
        self._blocked = False  # our thread is in flock(2), and nobody else may be
        self._wanted = False  # somebody waits for what it gets
        self._asked: SimpleQueue[bool] = SimpleQueue()  # False ends the thread
        self._got: SimpleQueue[OSError | None] = SimpleQueue()
        self._thread: threading.Thread | None = None  # started where another process is first met

    def take(self, seconds: float) -> bool:
        """Take the lock; False where it is not to be had in time. Raises OSError."""
        with self._mutex:
            if not self._blocked:
                if self._is_free():
                    return True
                self._send_thread()
            self._wanted = True
        try:
            error = self._got.get(timeout=seconds)
        except Empty:
            with self._mutex:
                self._wanted = False
                if self._got.empty():
                    return False
                error = self._got.get()
        if error:
            raise error
        return True

    def give_back(self) -> None:
        """Let the next one have it, in whatever process."""
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file and end the thread, as soon as it is out of flock(2). Nobody may have the lock."""
        if self._thread is None:
            os.close(self._file)
            return
        self._asked.put(False)
        with self._mutex:
            blocked = self._blocked
        if not blocked:
            self._thread.join()

    def close_inherited(self) -> None:
        """Close what a fork has inherited: it must not keep the lock when the process that took it dies."""
        os.close(self._file)

    def _is_free(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _send_thread(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._wait, name="ledger's lock", daemon=True)
            self._thread.start()
        self._blocked = True
        self._asked.put(True)

    def _wait(self) -> None:
        while self._asked.get():
            error = None
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX)
            except OSError as refused:
                error = refused
            with self._mutex:
                self._blocked = False
                if self._wanted:
                    self._wanted = False
                    self._got.put(error)
                elif error is None:
                    self.give_back()
        os.close(self._file)
