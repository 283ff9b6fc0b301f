"""Connections that the poller waits for, and no thread: each until a moment of its own."""

import selectors
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from receiver.web.connection import Connection


class Waiting:
    """Connections that wait for the same; all moments are monotonic seconds."""

    def __init__(self, poller: selectors.BaseSelector, readable: Callable[[Connection], None]) -> None:
        """Call `readable` whenever something has arrived on a connection."""
        self._poller = poller
        self._readable = readable
        self._until: dict[Connection, float] = {}

    def add(self, conn: Connection, until: float) -> None:
        """Wait for a connection."""
        conn.sock.setblocking(False)
        self._until[conn] = until
        self._poller.register(conn.sock, selectors.EVENT_READ, partial(self._call, conn))

    def prolong(self, conn: Connection, until: float) -> None:
        """Wait for a connection until another moment."""
        self._until[conn] = until

    def remove(self, conn: Connection) -> None:
        """Wait no longer for a connection."""
        del self._until[conn]
        self._poller.unregister(conn.sock)

    def overdue(self) -> list[Connection]:
        """Return the connections whose moment has come."""
        now = time.monotonic()
        return [conn for conn, until in self._until.items() if until <= now]

    def shorten(self, deadline: float) -> None:
        """Wait for none beyond a moment."""
        self._until = {conn: min(until, deadline) for conn, until in self._until.items()}

    def _call(self, conn: Connection, _sock: Any) -> None:
        self._readable(conn)
