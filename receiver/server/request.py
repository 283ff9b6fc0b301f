"""One request as gunicorn parses it, with some of its habits changed."""

import re
import time
from contextlib import suppress
from io import BytesIO
from ipaddress import ip_address
from typing import Any

from gunicorn.http import errors, message
from gunicorn.http.body import CHUNK_EXT_RE, Body, ChunkedReader, LengthReader
from gunicorn.http.unreader import SocketUnreader

from receiver.core import limits
from receiver.core.problems import Code, Problem

HOST = re.compile(r"[^\s/?#@\\<>\"]*")  # RFC 3986 §3.2.2, and a port
SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})")  # of a chunk
BARE_LF = re.compile(rb"(?<!\r)\n")
RECEIVED = 64 * 1024  # bytes asked for at once if nobody knows how many are to come
_LINE = r"([!#$%&'*+.^_`|~0-9A-Za-z-]++):([^\x00-\x08\x0a-\x1f\x7f]*+)\r\n"  # RFC 9110 §5.1 and §5.5
HEADER, HEADERS = re.compile(_LINE), re.compile(f"(?:{_LINE})++")


class Unreader(SocketUnreader):  # type: ignore[misc]  # gunicorn has no types
    """What has arrived on a connection and nobody has taken yet."""

    buf: BytesIO

    def unread(self, data: bytes) -> None:
        """Put bytes before what is there, without gunicorn's copies of them."""
        self.buf = BytesIO(data + self.buf.getvalue())


class Ahead:
    """The beginning of one body."""

    def __init__(self, unreader: SocketUnreader, reader: object) -> None:
        """Collect for `reader` what `unreader` holds, and what comes after it, once that is asked for."""
        self.held = bytearray()
        self.over = False  # whether no more of it is waited for
        self.cut_off = False  # whether its sender ended, or went, within it
        self._unreader = unreader
        self._paced = unreader.sock
        length = reader.length if isinstance(reader, LengthReader) else None
        self._most = limits.AHEAD if length is None else min(length, limits.AHEAD)  # bytes that are collected
        self._chunks = Chunks() if length is None else None
        self._since = 0.0  # monotonic seconds, when the poller began to wait for more

    def arrives(self, seconds: float) -> bool:
        """Give the body to its reader once enough is there; False after so many seconds.

        In a thread. Raises Problem if no more of it is waited for, or will come: what is cut off is not read at all,
        for a proxy that stops ends a thousand bodies at the same moment.
        """
        last = time.monotonic() + seconds
        while not self.receive():
            if self.over:
                raise self._paced.too_late()
            self._paced.ask()
            if not self._paced.comes_within(last - time.monotonic()):
                return False
        if self.cut_off:
            raise _sender_gone(f": {len(self.held):,} bytes of it had come")
        self._unreader.unread(bytes(self.held))
        self.held.clear()
        return True

    def receive(self) -> bool:
        """Take in what has arrived; return whether it is enough, or the sender ended."""
        self.held += self._unreader.take_buffered()
        while not self.is_enough():
            try:
                received = self._paced.receive(self._room())
            except OSError:  # the sender has gone
                received = b""
            if received is None:
                return False
            if not received:
                self.cut_off = True
                return True
            self.held += received
        return True

    def pause(self) -> float:
        """Count time against the sender from now; return the deadline, as `until` does."""
        self._since = time.monotonic()
        return self.until()

    def until(self) -> float:
        """Return until when the next byte is waited for, in monotonic seconds."""
        moment: float = self._paced.until(self._since)
        return moment

    def resume(self) -> None:
        """End what `pause` began."""
        self._paced.waited(self._since)

    def is_enough(self) -> bool:
        """Return whether its reader can go on: all is there, or enough, or malformed."""
        return len(self.held) >= self._most or (self._chunks is not None and self._chunks.have_ended(self.held))

    def _room(self) -> int:
        left = self._most - len(self.held)
        return left if self._chunks is None else min(left, RECEIVED)


class Chunks:
    """Finds the end of a chunked body (RFC 9112 §7.1); faults are for its reader."""

    def __init__(self) -> None:
        self._at = 0  # where the line with the size of the next chunk begins
        self._seen = 0  # bytes up to which the trailers have no end

    def have_ended(self, held: bytearray) -> bool:
        """Return whether the body is whole, or malformed."""
        while (end := held.find(b"\r\n", self._at)) >= 0:
            line = SIZE.match(held, self._at, end)
            if not line or not CHUNK_EXT_RE.fullmatch(held, line.end(), end):
                return True
            size = int(line[1], 16)
            if not size:
                return self._trailers_have_ended(held, end)
            self._at = end + 2 + size + 2
        chunk_ends_wrong = self._at > 0 and not b"\r\n".startswith(bytes(held[self._at - 2 : self._at]))
        return chunk_ends_wrong or len(held) - self._at > limits.MAX_HEADER_SIZE

    def _trailers_have_ended(self, held: bytearray, start: int) -> bool:
        unseen = max(start, self._seen - 3)
        malformed = len(held) - start > limits.MAX_HEAD or BARE_LF.search(held, unseen) is not None
        if malformed or held.find(b"\r\n\r\n", unseen) >= 0:
            return True
        self._seen = len(held)
        return False


class Arriving(LengthReader):  # type: ignore[misc]  # gunicorn has no types
    """A body of known length as it arrives, without gunicorn's waits and copies."""

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
    """The application's view of a body: pieces as they come, not gathered again."""

    def read(self, size: int | None = None) -> bytes:
        """Return some of the body, at most `size` bytes; b"" at its end.

        Without a size, all of it. Raises Problem.
        """
        try:
            piece: bytes = super().read() if size is None else self.reader.read(size)
        except (errors.NoMoreData, ConnectionError):
            raise _sender_gone() from None
        except errors.ParseException:
            raise Problem(Code.MALFORMED_BODY, "The chunked transfer coding is malformed (RFC 9112 §7.1).") from None
        return piece


def _sender_gone(after: str = "") -> Problem:
    return Problem(Code.TRUNCATED_BODY, f"The connection ended before the body did{after}.")


class Request(message.Request):  # type: ignore[misc]  # gunicorn has no types
    """A request whose body stays with the sender until the application asks for it.

    gunicorn sends 100 Continue before the application runs. Here it is sent when the application first reads: a
    delivery that its head already condemns is refused before its body is on the way (RFC 9110 §10.1.1).
    """

    body: Any

    def __init__(self, cfg: Any, unreader: Any, peer_addr: Any, req_number: int = 1) -> None:
        super().__init__(cfg, unreader, peer_addr, req_number)
        first = dict(reversed(self.headers))  # of each name
        self._require_host(first.get("HOST"))
        self._refuse_compression(first.get("TRANSFER-ENCODING", "chunked"))
        if "X-FORWARDED-FOR" in first:
            self._take_over_sender(first["X-FORWARDED-FOR"])
        unreader.sock.begin(asks=self._expected_100_continue)  # type: ignore[has-type]
        self._expected_100_continue = False
        self._is_last: bool = super().should_close()

    def parse_headers(self, data: bytes, *, from_trailer: bool) -> list[tuple[str, str]]:
        """Parse a head's lines with one expression; what that does not take, gunicorn judges."""
        text = data.decode("latin-1") + "\r\n"
        within_limits = len(text) <= self.limit_request_field_size and text.count("\n") <= self.limit_request_fields
        if from_trailer or not within_limits or not HEADERS.fullmatch(text):
            judged: list[tuple[str, str]] = super().parse_headers(data, from_trailer=from_trailer)
            return judged
        believed = self._peer_trusted_for_forwarded()
        scheme, seen = [False], set[str]()
        headers = []
        for name, value in HEADER.findall(text):  # only now: on what does not match it could search for long
            header = self._apply_header_policy(name.upper(), value.strip(" \t"), scheme, seen, *believed)
            if header:
                headers.append(header)
        return headers

    def set_body_reader(self) -> None:
        """Read a body without copies in between, and ahead of its reader."""
        super().set_body_reader()
        reader = self.body.reader
        self.body = Stream(Arriving(self.unreader, reader.length) if isinstance(reader, LengthReader) else reader)
        self.ahead = Ahead(self.unreader, reader)

    def should_close(self) -> bool:
        """Return whether the connection ends after the answer, also for an unread body.

        gunicorn would wait for the rest, and hold a thread for as long.
        """
        return self._is_last or not self._is_read()

    def _peer_is_trusted_proxy(self) -> bool:
        """Return whether the peer may name the sender; decided once for a connection."""
        sock = self.unreader.sock
        if sock.trusted is None:
            sock.trusted = super()._peer_is_trusted_proxy()
        trusted: bool = sock.trusted
        return trusted

    def _require_host(self, host: str | None) -> None:
        """Raise if HTTP/1.1 comes without a host, or with what is none (RFC 9112 §3.2)."""
        if (host is None and self.version > (1, 0)) or not HOST.fullmatch(host or ""):
            raise errors.InvalidHeader("HOST", req=self)

    def _refuse_compression(self, coding: str) -> None:
        """Raise for a compressed body, which gunicorn leaves to the application."""
        if coding.lower() != "chunked":
            raise errors.UnsupportedTransferCoding(coding)

    def _take_over_sender(self, header: str) -> None:
        """Believe a trusted proxy (`forwarded_allow_ips`) who the sender is."""
        with suppress(ValueError):
            sender = str(ip_address(header.rpartition(",")[2].strip()))
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
        return reader.parser is None if isinstance(reader, ChunkedReader) else reader.length == 0
