"""Waits for a slow sender, but not for ever, not at the cost of others, and not beyond the end of the service.

Time is counted only while there is nothing to read, so our own work never counts against a sender. For as long, the
sender's turn at work is given to somebody else.
"""

import math
import select
import socket
import time

from receiver import limits
from receiver.web.turns import Turns

PACED = "receiver.paced"  # in the environ of a request whose body is waited for here
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class ServiceEnds(Exception):  # noqa: N818 (what happens)
    """The service was told to stop, and waits no longer for what has not arrived."""


class Ending:
    """When this worker waits for senders no longer: never, until it is told to stop."""

    at = math.inf  # monotonic seconds

    def begin(self, grace: float) -> None:
        """Wait for senders only as long as leaves time to answer, of the `grace` seconds that are left."""
        self.at = time.monotonic() + max(0, grace - limits.LAST_SECONDS)

    def is_over(self) -> bool:
        """Tell whether nothing is waited for any longer."""
        return time.monotonic() >= self.at


class PacedSocket:
    """The receiving side of a connection, as gunicorn's parser reads it."""

    def __init__(self, connection: socket.socket, turns: Turns, ending: Ending) -> None:
        """Receive from `connection` in a thread that holds one of `turns`."""
        self.trusted: bool | None = None  # whether the other side is a proxy that is believed; nobody has judged yet
        self._connection = connection
        self._turns = turns
        self._ending = ending
        self._readable = select.poll()
        self._readable.register(connection, select.POLLIN)
        self._waited = 0.0  # seconds, for the present body
        self._received = 0  # bytes of it
        self._asks = False

    def begin(self, *, asks: bool) -> None:
        """Start to count for a new body. `asks`: its sender waits for 100 Continue (RFC 9110 §10.1.1)."""
        self._waited = 0.0
        self._received = 0
        self._asks = asks

    def recv(self, size: int) -> bytes:
        """Return what has arrived, at most `size` bytes; b"" at the end. Raises TimeoutError, ServiceEnds."""
        while True:
            if self._ending.is_over():
                raise ServiceEnds
            try:
                received = self._connection.recv(size, socket.MSG_DONTWAIT)
            except BlockingIOError:
                self._wait()
            else:
                self._received += len(received)
                return received

    def _wait(self) -> None:
        if self._asks:
            self._asks = False
            self._connection.sendall(CONTINUE)
        allowed = limits.BODY_SECONDS + self._received / limits.BODY_RATE - self._waited
        if allowed <= 0 or not self._becomes_readable(min(allowed, limits.STALL_SECONDS)):
            raise ServiceEnds if self._ending.is_over() else TimeoutError

    def _becomes_readable(self, seconds: float) -> bool:
        start = time.monotonic()
        self._turns.give()
        try:
            while (left := min(start + seconds, self._ending.at) - time.monotonic()) > 0:
                if self._readable.poll(1000 * min(left, limits.LOOK_SECONDS)):
                    return True
            return False
        finally:
            self._waited += time.monotonic() - start
            self._turns.take()
