"""The sending side of a connection: what its sender does not take in at once is kept, and no thread waits."""

import socket


class Outgoing:
    """What is sent on one connection."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.rest = b""  # what the kernel has not taken yet

    def sendall(self, data: bytes) -> None:
        """Send what goes out at once, and keep the rest. Raises OSError where the connection has ended."""
        self.rest += data
        self.go_on()

    def go_on(self) -> None:
        """Send what goes out now."""
        if self.rest:
            try:
                self.rest = self.rest[self._sock.send(self.rest, socket.MSG_DONTWAIT) :]
            except BlockingIOError:
                return
