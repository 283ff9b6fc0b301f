"""Connections that the poller waits for, and no thread: each until a moment of its own."""

import selectors
import time
from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import Any

from receiver.core import limits
from receiver.server.connection import Connection


class Waiting:
    """Connections that wait for the same; all moments are monotonic seconds."""

    def __init__(
        self,
        poller: selectors.BaseSelector,
        ready: Callable[[Connection], None],
        event: int = selectors.EVENT_READ,
    ) -> None:
        """Call `ready` whenever something has arrived on a connection, or can be sent."""
        self._poller = poller
        self._ready = ready
        self._event = event
        self._until: dict[Connection, float] = {}
        self._at_once: int | None = limits.GIVEN_UP

    def __len__(self) -> int:
        return len(self._until)

    def add(self, conn: Connection, until: float) -> None:
        """Wait for a connection."""
        conn.sock.setblocking(False)
        self._until[conn] = until
        self._poller.register(conn.sock, self._event, partial(self._call, conn))

    def prolong(self, conn: Connection, until: float) -> None:
        """Wait for a connection until another moment."""
        self._until[conn] = until

    def remove(self, conn: Connection) -> None:
        """Wait no longer for a connection."""
        del self._until[conn]
        self._poller.unregister(conn.sock)

    def overdue(self) -> list[Connection]:
        """Return connections whose moment has come, no more than may be given up at once."""
        now = time.monotonic()
        return list(islice((conn for conn, until in self._until.items() if until <= now), self._at_once))

    def nearest(self) -> Connection:
        """Return the connection whose moment comes first: the slowest."""
        return min(self._until, key=self._until.__getitem__)

    def shorten(self, deadline: float) -> None:
        """Wait for none beyond a moment, at which all are given up: nobody is left whom that would hold up."""
        self._at_once = None
        self._until = {conn: min(until, deadline) for conn, until in self._until.items()}

    def _call(self, conn: Connection, _sock: Any) -> None:
        self._ready(conn)
