"""Connections whose next head is on its way: one that comes byte by byte costs memory, and nobody's time."""

import selectors
import time
from collections.abc import Callable

from receiver.core import limits
from receiver.core.problems import Problem
from receiver.server import refusals
from receiver.server.connection import Connection
from receiver.server.waiting import Waiting


class Coming:
    """The connections of one worker whose next head is not whole yet."""

    def __init__(
        self,
        poller: selectors.BaseSelector,
        begin: Callable[[Connection], None],
        refuse: Callable[[Connection, Problem], None],
        close: Callable[[Connection], None],
    ) -> None:
        """Have each connection begun, where its head is whole; else refused, or closed where it asked nothing."""
        self._waiting = Waiting(poller, self._read)
        self._begin = begin
        self._refuse = refuse
        self._close = close

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, conn: Connection) -> None:
        """Take in the next head of a connection."""
        ended = conn.receive_head()  # as a rule it is there already, and nothing needs to be watched
        if conn.can_be_parsed():
            self._begin(conn)
        else:
            self._waiting.add(conn, time.monotonic() + limits.HEAD_SECONDS)
            self._judge(conn, ended=ended)

    def give_up(self, problem: Problem) -> None:
        """Refuse the heads that took too long."""
        for conn in self._waiting.overdue():
            self._end(conn, problem)

    def drop(self) -> None:
        """Close the connection that is nearest to its end."""
        conn = self._waiting.nearest()
        self._waiting.remove(conn)
        self._close(conn)

    def shorten(self, deadline: float) -> None:
        """Wait for none beyond `deadline`, in monotonic seconds."""
        self._waiting.shorten(deadline)

    def _read(self, conn: Connection) -> None:
        self._judge(conn, ended=conn.receive_head())

    def _judge(self, conn: Connection, *, ended: bool) -> None:
        if conn.can_be_parsed():
            self._waiting.remove(conn)
            self._begin(conn)
        elif ended:
            self._end(conn, refusals.cut_short())
        elif len(conn.head) > limits.MAX_HEAD:
            self._end(conn, refusals.head_too_large())

    def _end(self, conn: Connection, problem: Problem) -> None:
        self._waiting.remove(conn)
        if conn.head:
            self._refuse(conn, problem)
        else:
            self._close(conn)  # it has not asked anything
