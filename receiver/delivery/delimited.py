"""A multipart body taken apart as it arrives: lines of a head, then content up to the next delimiter (RFC 2046 §5.1.1).

No verdict depends on where the bytes were cut on their way.
"""

import re
from collections.abc import Iterator

from receiver.core import limits
from receiver.core.problems import Code, Problem

_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")  # RFC 9110 §5.5: never in a header


class Delimited:
    """What arrives, read in the order in which it stands there. Every method may raise `Problem`."""

    def __init__(self, chunks: Iterator[bytes], boundary: str) -> None:
        """Read a body out of chunks, the last of which is b""."""
        self._chunks = chunks
        self._delimiter = b"\r\n--" + boundary.encode("ascii")
        self._held = b"\r\n"  # what has arrived; so the first delimiter is as all others are
        self._at = 0  # how much of it was read

    def skip_preamble(self) -> None:
        """Read on to the end of the first delimiter."""
        delimiter = self._delimiter[2:]
        while (start := self._held.find(delimiter)) < 0:
            self._require_short_preamble(len(self._held) - len(delimiter))
            self._await_more()
        self._require_short_preamble(start)
        if self._held[start - 2 : start] != b"\r\n":
            raise Problem(Code.MALFORMED_BODY, "The first boundary does not begin a line.")
        self._at = start + len(delimiter)

    def ends(self) -> bool:
        """Tell whether the delimiter that was read is the last one; else read on to the end of its line."""
        while len(self._held) - self._at < 2:
            self._await_more()
        if self._held.startswith(b"--", self._at):
            return True
        if self._line().strip(b" \t"):  # blanks may follow: RFC 2046's transport padding
            raise Problem(Code.MALFORMED_BODY, "A boundary does not end its line, or is not the one that was named.")
        return False

    def head(self) -> Iterator[bytes]:
        """Yield the lines of a head."""
        while line := self._line():
            yield line

    def content(self) -> Iterator[bytes]:
        """Yield what comes before the next delimiter, and read that as well."""
        while (end := self._held.find(self._delimiter, self._at)) < 0:
            sure = self._before_delimiter_begins()
            if sure > self._at:
                piece, self._at = self._held[self._at : sure], sure
                yield piece
            self._await_more()
        piece, self._at = self._held[self._at : end], end + len(self._delimiter)
        if piece:
            yield piece

    def _before_delimiter_begins(self) -> int:
        """Return where a delimiter may begin whose end has not arrived."""
        start = self._held.rfind(b"\r", max(self._at, len(self._held) - len(self._delimiter) + 1))
        return start if start >= 0 and self._delimiter.startswith(self._held[start:]) else len(self._held)

    def _line(self) -> bytes:
        """Return a line without its end."""
        longest = limits.MAX_PART_HEADER_SIZE + 1  # with the CR
        while (end := self._held.find(b"\n", self._at)) < 0 and len(self._held) - self._at <= longest:
            self._await_more()
        if end < 0 or end - self._at > longest:
            raise too_long()
        line, self._at = self._held[self._at : end], end + 1
        if not line.endswith(b"\r") or _CONTROL.search(line, 0, len(line) - 1):
            raise Problem(Code.MALFORMED_BODY, "A part's header does not end with CR LF, or has a control character.")
        return line[:-1]

    def _await_more(self) -> None:
        chunk = next(self._chunks)
        if not chunk:
            raise Problem(Code.TRUNCATED_BODY, "The body ended before its closing boundary.")
        self._held, self._at = self._held[self._at :] + chunk, 0

    def _require_short_preamble(self, size: int) -> None:
        if size > limits.MAX_PREAMBLE + 2:
            raise Problem(Code.MALFORMED_BODY, "The first boundary is not at the beginning of the body.")


def too_long() -> Problem:
    """Return what is answered to a header over the limit."""
    return Problem(
        Code.HEADERS_TOO_LARGE, f"A part has a header that is longer than {limits.MAX_PART_HEADER_SIZE} bytes."
    )
