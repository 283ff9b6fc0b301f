"""Connections whose answer is not taken in at once: who does not read costs memory, and nobody's time.

Until all is sent such a connection is not read either, so what waits is one answer, whatever is pipelined behind it.
"""

import selectors
import time
from collections.abc import Callable

from receiver.core import limits
from receiver.server.connection import Connection
from receiver.server.waiting import Waiting


class Leaving:
    """The connections of one worker whose answers are on their way out."""

    def __init__(
        self, poller: selectors.BaseSelector, sent: Callable[[Connection], None], close: Callable[[Connection], None]
    ) -> None:
        """Have each connection `sent` once its answer is, or closed where it is not taken in."""
        self._waiting = Waiting(poller, self._write, selectors.EVENT_WRITE)
        self._sent = sent
        self._close = close
        self._bytes = 0  # of all answers

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, conn: Connection) -> None:
        """Send the rest of an answer; where too much waits, the answer that has waited longest is given up."""
        self._bytes += len(conn.outgoing.rest)
        seconds = limits.ANSWER_SECONDS + len(conn.outgoing.rest) / limits.BODY_RATE
        self._waiting.add(conn, time.monotonic() + seconds)
        while self._bytes > limits.LEAVING:
            self.drop()

    def give_up(self) -> None:
        """Close what was not taken in in time."""
        for conn in self._waiting.overdue():
            self._end(conn)

    def drop(self) -> None:
        """Close the connection that is nearest to its end."""
        self._end(self._waiting.nearest())

    def shorten(self, deadline: float) -> None:
        """Wait for none beyond `deadline`, in monotonic seconds."""
        self._waiting.shorten(deadline)

    def _write(self, conn: Connection) -> None:
        before = len(conn.outgoing.rest)
        try:
            conn.outgoing.go_on()
        except OSError:
            self._end(conn)
            return
        self._bytes -= before - len(conn.outgoing.rest)
        if not conn.outgoing.rest:
            self._waiting.remove(conn)
            self._sent(conn)

    def _end(self, conn: Connection) -> None:
        self._bytes -= len(conn.outgoing.rest)
        conn.outgoing.rest = b""
        self._waiting.remove(conn)
        self._close(conn)
