"""One connection and the requests on it: gunicorn's parser, with two of its habits changed."""

import re
import socket
import struct
from contextlib import suppress
from ipaddress import ip_address
from typing import Any

from gunicorn.http import errors, message, parser, wsgi
from gunicorn.http.body import Body, ChunkedReader, LengthReader
from gunicorn.workers.gthread import TConn

from receiver import limits
from receiver.web.pace import Ending, PacedSocket
from receiver.web.turns import Turns

SEND_TIMEOUT = struct.pack("ll", limits.ANSWER_SECONDS, 0)  # struct timeval, socket(7)
HOST = re.compile(r"[^\s/?#@\\<>\"]*")  # RFC 3986 §3.2.2, and a port
BLANK_LINE = b"\r\n\r\n"
HEAD_READ = 16 * 1024  # bytes asked for at once while a head is awaited


class Arriving(LengthReader):  # type: ignore[misc]  # gunicorn has no types
    """A body of known length as it arrives: gunicorn's own waits for all that was asked for, and copies it twice."""

    def read(self, size: int) -> bytes:
        """Return what has arrived, at most `size` bytes; b"" at the end."""
        size = min(self.length, size)
        if not size:
            return b""
        held: bytes = self.unreader.take_buffered() or self.unreader.chunk(size)
        if len(held) > size:
            self.unreader.unread(held[size:])
            held = held[:size]
        self.length -= len(held)
        return held


class Stream(Body):  # type: ignore[misc]
    """What the application reads a body from: a piece as it comes, and not gathered once more."""

    def read(self, size: int | None = None) -> bytes:
        """Return some of the body, at most `size` bytes; b"" at its end. Without a size, all of it."""
        piece: bytes = super().read() if size is None else self._read_reader(size)
        return piece


class Request(message.Request):  # type: ignore[misc]  # gunicorn has no types
    """A request whose body stays with the sender until the application asks for it.

    gunicorn sends 100 Continue before the application runs. Here it is sent when the application first reads: a
    delivery that its head already condemns is refused before its body is on the way (RFC 9110 §10.1.1).
    """

    body: Any

    def __init__(self, cfg: Any, unreader: Any, peer_addr: Any, req_number: int = 1) -> None:
        super().__init__(cfg, unreader, peer_addr, req_number)
        self._require_host()
        self._refuse_compression()
        self._take_over_sender()
        unreader.sock.begin(asks=self._expected_100_continue)  # type: ignore[has-type]
        self._expected_100_continue = False

    def set_body_reader(self) -> None:
        """Read a body of known length without copies in between."""
        super().set_body_reader()
        if isinstance(self.body.reader, LengthReader):
            self.body = Stream(Arriving(self.unreader, self.body.reader.length))

    def should_close(self) -> bool:
        """Tell whether the connection ends after the answer: also where the body was not read to its end.

        gunicorn would wait for the rest, and hold a thread for as long.
        """
        return super().should_close() or not self._is_read()

    def _require_host(self) -> None:
        """Raise where HTTP/1.1 comes without a host, or with what is none (RFC 9112 §3.2)."""
        host = next((value for name, value in self.headers if name == "HOST"), None)
        if (host is None and self.version > (1, 0)) or not HOST.fullmatch(host or ""):
            raise errors.InvalidHeader("HOST", req=self)

    def _refuse_compression(self) -> None:
        """Raise for a body that would have to be unpacked, which gunicorn leaves to the application."""
        for name, value in self.headers:
            if name == "TRANSFER-ENCODING" and value.lower() != "chunked":
                raise errors.UnsupportedTransferCoding(value)

    def _take_over_sender(self) -> None:
        """Believe a proxy that gunicorn trusts (`forwarded_allow_ips`: this host) who the sender is."""
        told = next((value for name, value in self.headers if name == "X-FORWARDED-FOR"), "")
        with suppress(ValueError):
            sender = str(ip_address(told.rpartition(",")[2].strip()))
            if self._peer_is_trusted_proxy():
                self.proxy_protocol_info = {
                    "proxy_protocol": "HTTP",
                    "client_addr": sender,
                    "client_port": 0,
                    "proxy_addr": "",
                    "proxy_port": 0,
                }

    def _is_read(self) -> bool:
        reader = self.body.reader
        if isinstance(reader, ChunkedReader):
            return reader.parser is None
        return isinstance(reader, LengthReader) and reader.length == 0


class Answer(wsgi.Response):  # type: ignore[misc]
    """An answer whose head waits for the first piece of its body: a packet less for both sides."""

    _head = b""

    def send_headers(self) -> None:
        """Hold the head back until there is a body, or the end."""
        if not self.headers_sent:  # type: ignore[has-type]
            lines = [*self.default_headers(), *(f"{name}: {value}\r\n" for name, value in self.headers), "\r\n"]
            self._head = "".join(lines).encode("latin-1")
            self.headers_sent = True

    def _emit_body(self, data: bytes) -> None:
        if self._head and not self.chunked:
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


class Parser(parser.RequestParser):  # type: ignore[misc]
    """Parses the requests of one connection, waiting for a slow sender only as long as the limits allow."""

    mesg_class = Request

    def __init__(self, cfg: Any, connection: socket.socket, client: Any, turns: Turns, ending: Ending) -> None:
        super().__init__(cfg, PacedSocket(connection, turns, ending), client)


class Connection(TConn):  # type: ignore[misc]
    """One connection, and as much of the next head as has arrived on it."""

    def __init__(
        self, cfg: Any, sock: socket.socket, client: Any, server: Any, *, turns: Turns, ending: Ending
    ) -> None:
        super().__init__(cfg, sock, client, server)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, SEND_TIMEOUT)
        self.parser = Parser(cfg, sock, client, turns, ending)
        self.initialized = True  # what gunicorn would do before the first request: TLS, HTTP/2
        self.head = bytearray()
        self.closes_at = 0.0  # monotonic seconds, once it lingers

    def receive_head(self) -> bool:
        """Take in what has arrived of the next head; tell whether the sender has ended."""
        try:
            received = self.sock.recv(HEAD_READ, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            self.head.clear()
            return True
        self.head += received
        return not received

    def goes_on(self, seconds: float) -> bool:
        """Wait for the next head no longer than this, in a thread; tell whether the parser can go on."""
        if not self.has_next() and self.parser.unreader.sock.waits(seconds):
            self.receive_head()
        if self.can_be_parsed():
            self.hand_over()
            return True
        return False

    def has_next(self) -> bool:
        """Tell whether something of the next head has come: its sender did not wait for the answer."""
        self.head += self.parser.unreader.take_buffered()
        return bool(self.head)

    def hand_over(self) -> None:
        """Give the head that has arrived to the parser."""
        self.parser.unreader.unread(bytes(self.head))
        self.head.clear()

    def can_be_parsed(self) -> bool:
        """Tell whether the parser reaches a verdict without waiting: the head is whole, or wrong already."""
        return BLANK_LINE in self.head or self.head.count(b"\n") != self.head.count(b"\r\n")
