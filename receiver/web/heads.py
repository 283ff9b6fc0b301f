"""What the headers of a multipart body and of its sections say, and whether they say one thing only."""

import re
from collections.abc import Iterator
from typing import Any

from multipart import MultipartSegment, ParserError, ParserLimitReached, PushMultipartParser, parse_options_header

from receiver import limits
from receiver.delivery import Section
from receiver.problems import Code, Problem

BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]*[0-9A-Za-z'()+_,./:=?-]")  # RFC 2046 §5.1.1
NAMED = {  # a parameter outside of quotes; of what is quoted, nothing is found
    parameter: re.compile(rf'"(?:[^"\\]|\\.)*"|(;\s*{parameter}\s*=)', re.IGNORECASE)
    for parameter in ("boundary", "name", "filename")
}
CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")  # RFC 9110 §5.5: never in a header
IDENTITY_ENCODINGS = {"", "7bit", "8bit", "binary"}  # RFC 7578 §4.7: others are not to be sent
TOO_MANY_PARTS = "Maximum segment count exceeded"  # how the library says it


class Parser(PushMultipartParser):  # type: ignore[misc]  # the library has no types
    """The library's parser within our limits; no verdict on a header depends on how the bytes were cut."""

    def __init__(self, content_type: str) -> None:
        """Parse a body of this Content-Type. Raises `Problem`."""
        super().__init__(
            _boundary(content_type),
            max_header_size=limits.MAX_PART_HEADER_SIZE + 1,  # a CR that still waits for its LF is counted there
            max_header_count=limits.MAX_PART_HEADERS,
            max_segment_count=limits.MAX_PARTS,
            strict=False,
        )
        self._preamble: bytes | None = b""  # what came before the first boundary; None once that was seen

    def parse(self, chunk: bytes) -> Iterator[Any]:
        """Parse a chunk as the library does, but pass over a preamble ourselves: its verdict depends on the cuts."""
        if self._preamble is not None and chunk:
            chunk = self._behind_preamble(self._preamble + chunk)
            if not chunk:
                return iter(())
        events: Iterator[Any] = super().parse(chunk)
        return events

    def _behind_preamble(self, received: bytes) -> bytes:
        """Return what was received from the first boundary on; b"" while that has not come. Raises ParserError."""
        delimiter = b"--" + self.boundary
        start = received.find(delimiter)
        missing = start < 0
        if (len(received) - len(delimiter) if missing else start) > limits.MAX_PREAMBLE:
            raise ParserError("The first boundary is not at the beginning")
        if start > 0 and received[start - 2 : start] != b"\r\n":
            raise ParserError("The first boundary does not begin a line")
        self._preamble = received if missing else None
        return b"" if missing else received[start:]

    def _on_segment_headerline(self, line: bytes) -> None:
        if len(line) > limits.MAX_PART_HEADER_SIZE:
            raise ParserLimitReached
        if CONTROL.search(line):
            raise ParserError
        super()._on_segment_headerline(line)


def section(segment: MultipartSegment) -> Section:
    """Return what a section says of itself. Raises `Problem`."""
    names = [name for name, _ in segment.headerlist]
    first = dict(reversed(segment.headerlist))  # of each name
    disposition = first["Content-Disposition"]
    if names.count("Content-Disposition") > 1 or _repeats(disposition, "name") or _repeats(disposition, "filename"):
        raise Problem(Code.AMBIGUOUS_REQUEST, "A part is named twice; each part needs exactly one name.")
    if names.count("Content-Type") > 1:
        raise Problem(Code.AMBIGUOUS_REQUEST, "A part has more than one Content-Type.")
    if not segment.name:
        raise Problem(Code.MALFORMED_BODY, "A part has no name (RFC 7578 §4.2).")
    if len(segment.name) > limits.MAX_PART_NAME:
        raise Problem(Code.HEADERS_TOO_LARGE, f"A part's name is longer than {limits.MAX_PART_NAME} characters.")
    if first.get("Content-Transfer-Encoding", "").strip().lower() not in IDENTITY_ENCODINGS:
        raise Problem(
            Code.MALFORMED_BODY,
            "A part has a Content-Transfer-Encoding; send its bytes as they are (RFC 7578 §4.7).",
        )
    return Section(segment.name, segment.filename, segment.content_type or "")


def over_limit(error: ParserLimitReached) -> Problem:
    """Return which limit the parser has met."""
    if TOO_MANY_PARTS in error.args:
        return Problem(Code.TOO_MANY_PARTS, f"The body has more than {limits.MAX_PARTS} parts.")
    return Problem(
        Code.HEADERS_TOO_LARGE,
        f"A part has more than {limits.MAX_PART_HEADERS} headers, "
        f"or one longer than {limits.MAX_PART_HEADER_SIZE} bytes.",
    )


def _boundary(content_type: str) -> str:
    kind, options = parse_options_header(content_type)
    if kind != "multipart/form-data":
        raise Problem(Code.NOT_MULTIPART, "The request must be multipart/form-data.")
    boundary = options.get("boundary", "")
    if not BOUNDARY.fullmatch(boundary) or len(boundary) > limits.MAX_BOUNDARY:
        raise Problem(
            Code.MALFORMED_BODY,
            f"The Content-Type needs a boundary of 1 to {limits.MAX_BOUNDARY} characters that RFC 2046 §5.1.1 allows.",
        )
    if _repeats(content_type, "boundary"):
        raise Problem(Code.AMBIGUOUS_REQUEST, "The Content-Type names more than one boundary.")
    return str(boundary)


def _repeats(header: str, parameter: str) -> bool:
    """Tell whether a header names a parameter more than once."""
    return sum(map(bool, NAMED[parameter].findall(header))) > 1
