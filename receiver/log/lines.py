"""The form of a log line: for a person, or JSON.

Of an exception it has the kind and place, never the words.

Where the descriptor is no file, a thread writes: a pipe, a socket or a terminal has a reader, who may pause and must
not hold up whoever logs. What does not fit the queue is dropped and counted, and told in one line as soon as the reader
is back. A process that is forked begins with an empty queue: the lines in it are its parent's, which writes them.
"""

import atexit
import json
import logging
import os
import re
import select
import stat
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from queue import SimpleQueue
from traceback import StackSummary, walk_tb
from typing import Any

from receiver.core import units

QUEUE = 4 * 1024 * 1024  # bytes of lines that wait for their reader: some 10,000 deliveries, a minute of the busiest
FLUSH_SECONDS = 2.0  # seconds that the end of a process waits for the reader: a living one takes milliseconds
FLUSHES = 5  # times that it waits so long for one that reads on: a busy machine
FORMS = ("text", "json")
PLAIN = re.compile(r"[\w.,:;/+-]*", re.ASCII)  # words that need no look at their characters: nearly all
_json = units.json_writer(json.JSONEncoder(ensure_ascii=False, default=str))


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = getattr(record, "fields", {})
        if record.exc_info and record.exc_info[1]:
            fields = fields | {"defect": place_of(record.exc_info[1])}
        second = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        return self.line(f"{second}.{int(record.msecs):03}Z", record, fields)

    def line(self, moment: str, record: logging.LogRecord, fields: dict[str, Any]) -> str:
        raise NotImplementedError


class Text(_Lines):
    """`2026-03-01T14:30:05.123Z INFO published id=… process=… receive=0.003 …`."""

    def line(self, moment: str, record: logging.LogRecord, fields: dict[str, Any]) -> str:
        """Write one line."""
        event = record.getMessage()
        words = [moment, record.levelname, event if event.isprintable() else _word(event)]
        _add_words(words, fields)
        return " ".join(words)


class Json(_Lines):
    """One JSON object a line: `time`, `level`, `event`, `pid`, the event's fields."""

    def line(self, moment: str, record: logging.LogRecord, fields: dict[str, Any]) -> str:
        """Write one line."""
        head = {"time": moment, "level": record.levelname.lower(), "event": record.getMessage(), "pid": record.process}
        return _json(head | {name: value for name, value in fields.items() if value != ""})


def formatter(form: str) -> logging.Formatter:
    """Return what writes lines in one of `FORMS`."""
    return Json() if form == "json" else Text()


def place_of(error: BaseException | None) -> str:
    """Return the kinds and frames of an exception and its causes, never their words.

    What Python says of an exception, and what holds it, may quote what was being worked on.
    """
    pieces = []
    while error is not None:
        frames = StackSummary.extract(walk_tb(error.__traceback__), lookup_lines=False)
        pieces.append(type(error).__name__ + "".join(f" < {each.filename}:{each.lineno}" for each in reversed(frames)))
        error = error.__cause__ or error.__context__
    return "; after ".join(pieces)


def _add_words(words: list[str], fields: dict[str, Any]) -> None:
    """Add `name=value` for each field that has a value, and for each step's seconds."""
    for name, value in fields.items():
        if isinstance(value, str):
            if value:
                words.append(f"{name}={value if PLAIN.fullmatch(value) else _word(value)}")
        elif isinstance(value, float):
            words.append(f"{name}={value:.4f}")
        elif isinstance(value, dict):
            words += [f"{step}={seconds:.4f}" for step, seconds in value.items()]
        else:
            words.append(f"{name}={value}")


def _word(text: str) -> str:
    return json.dumps(text, ensure_ascii=False) if not text.isprintable() or set(text) & set(' "=') else text


class Writer:
    """The lines on their way to one descriptor."""

    def __init__(self, descriptor: int, reported: Callable[[int], bytes]) -> None:
        """Write to `descriptor`; `told` returns the line that says how many were lost."""
        self.count_lost: Callable[[], object] = lambda: None  # called with each line that is dropped
        self._descriptor = descriptor
        self._told = reported
        self._begin()
        os.register_at_fork(after_in_child=self._begin)
        atexit.register(self.flush)

    def write(self, line: bytes) -> None:
        """Have a line written; waits for no reader."""
        if self._is_file:
            _write(self._descriptor, line)
        else:
            self._enqueue(line)

    def _enqueue(self, line: bytes) -> None:
        with self._lock:
            fits = self._waiting + len(line) <= QUEUE
            if fits:
                self._waiting += len(line)
                self._queue.put(line)
                if not self._started:
                    self._start()
            else:
                self._lost += 1
        if not fits:
            self.count_lost()

    def flush(self, seconds: float = FLUSH_SECONDS) -> None:
        """Wait until all lines so far are written, at most so many seconds."""
        if self._started:
            written = threading.Event()
            self._queue.put(written)
            for _ in range(FLUSHES):
                left = self._waiting
                if written.wait(seconds) or self._waiting == left:
                    return

    @cached_property
    def _is_file(self) -> bool:
        with suppress(OSError):
            return stat.S_ISREG(os.fstat(self._descriptor).st_mode)
        return False

    def _begin(self) -> None:
        self._lock = threading.RLock()  # the handler of a signal may log, too
        self._queue = SimpleQueue[bytes | threading.Event]()
        self._waiting = 0  # bytes in the queue
        self._lost = 0  # lines dropped, not yet told
        self._started = False

    def _start(self) -> None:
        with suppress(RuntimeError):  # no thread can be started: the interpreter ends, or there are too many
            threading.Thread(target=self._run, name="log", daemon=True).start()
            self._started = True

    def _run(self) -> None:
        while True:
            line = self._queue.get()
            if isinstance(line, bytes):
                _write(self._descriptor, line)
                if lost := self._forget(line):
                    _write(self._descriptor, self._told(lost))
            else:
                line.set()

    def _forget(self, line: bytes) -> int:
        """Give the line's place free; return how many lines were lost before."""
        with self._lock:
            self._waiting -= len(line)
            lost, self._lost = self._lost, 0
        return lost


def _write(descriptor: int, line: bytes) -> None:
    """Write a whole line. What cannot be written is nobody's fault here."""
    while line:
        try:
            line = line[os.write(descriptor, line) :]
        except BlockingIOError:  # another program with the same terminal or pipe has made it so
            writable = select.poll()
            writable.register(descriptor, select.POLLOUT)
            writable.poll()
        except OSError:
            return
