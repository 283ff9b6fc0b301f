"""Connections that wait in the poller: slow senders cost memory, no threads.

Each waits until a moment of its own, in monotonic seconds. What a connection waits for in turn:

    `Heads`      its next head is not whole yet
    `Bodies`     its head is judged, and its body is on its way
    `Answers`    its answer is not taken in at once
    `Lingering`  its last answer is sent, and the sender has not closed its side yet
"""

import selectors
import socket
import time
from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import Any

from receiver.core import limits
from receiver.core.problems import Problem
from receiver.server import refusals
from receiver.server.connection import Connection

THROWN_AWAY = 256 * 1024  # bytes at once of a body that was refused


class Waiting:
    """The connections of one worker that wait for the same."""

    event = selectors.EVENT_READ

    def __init__(self, poller: selectors.BaseSelector, close: Callable[[Connection], None]) -> None:
        """Call `close` with each connection that is waited for no longer."""
        self._poller = poller
        self._close = close
        self._until: dict[Connection, float] = {}
        self._at_once: int | None = limits.GIVEN_UP

    def __len__(self) -> int:
        return len(self._until)

    def give_up(self) -> None:
        """Wait no longer for what took too long."""
        for conn in self._overdue():
            self._end(conn)

    def drop(self) -> None:
        """Close the connection that is nearest to its end."""
        self._end(self._nearest())

    def shorten(self, deadline: float) -> None:
        """Wait for none beyond `deadline`, when all are closed at once."""
        self._at_once = None
        self._until = {conn: min(until, deadline) for conn, until in self._until.items()}

    def _wait(self, conn: Connection, until: float) -> None:
        self._until[conn] = until
        self._poller.register(conn.sock, self.event, partial(self._call, conn))

    def _call(self, conn: Connection, _sock: Any) -> None:
        self._go_on(conn)

    def _go_on(self, conn: Connection) -> None:
        """Go on with a connection on which something has arrived, or can be sent."""
        raise NotImplementedError

    def _remove(self, conn: Connection) -> None:
        del self._until[conn]
        self._poller.unregister(conn.sock)

    def _end(self, conn: Connection) -> None:
        self._remove(conn)
        self._close(conn)

    def _overdue(self) -> list[Connection]:
        """Return connections whose moment has come, no more than may be given up at once."""
        now = time.monotonic()
        return list(islice((conn for conn, until in self._until.items() if until <= now), self._at_once))

    def _nearest(self) -> Connection:
        """Return the connection whose moment comes first: the slowest."""
        return min(self._until, key=self._until.__getitem__)


class Heads(Waiting):
    """Connections whose next head is on its way."""

    def __init__(
        self,
        poller: selectors.BaseSelector,
        begin: Callable[[Connection], None],
        refuse: Callable[[Connection, Problem], None],
        close: Callable[[Connection], None],
    ) -> None:
        """Call `begin` with a connection whose head is whole, else `refuse` or `close`."""
        super().__init__(poller, close)
        self._begin = begin
        self._refuse = refuse

    def add(self, conn: Connection) -> None:
        """Take in the next head of a connection."""
        ended = conn.receive_head()  # as a rule it is there already, and nothing needs to be watched
        if conn.can_be_parsed():
            self._begin(conn)
        else:
            self._wait(conn, time.monotonic() + limits.HEAD_SECONDS)
            self._judge(conn, ended=ended)

    def refuse_late(self, problem: Problem) -> None:
        """Refuse the heads that took too long."""
        for conn in self._overdue():
            self._refuse_or_close(conn, problem)

    def _go_on(self, conn: Connection) -> None:
        self._judge(conn, ended=conn.receive_head())

    def _judge(self, conn: Connection, *, ended: bool) -> None:
        if conn.can_be_parsed():
            self._remove(conn)
            self._begin(conn)
        elif ended:
            self._refuse_or_close(conn, refusals.cut_short())
        elif len(conn.head) > limits.MAX_HEAD:
            self._refuse_or_close(conn, refusals.head_too_large())

    def _refuse_or_close(self, conn: Connection, problem: Problem) -> None:
        self._remove(conn)
        if conn.head:
            self._refuse(conn, problem)
        else:
            self._close(conn)  # it has not asked anything


class Bodies(Waiting):
    """Connections whose head is judged, and whose body is awaited.

        thread: judge the head ──▶ is the body there? ──▶ yes: read it
                                                      └──▶ no: collect it here ──▶ thread: judge the head again …

    A body that is larger than what is collected is read by a thread as it comes: few senders stall who have sent as
    much, and `pace.Places` bounds how many of them threads wait for.
    """

    def __init__(
        self,
        poller: selectors.BaseSelector,
        begin: Callable[[Connection], None],
        close: Callable[[Connection], None],
    ) -> None:
        """Call `begin` with a connection once its body is there, or awaited no longer."""
        super().__init__(poller, close)
        self._begin = begin
        self._bytes = 0  # collected of all of them

    def add(self, conn: Connection) -> None:
        """Collect the body of a connection."""
        ahead = conn.awaited.ahead
        self._bytes += len(ahead.held)
        self._wait(conn, ahead.pause())
        self._make_room()

    def give_up(self) -> None:
        """Wait no longer for bodies that took too long: they are refused."""
        for conn in self._overdue():
            self._give_up(conn)

    def _go_on(self, conn: Connection) -> None:
        ahead = conn.awaited.ahead
        before = len(ahead.held)
        arrived = ahead.receive()
        self._bytes += len(ahead.held) - before
        if arrived:
            self._begin_again(conn)
        else:
            self._until[conn] = ahead.until()
            self._make_room()

    def _make_room(self) -> None:
        """Give the slowest up if all together are too large."""
        while self._bytes > limits.AHEAD_OF_ALL:
            self._give_up(self._nearest())

    def _give_up(self, conn: Connection) -> None:
        conn.awaited.ahead.over = True
        self._begin_again(conn)

    def _remove(self, conn: Connection) -> None:
        self._bytes -= len(conn.awaited.ahead.held)
        super()._remove(conn)

    def _begin_again(self, conn: Connection) -> None:
        self._remove(conn)
        conn.awaited.ahead.resume()
        self._begin(conn)


class Answers(Waiting):
    """Connections whose answer is not taken in at once.

    Until all is sent such a connection is not read either: what waits is one answer, whatever is pipelined behind it.
    """

    event = selectors.EVENT_WRITE

    def __init__(
        self, poller: selectors.BaseSelector, sent: Callable[[Connection], None], close: Callable[[Connection], None]
    ) -> None:
        """Call `sent` with each connection once its answer is."""
        super().__init__(poller, close)
        self._sent = sent
        self._bytes = 0  # of all answers

    def add(self, conn: Connection) -> None:
        """Send the rest of an answer; above the limit the oldest one is given up."""
        self._bytes += len(conn.outgoing.rest)
        seconds = limits.ANSWER_SECONDS + len(conn.outgoing.rest) / limits.BODY_RATE
        self._wait(conn, time.monotonic() + seconds)
        while self._bytes > limits.LEAVING:
            self.drop()

    def _go_on(self, conn: Connection) -> None:
        before = len(conn.outgoing.rest)
        try:
            conn.outgoing.go_on()
        except OSError:
            self._end(conn)
            return
        self._bytes -= before - len(conn.outgoing.rest)
        if not conn.outgoing.rest:
            self._remove(conn)
            self._sent(conn)

    def _end(self, conn: Connection) -> None:
        self._bytes -= len(conn.outgoing.rest)
        conn.outgoing.rest = b""
        super()._end(conn)


class Lingering(Waiting):
    """Connections after their last answer; what still arrives is discarded.

    Closing at once would make the kernel reset a connection that still sends, and the answer would be lost (RFC 9112
    §9.6).
    """

    def add(self, conn: Connection) -> None:
        """Close our side of a connection, and wait for the sender's."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(conn)
            return
        now = time.monotonic()
        conn.closes_at = now + limits.MAX_LINGER_SECONDS
        self._wait(conn, now + limits.LINGER_SECONDS)

    def _go_on(self, conn: Connection) -> None:
        try:
            ended = not conn.sock.recv(THROWN_AWAY, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            ended = True
        if ended:
            self._end(conn)
        else:
            self._until[conn] = min(conn.closes_at, time.monotonic() + limits.LINGER_SECONDS)
