"""Connections after their last answer: what their senders still send is thrown away until they close their side too.

Closing at once would make the kernel reset a connection that still sends, and the answer would be lost (RFC 9112 §9.6).
"""

import selectors
import socket
import time
from collections.abc import Callable

from receiver.core import limits
from receiver.server.connection import Connection
from receiver.server.waiting import Waiting

READ = 256 * 1024  # bytes thrown away at once of a body that was refused


class Lingering:
    """The connections of one worker that are about to end."""

    def __init__(self, poller: selectors.BaseSelector, close: Callable[[Connection], None]) -> None:
        """Have `close` called with each, at its end."""
        self._waiting = Waiting(poller, self._throw_away)
        self._close = close

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, conn: Connection) -> None:
        """Close our side of a connection, and wait for the sender's."""
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(conn)
            return
        now = time.monotonic()
        conn.closes_at = now + limits.MAX_LINGER_SECONDS
        self._waiting.add(conn, now + limits.LINGER_SECONDS)

    def give_up(self) -> None:
        """Close what took too long."""
        for conn in self._waiting.overdue():
            self._end(conn)

    def drop(self) -> None:
        """Close the connection that is nearest to its end."""
        self._end(self._waiting.nearest())

    def shorten(self, deadline: float) -> None:
        """Wait for none beyond `deadline`, in monotonic seconds."""
        self._waiting.shorten(deadline)

    def _throw_away(self, conn: Connection) -> None:
        try:
            ended = not conn.sock.recv(READ)
        except BlockingIOError:
            return
        except OSError:
            ended = True
        if ended:
            self._end(conn)
        else:
            self._waiting.prolong(conn, min(conn.closes_at, time.monotonic() + limits.LINGER_SECONDS))

    def _end(self, conn: Connection) -> None:
        self._waiting.remove(conn)
        self._close(conn)
