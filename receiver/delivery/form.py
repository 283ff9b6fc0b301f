"""The only reader of a request body: multipart/form-data, section by section.

RFC 2046 §5.1.1.

A body counts as read only if its closing boundary came and, if the sender gave a length, all of it arrived. No verdict
depends on where the bytes were cut on their way.

Headers must be unambiguous. Libraries skip what they cannot read and let the last of several parameters win, so two
readers of one header may see different names. Here all of it is read, or the header is refused; but for a file's name,
which is taken in whichever way its client writes it (`filenames.py`).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from operator import itemgetter
from typing import Protocol

from receiver.core import limits
from receiver.core.delivery import Section
from receiver.core.problems import Code, Problem
from receiver.delivery import filenames, form_explain
from receiver.delivery.filenames import PLAIN, browser_text
from receiver.delivery.form_explain import TOKEN

_LINE = re.compile(  # RFC 9110 §5.5: no controls in a header
    rb"([^\x00-\x08\x0a-\x1f\x7f]{0,%d}+)\r\n" % limits.MAX_PART_HEADER_SIZE
)
_PARAMETER = re.compile(  # RFC 9110 §5.6.6: all up to the next semicolon, or the header's end
    rf"""[ \t]*+(?:({TOKEN.pattern})=(?:"([^"\\]*+(?:\\.[^"\\]*+)*+)"[ \t]*+|([^";]*+)))?(;|\Z)""", re.DOTALL
)
_ESCAPED = re.compile(r'\\(["\\])')  # other backslashes stand for themselves: browsers do not escape them
_character = itemgetter(1)  # of a match
BLANKS = b" ", b"\t"
BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=?!#$%&*^`|~ -]*+(?<! )")  # RFC 2046 §5.1.1, and RFC 9110's: many send *****
IDENTITY_ENCODINGS = {"", "7bit", "8bit", "binary"}  # RFC 7578 §4.7: others are not to be sent
LENGTH = re.compile(r"0|[1-9][0-9]{0,18}")  # of a section, in bytes
READ = {"content-disposition", "content-type", "content-length", "content-transfer-encoding"}  # others may say anything
MAX_CHARSET = 40  # characters: of the IANA's names, RFC 2978 §2.3
CONTENT_TYPE, DISPOSITION = "The request's Content-Type", "A part's Content-Disposition"


class Stream(Protocol):
    """A body: `read` returns b"" only at its end. It may raise `Problem`."""

    def read(self, size: int, /) -> bytes: ...


def sections(stream: Stream, content_type: str, length: int | None, max_body: int) -> Iterator[Section]:
    """Return the sections of a multipart body in the order they arrive.

    `length` is the Content-Length in bytes, None for a chunked body. The content of a section is to be
    consumed before the next one is asked for; what was not consumed is skipped. Raises `Problem`, for what can be
    judged by the head at once.
    """
    between = boundary(content_type)
    if length is not None and length > max_body:
        raise _too_large(max_body)
    return _Body(stream, length, max_body, between).sections()


class _Body:
    """A body as far as it has arrived. Every method may raise `Problem`."""

    def __init__(self, stream: Stream, length: int | None, max_body: int, boundary: str) -> None:
        self._stream = stream
        self._length = length
        self._max_body = max_body
        self._delimiter = b"\r\n--" + boundary.encode("ascii")
        self._buffer = b""
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
            head, length = section(self._line)
            head.content = content = self._content(length)
            yield head
            for _ in content:  # what was not consumed
                pass
        while self._receive():  # an epilogue, and whether all of the body arrives
            pass

    def _skip_preamble(self) -> None:
        """Read on to the end of the first delimiter."""
        delimiter = self._delimiter[2:]
        longest = limits.MAX_PREAMBLE + len(delimiter)
        while (start := self._buffer.find(delimiter)) == -1 and len(self._buffer) <= longest:
            self._read_on()
        if start == -1 or start > limits.MAX_PREAMBLE:
            raise Problem(Code.MALFORMED_BODY, "The body does not begin with the boundary that the Content-Type names.")
        if start and not self._buffer.endswith(b"\r\n", 0, start):
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
        while not (line := _LINE.match(self._buffer, self._at)):
            self._await_line()
        self._at = line.end()
        return line[1]

    def _await_line(self) -> None:
        """Read on, unless a line that cannot be read has arrived."""
        line, end, _ = self._buffer[self._at :].partition(b"\n")
        if len(line) > limits.MAX_PART_HEADER_SIZE + 1:  # with the CR
            raise form_explain.too_long()
        if end:
            raise Problem(Code.MALFORMED_BODY, "A part's header does not end with CR LF, or has a control character.")
        self._read_on()

    def _content(self, length: int | None) -> Iterator[bytes]:
        """Yield what precedes the next delimiter, and read that; `length` is in bytes."""
        received = 0
        blank = 2  # bytes that end the head; a part without a body has no others before its delimiter
        self._at -= blank
        while True:
            end = self._buffer.find(self._delimiter, self._at)
            is_last = end != -1
            until = end if is_last else self._before_delimiter_begins()
            piece = self._buffer[self._at + blank : until]
            if until > self._at:
                self._at, blank = until, 0
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


def boundary(content_type: str) -> str:
    """Return what stands between the sections of a body of this Content-Type.

    Raises `Problem`.
    """
    if main_value(content_type) != "multipart/form-data":
        raise Problem(Code.NOT_MULTIPART, "The Content-Type must be multipart/form-data; boundary=…")
    parameters = parse(content_type, CONTENT_TYPE, unquoted="")
    _require_one_way(parameters, "boundary", CONTENT_TYPE)
    found = parameters.get("boundary", "")
    if not 0 < len(found) <= limits.MAX_BOUNDARY or not BOUNDARY.fullmatch(found):
        raise Problem(
            Code.MALFORMED_BODY,
            f"The Content-Type needs a boundary of 1 to {limits.MAX_BOUNDARY} characters"
            " that RFC 2046 §5.1.1 or RFC 9110 §5.6.2 allows.",
        )
    return found


def section(read_line: Callable[[], bytes]) -> tuple[Section, int | None]:
    """Return a section's head, without content, and its length in bytes if given.

    `read_line` returns the next line of the head, b"" at its end. Raises `Problem`.
    """
    headers = _headers(read_line)
    if headers.get("content-transfer-encoding", "").lower() not in IDENTITY_ENCODINGS:
        raise Problem(
            Code.MALFORMED_BODY,
            "A part has a Content-Transfer-Encoding; send its bytes as they are (RFC 7578 §4.7).",
        )
    disposition, type_ = headers.get("content-disposition", ""), headers.get("content-type", "")
    if main_value(disposition) != "form-data":
        raise Problem(Code.MALFORMED_BODY, "A part has no Content-Disposition: form-data (RFC 7578 §4.2).")
    found = parse(disposition, DISPOSITION, unquoted="filename")
    name, filename = _name(found), found.get("filename")
    if len(found) > 2 or filename is None or not PLAIN.fullmatch(filename):
        filename = filenames.filename(found)
    charset = ""
    if ";" in type_:
        charset = _charset(parse(type_, "A part's Content-Type", unquoted="name").get("charset", ""))
    head = Section(name, filename, main_value(type_), charset)
    return head, _length(headers["content-length"]) if "content-length" in headers else None


def _headers(read_line: Callable[[], bytes]) -> dict[str, str]:
    """Return the headers by their names in lower case."""
    headers: dict[str, str] = {}
    count = 0
    line = read_line()
    while line:
        count += 1
        header, line = line, read_line()
        if line.startswith(BLANKS):
            header, line = _unfold(header, line, read_line)
        if count > limits.MAX_PART_HEADERS:
            raise Problem(Code.HEADERS_TOO_LARGE, f"A part has more than {limits.MAX_PART_HEADERS} headers.")
        try:
            name, colon, value = header.decode().partition(":")
        except UnicodeDecodeError:
            detail = "A part has a header that is not in UTF-8 (RFC 7578 §5.1)."
            raise Problem(Code.MALFORMED_BODY, detail) from None
        if not colon or not TOKEN.fullmatch(name):
            raise Problem(Code.MALFORMED_BODY, "A part has a header that is not name: value (RFC 9110 §5.1).")
        name = name.lower()
        if name in headers and name in READ:
            raise Problem(Code.AMBIGUOUS_REQUEST, "A part has one of its headers twice.")
        headers[name] = value.strip(" \t")
    return headers


def _unfold(header: bytes, line: bytes, read_line: Callable[[], bytes]) -> tuple[bytes, bytes]:
    """Return a header in one line, and the next line; a leading blank continues it."""
    pieces = [header]
    size = len(header)
    while line.startswith(BLANKS):
        if line.isspace():
            raise Problem(Code.MALFORMED_BODY, "A part has a line of blanks among its headers.")
        pieces.append(line.strip(b" \t"))
        size += len(line)
        if size > limits.MAX_PART_HEADER_SIZE:
            raise form_explain.too_long()
        line = read_line()
    return b" ".join(pieces), line


def _name(found: Mapping[str, str]) -> str:
    _require_one_way(found, "name", DISPOSITION)
    name = found.get("name", "")
    if "%" in name:
        name = browser_text(name)
    if not name:
        raise Problem(Code.MALFORMED_BODY, "A part has no name (RFC 7578 §4.2).")
    if len(name) > limits.MAX_PART_NAME:
        raise Problem(Code.HEADERS_TOO_LARGE, f"A part's name is longer than {limits.MAX_PART_NAME} characters.")
    return name


def _charset(found: str) -> str:
    """Return a charset as it was written; what is no token cannot be the name of one."""
    return found if not found or (len(found) <= MAX_CHARSET and TOKEN.fullmatch(found)) else "unknown"


def _require_one_way(found: Mapping[str, str], parameter: str, whose: str) -> None:
    """Raise `Problem` for extended parameters, which some readers prefer.

    RFC 2231, RFC 8187.
    """
    extended = f"{parameter}*"
    for name in found:
        if name.startswith(extended):
            raise Problem(Code.AMBIGUOUS_REQUEST, f"{whose} has {parameter}*; write {parameter} alone, as it is.")


def _length(found: str) -> int:
    if not LENGTH.fullmatch(found):
        raise Problem(Code.MALFORMED_BODY, "A part has a Content-Length that is no number.")
    return int(found)


def main_value(header: str) -> str:
    """Return what stands before the parameters, in lower case."""
    return header.partition(";")[0].strip(" \t").lower()


def parse(header: str, whose: str, *, unquoted: str) -> dict[str, str]:
    """Return a header's parameters by lower-case names: `form-data; name="file"`.

    RFC 9110 §5.6.6.

    `whose` header it is, for messages. Of the parameter `unquoted`, which is a file name, a value without quotes
    goes on to the next semicolon. Raises `Problem`.
    """
    found: dict[str, str] = {}
    at = header.find(";") + 1
    while at:
        parameter = _PARAMETER.match(header, at)
        if not parameter:
            raise form_explain.parameter(header, at, whose, found, unquoted)
        name, quoted, bare, more = parameter.groups()
        if name is not None:  # else an empty one, as RFC 9110 allows
            name = name.lower()
            if name in found or (bare is not None and name != unquoted and not TOKEN.fullmatch(bare.rstrip(" \t"))):
                raise form_explain.parameter(header, at, whose, found, unquoted)
            if quoted is None:
                found[name] = bare.strip(" \t")
            else:
                found[name] = _ESCAPED.sub(_character, quoted)
        at = parameter.end() if more else 0
    return found
