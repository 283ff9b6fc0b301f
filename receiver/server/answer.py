"""Answers in one packet, without a thread that waits for a slow reader."""

import socket
import time
from email.utils import formatdate
from functools import lru_cache
from itertools import starmap

from gunicorn.http import wsgi

_line = "{}: {}\r\n".format


@lru_cache(maxsize=1)  # many answers are sent within a second
def date(second: int) -> str:
    """Return a moment, in whole seconds of Unix time, as a header tells it (RFC 9110 §5.6.7)."""
    return formatdate(second, usegmt=True)


class Answer(wsgi.Response):  # type: ignore[misc]
    """An answer whose head waits for the body's first piece: one packet less."""

    _head = b""

    def send_headers(self) -> None:
        """Hold the head back until there is a body, or the end."""
        if not self.headers_sent:  # type: ignore[has-type]
            major, minor = self.req.version
            lines = (
                f"HTTP/{major}.{minor} {self.status}\r\nServer: {self.version}\r\nDate: {date(int(time.time()))}\r\n",
                "Connection: close\r\n" if self.should_close() else "Connection: keep-alive\r\n",
                "Transfer-Encoding: chunked\r\n" if self.chunked else "",
                *starmap(_line, self.headers),
                "\r\n",
            )
            self._head = "".join(lines).encode("latin-1")
            self.headers_sent = True

    def _emit_body(self, data: bytes) -> None:
        if not self.chunked:
            data, self._head = self._head + data, b""
        self._send_head()
        super()._emit_body(data)

    def close(self) -> None:
        """End the answer."""
        self.send_headers()
        self._send_head()
        super().close()

    def _send_head(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            self.sock.sendall(head)


class Outgoing:
    """What is sent on one connection."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.rest = b""  # what the kernel has not taken yet

    def sendall(self, data: bytes) -> None:
        """Send what goes out at once, and keep the rest.

        Raises OSError if the connection has ended.
        """
        self.rest += data
        self.go_on()

    def go_on(self) -> None:
        """Send what goes out now."""
        if self.rest:
            try:
                self.rest = self.rest[self._sock.send(self.rest, socket.MSG_DONTWAIT) :]
            except BlockingIOError:
                return
