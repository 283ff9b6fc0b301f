"""Helper processes that read documents, bounded in time and memory, and replaced.

A helper is started when it is first asked, and ends with this process: it reads questions from its standard input until
there is no more of it. Of the documents that wait, the process with the fewest at work comes first, and no process has
all helpers: another one's document always finds one. What waits holds no turn at work (`work`), and only so many wait
at once.
"""

import atexit
import json
import os
import select
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

from receiver.core import processors, work
from receiver.core.problems import Code, Problem

HELPERS = max(2, min(4, os.cpu_count() or 1))  # of one worker: a core each, two for a share, four for the memory
MAX_WAITING = 32  # documents of one process that wait in one worker: an eighth of its threads
MAX_WAITING_OF_ALL = 64  # of all processes: a quarter of its threads
MAX_SECONDS = 90.0  # that a document waits for others, before the sender is told to come back
START_SECONDS = 30.0  # of a busy machine; an idle one takes 0.1
MAX_ANSWER = 1_000  # bytes of one line
READ_SIZE = 1_000_000  # bytes


class UnreadableError(Exception):
    """A document that cannot be read.

    The reason completes "it cannot be read: …" and holds nothing of it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Helper:
    """The process, which answers one question after the other."""

    def __init__(self) -> None:
        self._one_question = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._deadline = 0.0
        self._received = b""
        atexit.register(self.stop)

    def ask(
        self, question: dict[str, str], seconds: float, take: Callable[[bytes], object] | None = None
    ) -> dict[str, Any]:
        """Return the answer; what comes behind it goes to `take`, piece by piece.

        Raises `UnreadableError` for a document that is broken, takes longer, or more memory than there is.
        """
        with self._one_question:
            try:
                self._start()
                self._deadline = monotonic() + seconds
                answer = self._answer(question)
                for chunk in self._content(int(answer.get("size", 0))):
                    if take:
                        take(chunk)
            except BaseException:
                self.stop()  # whatever is still on its way belongs to no question any more
                raise
        if "unreadable" in answer:
            raise UnreadableError(str(answer["unreadable"]))
        return answer

    def stop(self) -> None:
        """End the process, if there is one."""
        process, self._process, self._received = self._process, None, b""
        if process:
            process.kill()
            with process:  # closes the pipes and waits
                pass

    def _start(self) -> None:
        """Start the process, unless it lives.

        One that does not come up is a defect of ours: `RuntimeError`.
        """
        if self._process and self._process.poll() is None:
            return
        self.stop()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "receiver.documents"],  # -P: not from the current folder
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Ctrl-C is for us: the delivery in progress is finished first. No session of its own: the kernel would
            # give that as much of the processors as to all our threads (sched(7), autogroup), whatever its priority.
            process_group=0,
        )
        processors.free(self._process.pid)
        self._deadline = monotonic() + START_SECONDS
        try:
            self._line()
        except UnreadableError:
            raise RuntimeError("the process that reads documents does not start") from None

    def _answer(self, question: dict[str, str]) -> dict[str, Any]:
        pipe = self._process.stdin if self._process else None
        try:
            if pipe:
                pipe.write(json.dumps(question).encode() + b"\n")
                pipe.flush()
        except BrokenPipeError:
            raise UnreadableError("whoever reads it gives up") from None
        answer: dict[str, Any] = json.loads(self._line())
        return answer

    def _line(self) -> bytes:
        while b"\n" not in self._received and len(self._received) < MAX_ANSWER:
            self._received += self._read()
        line, _, self._received = self._received.partition(b"\n")
        return line

    def _content(self, size: int) -> Iterator[bytes]:
        while size:
            chunk = self._received or self._read()
            chunk, self._received = chunk[:size], chunk[size:]
            size -= len(chunk)
            yield chunk

    def _read(self) -> bytes:
        """Return what comes next.

        Raises `UnreadableError` at the deadline, and if the process has died.
        """
        pipe = self._process.stdout if self._process else None
        if pipe is None:
            return b""
        readable = select.poll()  # `select.select` knows no descriptor beyond 1,023
        readable.register(pipe, select.POLLIN)
        if not readable.poll(1000 * max(self._deadline - monotonic(), 0)):
            raise UnreadableError("it takes too long")
        chunk = os.read(pipe.fileno(), READ_SIZE)
        if not chunk:
            raise UnreadableError("whoever reads it gives up")
        return chunk


class Waiting:
    """One document that waits, and the helper that it gets."""

    def __init__(self, process: str) -> None:
        self.process = process
        self.helper: Helper | None = None
        self.called = threading.Event()


class Helpers:
    """The helpers of one worker; each is started when it is first needed."""

    def __init__(self, count: int = HELPERS) -> None:
        self._free = [Helper() for _ in range(count)]
        self._share = max(1, count - 1)  # helpers that one process has at most
        self._at_work = Counter[str]()
        self._waiting: list[Waiting] = []
        self._lock = threading.Lock()

    def ask(
        self, process: str, question: dict[str, str], seconds: float, take: Callable[[bytes], object] | None = None
    ) -> dict[str, Any]:
        """Return a helper's answer, as `Helper.ask`.

        Raises `Problem` if the queue is full.
        """
        with work.given(), self._one(process) as helper:
            return helper.ask(question, seconds, take)

    def stop(self) -> None:
        """End all that are idle."""
        for helper in self._free:
            helper.stop()

    @contextmanager
    def _one(self, process: str) -> Iterator[Helper]:
        helper = self._claim(process)
        try:
            yield helper
        finally:
            with self._lock:
                self._at_work[process] -= 1
                self._free.insert(0, helper)  # it runs already, others may not
                self._call_next()

    def _claim(self, process: str) -> Helper:
        mine = Waiting(process)
        with self._lock:
            self._waiting.append(mine)
            self._call_next()
            theirs = sum(each.process == process for each in self._waiting)
            if mine.helper is None and (theirs > MAX_WAITING or len(self._waiting) > MAX_WAITING_OF_ALL):
                self._waiting.remove(mine)
                raise _busy()
        mine.called.wait(MAX_SECONDS)
        with self._lock:
            if mine.helper is None:
                self._waiting.remove(mine)
                raise _busy()
        return mine.helper

    def _call_next(self) -> None:
        """Give free helpers to documents that wait. The caller holds the lock."""
        while self._free:
            eligible = [each for each in self._waiting if self._at_work[each.process] < self._share]
            if not eligible:
                return
            called = min(eligible, key=lambda each: self._at_work[each.process])  # of equals who came first
            self._waiting.remove(called)
            self._at_work[called.process] += 1
            called.helper = self._free.pop(0)
            called.called.set()


def _busy() -> Problem:
    return Problem(Code.BUSY, "Other documents are being read.")
