"""What one request cost: its name, how long each step took, and how many bytes came in."""

import random
import re
from time import perf_counter
from typing import Any, Protocol

from receiver.core import steps

HEADER = "X-Request-ID"
PLAIN = re.compile(r"[A-Za-z0-9._-]{1,64}")  # as proxies make them: a UUID has 36; anything else could be data


class Stream(Protocol):
    """A body: `read` returns b"" only at its end."""

    def read(self, size: int, /) -> bytes: ...


class Cost:
    """The account of one request, opened when its thread begins with it."""

    def __init__(self, name: str, peer: str) -> None:
        """Begin. `name` is the X-Request-ID that came: a plain one is taken over; several, with commas, are not."""
        self.request = name if PLAIN.fullmatch(name) else f"{random.getrandbits(64):016x}"  # not a secret
        self.peer = peer
        self.steps = steps.begin()
        self.received = 0  # bytes of the body
        self._started = perf_counter()

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return perf_counter() - self._started

    def told(self) -> dict[str, Any]:
        """Return what the log says of it."""
        taken = {step: round(seconds, 6) for step, seconds in self.steps.items()}
        head = {"received": self.received, "peer": self.peer, "request": self.request}
        return head | {"seconds": round(self.seconds, 6), "steps": taken}


class Counted:
    """A body whose bytes are counted as they are read."""

    def __init__(self, stream: Stream, cost: Cost) -> None:
        self._stream = stream
        self._cost = cost

    def read(self, size: int, /) -> bytes:
        """Read on. Raises what the stream raises."""
        chunk = self._stream.read(size)
        self._cost.received += len(chunk)
        return chunk
