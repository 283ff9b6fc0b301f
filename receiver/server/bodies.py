"""Connections whose body is on its way: one that stalls, or comes byte by byte, costs memory and nobody's time.

    thread: judge the head ──▶ is the body there? ──▶ yes: read it
                                                  └──▶ no: the poller collects it ──▶ thread: judge the head again …

A body that is larger than what is collected is read by a thread as it comes: few senders stall who have sent as much,
and `pace.Places` bounds how many of them threads wait for.
"""

import selectors
from collections.abc import Callable

from receiver.core import limits
from receiver.server.connection import Connection
from receiver.server.waiting import Waiting


class Bodies:
    """The connections of one worker whose head is judged, and whose body is awaited."""

    def __init__(
        self,
        poller: selectors.BaseSelector,
        begin: Callable[[Connection], None],
        close: Callable[[Connection], None],
    ) -> None:
        """Have each connection begun once enough of its body is there, or no more of it is waited for."""
        self._waiting = Waiting(poller, self._read)
        self._begin = begin
        self._close = close
        self._bytes = 0  # collected of all of them

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, conn: Connection) -> None:
        """Collect the body of a connection."""
        ahead = conn.awaited.ahead
        self._bytes += len(ahead.held)
        self._waiting.add(conn, ahead.pause())
        self._make_room()

    def give_up(self) -> None:
        """Wait no longer for bodies that took too long: they are refused."""
        for conn in self._waiting.overdue():
            self._give_up(conn)

    def drop(self) -> None:
        """Close the connection that is nearest to its end."""
        conn = self._waiting.nearest()
        self._forget(conn)
        self._close(conn)

    def shorten(self, deadline: float) -> None:
        """Wait for none beyond `deadline`, in monotonic seconds."""
        self._waiting.shorten(deadline)

    def _read(self, conn: Connection) -> None:
        ahead = conn.awaited.ahead
        before = len(ahead.held)
        try:
            enough = ahead.receive()
        except OSError:  # the sender has gone, as who reads on will find
            enough = True
        self._bytes += len(ahead.held) - before
        if enough:
            self._end(conn)
        else:
            self._waiting.prolong(conn, ahead.until())
            self._make_room()

    def _make_room(self) -> None:
        """Give the slowest up where all together are too large."""
        while self._bytes > limits.AHEAD_OF_ALL:
            self._give_up(self._waiting.nearest())

    def _give_up(self, conn: Connection) -> None:
        conn.awaited.ahead.over = True
        self._end(conn)

    def _forget(self, conn: Connection) -> None:
        self._bytes -= len(conn.awaited.ahead.held)
        self._waiting.remove(conn)

    def _end(self, conn: Connection) -> None:
        self._forget(conn)
        conn.awaited.ahead.resume()
        self._begin(conn)
