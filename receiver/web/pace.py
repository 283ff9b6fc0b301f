"""Waits for a slow sender, but not for ever, and not at the cost of others.

Time is counted only while there is nothing to read, so our own work never counts against a sender. For as long, the
sender's turn at work is given to somebody else.
"""

import select
import socket
import time

from receiver import limits
from receiver.web.turns import Turns

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class PacedSocket:
    """The receiving side of a connection, as gunicorn's parser reads it."""

    def __init__(self, connection: socket.socket, turns: Turns) -> None:
        """Receive from `connection` in a thread that holds one of `turns`."""
        self._connection = connection
        self._turns = turns
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
        """Return what has arrived, at most `size` bytes; b"" at the end. Raises TimeoutError."""
        while True:
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
            raise TimeoutError

    def _becomes_readable(self, seconds: float) -> bool:
        start = time.monotonic()
        self._turns.give()
        try:
            return bool(self._readable.poll(1000 * seconds))
        finally:
            self._waited += time.monotonic() - start
            self._turns.take()
