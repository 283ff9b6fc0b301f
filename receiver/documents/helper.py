"""A process beside this one that reads documents: bounded in time and memory, and replaced when it dies of one.

It is started when the first document is looked into, serves one thread at a time, and ends with this process: it
reads questions from its standard input until there is no more of it.
"""

import atexit
import contextlib
import json
import os
import select
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

from receiver.problems import Code, Problem

START_SECONDS = 30.0  # of a busy machine; an idle one takes 0.1
MAX_TURN = 90.0  # seconds that a thread waits for others' documents, before the sender is told to come back
MAX_ANSWER = 1_000  # bytes of one line
READ_SIZE = 1_000_000  # bytes


class Unreadable(Exception):  # noqa: N818 (the state of a document)
    """A document that cannot be read. The reason completes "it cannot be read: …" and holds nothing of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Helper:
    """The process, and whose turn it is."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._deadline = 0.0
        self._received = b""
        atexit.register(self.stop)

    def ask(
        self, question: dict[str, str], seconds: float, take: Callable[[bytes], object] | None = None
    ) -> dict[str, Any]:
        """Return the answer; what comes behind it goes to `take`, piece by piece.

        Raises `Unreadable` for a document that is broken, takes longer, or more memory than there is; `Problem`
        where all the others come first.
        """
        with self._mine():
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
            raise Unreadable(str(answer["unreadable"]))
        return answer

    def stop(self) -> None:
        """End the process, if there is one."""
        process, self._process, self._received = self._process, None, b""
        if process:
            process.kill()
            with process:  # closes the pipes and waits
                pass

    @contextlib.contextmanager
    def _mine(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=MAX_TURN):
            raise Problem(Code.BUSY, "Other documents are being read.")
        try:
            yield
        finally:
            self._turn.release()

    def _start(self) -> None:
        """Start the process, unless it lives. One that does not come up is a defect of ours: `RuntimeError`."""
        if self._process and self._process.poll() is None:
            return
        self.stop()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "receiver.documents"],  # -P: not from the current folder
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for us: the delivery in progress is finished first
        )
        self._deadline = monotonic() + START_SECONDS
        try:
            self._line()
        except Unreadable:
            raise RuntimeError("the process that reads documents does not start") from None

    def _answer(self, question: dict[str, str]) -> dict[str, Any]:
        pipe = self._process.stdin if self._process else None
        try:
            if pipe:
                pipe.write(json.dumps(question).encode() + b"\n")
                pipe.flush()
        except BrokenPipeError:
            raise Unreadable("whoever reads it gives up") from None
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
        """Return what comes next. Raises `Unreadable` at the deadline, and where the process has died."""
        pipe = self._process.stdout if self._process else None
        if pipe is None:
            return b""
        ready, _, _ = select.select([pipe], [], [], max(self._deadline - monotonic(), 0))
        if not ready:
            raise Unreadable("it takes too long")
        chunk = os.read(pipe.fileno(), READ_SIZE)
        if not chunk:
            raise Unreadable("whoever reads it gives up")
        return chunk
