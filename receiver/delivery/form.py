"""The only reader of a request body: multipart/form-data, section by section.

RFC 2046 §5.1.1.

`heads.py` reads what each section says about itself. A body counts as read only if its closing boundary came and, if
the sender gave a length, all of it arrived. No verdict depends on where the bytes were cut on their way.
"""

import re
from collections.abc import Iterator
from typing import Protocol

from receiver.core import limits
from receiver.core.delivery import Section
from receiver.core.problems import Code, Problem
from receiver.delivery import heads

_LINE = re.compile(rb"[^\x00-\x08\x0a-\x1f\x7f]*+\r")  # RFC 9110 §5.5: no controls in a header


class Stream(Protocol):
    """A body: `read` returns b"" only at its end. It may raise `Problem`."""

    def read(self, size: int, /) -> bytes: ...


def sections(stream: Stream, content_type: str, length: int | None, max_body: int) -> Iterator[Section]:
    """Return the sections of a multipart body in the order they arrive.

    `length` is the Content-Length in bytes, None for a chunked body. The content of a section is to be
    consumed before the next one is asked for; what was not consumed is skipped. Raises `Problem`, for what can be
    judged by the head at once.
    """
    boundary = heads.boundary(content_type)
    if length is not None and length > max_body:
        raise _too_large(max_body)
    return _Body(stream, length, max_body, boundary).sections()


class _Body:
    """A body as far as it has arrived. Every method may raise `Problem`."""

    def __init__(self, stream: Stream, length: int | None, max_body: int, boundary: str) -> None:
        self._stream = stream
        self._length = length
        self._max_body = max_body
        self._delimiter = b"\r\n--" + boundary.encode("ascii")
        self._buffer = b"\r\n"  # so the first delimiter is like all others
        self._at = 0  # how much of the buffer was read
        self._received = 0  # bytes

    def sections(self) -> Iterator[Section]:
        """Yield every section, and read the body to its end."""
        self._skip_preamble()
        count = 0
        while not self._ends():
            count += 1
            if count > limits.MAX_PARTS:
                raise Problem(Code.TOO_MANY_PARTS, f"The body has more than {limits.MAX_PARTS} parts.")
            section, length = heads.section(self._line)
            section.content = content = self._content(length)
            yield section
            for _ in content:  # what was not consumed
                pass
        while self._receive():  # an epilogue, and whether all of the body arrives
            pass

    def _skip_preamble(self) -> None:
        """Read on to the end of the first delimiter."""
        delimiter = self._delimiter[2:]
        longest = limits.MAX_PREAMBLE + 2  # with the CR LF that it begins with
        while (start := self._buffer.find(delimiter)) == -1 and len(self._buffer) - len(delimiter) <= longest:
            self._read_on()
        if start == -1 or start > longest:
            raise Problem(Code.MALFORMED_BODY, "The body does not begin with the boundary that the Content-Type names.")
        if self._buffer[start - 2 : start] != b"\r\n":
            raise Problem(Code.MALFORMED_BODY, "The first boundary does not begin a line.")
        self._at = start + len(delimiter)

    def _ends(self) -> bool:
        """Return whether the delimiter is the last one; else read to the end of its line."""
        while len(self._buffer) - self._at < 2:
            self._read_on()
        if self._buffer.startswith(b"--", self._at):
            return True
        if self._line().strip(b" \t"):  # blanks may follow: RFC 2046's transport padding
            raise Problem(Code.MALFORMED_BODY, "A boundary does not end its line, or is not the one that was named.")
        return False

    def _line(self) -> bytes:
        """Return a line without its end."""
        longest = limits.MAX_PART_HEADER_SIZE + 1  # with the CR
        while (end := self._buffer.find(b"\n", self._at)) < 0 and len(self._buffer) - self._at <= longest:
            self._read_on()
        if end < 0 or end - self._at > longest:
            raise heads.too_long()
        line, self._at = self._buffer[self._at : end], end + 1
        if not _LINE.fullmatch(line):
            raise Problem(Code.MALFORMED_BODY, "A part's header does not end with CR LF, or has a control character.")
        return line[:-1]

    def _content(self, length: int | None) -> Iterator[bytes]:
        """Yield what precedes the next delimiter, and read that; `length` is in bytes."""
        received = 0
        while True:
            end = self._buffer.find(self._delimiter, self._at)
            is_last = end != -1
            until = end if is_last else self._before_delimiter_begins()
            piece, self._at = self._buffer[self._at : until], until
            received += len(piece)
            if length is not None and (received > length or (is_last and received < length)):
                raise Problem(Code.MALFORMED_BODY, "A part is not as long as its own Content-Length tells.")
            if is_last:
                self._at += len(self._delimiter)
            if piece:
                yield piece
            if is_last:
                return
            self._read_on()

    def _before_delimiter_begins(self) -> int:
        """Return where a delimiter may begin whose end has not arrived."""
        start = self._buffer.rfind(b"\r", self._at)
        return start if start >= 0 and self._delimiter.startswith(self._buffer[start:]) else len(self._buffer)

    def _read_on(self) -> None:
        """Add what arrives next to what was not read yet."""
        chunk = self._receive()
        if not chunk:
            raise Problem(Code.TRUNCATED_BODY, "The body ended before its closing boundary, --boundary--.")
        self._buffer, self._at = self._buffer[self._at :] + chunk, 0

    def _receive(self) -> bytes:
        """Return what arrives next; b"" once all of the body has."""
        left = limits.READ_SIZE  # some servers (PEP 3333) let a read go on into what follows the body
        if self._length is not None:
            left = min(left, self._length - self._received)
        try:
            chunk = self._stream.read(left) if left else b""
        except Problem:
            raise
        except Exception:  # noqa: BLE001 (each server has its own for a sender that is gone or sends nonsense)
            raise Problem(Code.TRUNCATED_BODY, "The body could not be read to its end.") from None
        self._received += len(chunk)
        if self._received > self._max_body:
            raise _too_large(self._max_body)
        if not chunk and self._length is not None and self._received < self._length:
            detail = f"The body ended after {self._received} of {self._length} bytes."
            raise Problem(Code.TRUNCATED_BODY, detail)
        return chunk


def _too_large(max_body: int) -> Problem:
    return Problem(Code.BODY_TOO_LARGE, f"The body is larger than the {max_body} bytes that are accepted.")
