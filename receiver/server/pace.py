"""Waits for slow senders: bounded, fair to others, and within the shutdown.

Time is counted only while there is nothing to read, so our own work never counts against a sender. For as long, the
sender's turn at work is given to another. Only so many threads wait at once (`Places`).
"""

import contextlib
import math
import select
import socket
import threading
import time

from receiver.core import limits, work
from receiver.core.problems import Code, Problem
from receiver.server.answer import Outgoing

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Ending:
    """When this worker waits for senders no longer: never, until it is to stop."""

    at = math.inf  # monotonic seconds

    def begin(self, grace: float) -> None:
        """Bound all waits by the `grace` seconds left, less the time to answer."""
        self.at = time.monotonic() + max(0, grace - limits.LAST_SECONDS)

    def is_over(self) -> bool:
        """Return whether nothing is waited for any longer."""
        return time.monotonic() >= self.at


class Places:
    """Bodies that threads wait for; if there are too many, the slowest yields."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._until: dict[PacedSocket, float] = {}
        self._lock = threading.Lock()

    def take(self, body: "PacedSocket", until: float) -> None:
        """Wait for a body until a moment, in monotonic seconds."""
        with self._lock:
            if len(self._until) >= self._most:
                slowest = min(self._until, key=self._until.__getitem__)
                del self._until[slowest]
                slowest.give_up()
            self._until[body] = until

    def leave(self, body: "PacedSocket") -> None:
        """Wait for a body no longer."""
        with self._lock:
            self._until.pop(body, None)


class PacedSocket:
    """The receiving side of a connection, as gunicorn's parser reads it."""

    def __init__(self, connection: socket.socket, outgoing: Outgoing, ending: Ending, places: Places) -> None:
        """Receive from `connection`, in a thread."""
        self.trusted: bool | None = None  # whether the other side is a proxy that is believed; nobody has judged yet
        self._connection = connection
        self._outgoing = outgoing
        self._ending = ending
        self._places = places
        self._readable = select.poll()
        self._readable.register(connection, select.POLLIN)
        self._waited = 0.0  # seconds, for the present body
        self._received = 0  # bytes of it
        self._asks = False
        self._given_up = False

    def begin(self, *, asks: bool) -> None:
        """Start to count for a new body.

        `asks`: its sender waits for 100 Continue (RFC 9110 §10.1.1).
        """
        self._waited = 0.0
        self._received = 0
        self._asks = asks

    def recv(self, size: int) -> bytes:
        """Return what arrives, at most `size` bytes; b"" at the end. Raises Problem."""
        while True:
            if self._ending.is_over():
                raise self.too_late()
            received = self.receive(size)
            if received is not None:
                return received
            self._wait()

    def receive(self, size: int) -> bytes | None:
        """Return what has arrived, at most `size` bytes; b"" at the end, None if nothing."""
        try:
            received = self._connection.recv(size, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        self._received += len(received)
        return received

    def until(self, since: float) -> float:
        """Return how long to wait for the next byte, in monotonic seconds."""
        allowed = limits.BODY_SECONDS + self._received / limits.BODY_RATE - self._waited
        return min(since + allowed, time.monotonic() + limits.STALL_SECONDS, self._ending.at)

    def waited(self, since: float) -> None:
        """Count the time since a moment against the sender."""
        self._waited += time.monotonic() - since

    def ask(self) -> None:
        """Ask for the body, if its sender waits for that."""
        if self._asks:
            self._asks = False
            self._outgoing.sendall(CONTINUE)

    def comes_within(self, seconds: float) -> bool:
        """Return whether something arrives so soon that a thread waits for it."""
        if seconds <= 0:
            return False
        with work.given():
            return bool(self._readable.poll(1000 * seconds))

    def too_late(self) -> Problem:
        """Return why no more is waited for."""
        if self._ending.is_over():
            return Problem(Code.SHUTTING_DOWN, "The service stops, and the body has not arrived yet.")
        return Problem(Code.TOO_SLOW, "The body did not arrive in time.")

    def give_up(self) -> None:
        """Have the thread that waits go on without: its place is taken."""
        self._given_up = True
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RD)

    def _wait(self) -> None:
        self.ask()
        since = time.monotonic()
        self._places.take(self, until := self.until(since))
        try:
            with work.given():
                arrived = self._becomes_readable(until)
        finally:
            self._places.leave(self)
            self.waited(since)
        if self._given_up or not arrived:
            raise self.too_late()

    def _becomes_readable(self, until: float) -> bool:
        while (left := min(until, self._ending.at) - time.monotonic()) > 0:
            if self._readable.poll(1000 * min(left, limits.LOOK_SECONDS)):
                return True
        return False
