"""The only reader of a request body: streaming multipart, section by section.

The push parser of `multipart` does the splitting. This module feeds it from the socket, and turns everything that
can be wrong with a body into a `Problem`. A body counts as read only if its closing boundary came and, where
the sender told a length, all of it arrived.
"""

import re
from collections.abc import Iterator
from typing import Protocol

from gunicorn.http.errors import NoMoreData, ParseException
from multipart import (
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
    parse_options_header,
)

from receiver import limits
from receiver.delivery import Incoming, Section
from receiver.problems import Code, Problem

BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")  # RFC 2046 §5.1.1
NAME_PARAMETER = re.compile(r";\s*name\s*=", re.IGNORECASE)
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
IDENTITY_ENCODINGS = {"", "7bit", "8bit", "binary"}  # RFC 7578 §4.7: others are not to be sent


class Stream(Protocol):
    """A body: `read` returns b"" only at its end."""

    def read(self, size: int, /) -> bytes: ...


def sections(stream: Stream, content_type: str, length: int | None, max_body: int) -> Iterator[Incoming]:
    """Yield the sections of a multipart body in the order they arrive.

    `length` is the Content-Length in bytes, None for a chunked body. The content of a section is to be
    consumed before the next one is asked for; what was not consumed is skipped. Raises `Problem`.
    """
    boundary = _boundary(content_type)
    if length is not None and length > max_body:
        raise _too_large(max_body)
    parser = PushMultipartParser(
        boundary,
        max_header_size=limits.MAX_PART_HEADER_SIZE,
        max_header_count=limits.MAX_PART_HEADERS,
        max_segment_count=limits.MAX_PARTS,
        strict=False,
    )
    events = _events(parser, _chunks(stream, length, max_body))
    for event in events:
        if isinstance(event, MultipartSegment):
            content = _content(events)
            yield Incoming(_section(event), content)
            for _ in content:
                pass


def _boundary(content_type: str) -> str:
    kind, options = parse_options_header(content_type)
    if kind != "multipart/form-data":
        raise Problem(Code.NOT_MULTIPART, "The request must be multipart/form-data.")
    boundary = options.get("boundary", "")
    if not BOUNDARY.fullmatch(boundary):
        raise Problem(
            Code.MALFORMED_BODY,
            "The Content-Type needs a boundary of 1 to 70 of the characters that RFC 2046 §5.1.1 allows.",
        )
    if len(re.findall(r";\s*boundary\s*=", QUOTED.sub('""', content_type), re.IGNORECASE)) > 1:
        raise Problem(Code.AMBIGUOUS_REQUEST, "The Content-Type names more than one boundary.")
    return str(boundary)


def _chunks(stream: Stream, length: int | None, max_body: int) -> Iterator[bytes]:
    """Yield the body as it arrives, and b"" when all of it has."""
    received = 0
    while chunk := _read(stream):
        received += len(chunk)
        if received > max_body:
            raise _too_large(max_body)
        yield chunk
    if length is not None and received < length:
        raise Problem(Code.TRUNCATED_BODY, f"The body ended after {received} of {length} bytes.")
    yield b""


def _read(stream: Stream) -> bytes:
    try:
        return stream.read(limits.READ_SIZE)
    except TimeoutError:
        raise Problem(Code.TOO_SLOW, "The body did not arrive in time.") from None
    except (NoMoreData, ConnectionError):
        raise Problem(Code.TRUNCATED_BODY, "The connection ended before the body did.") from None
    except ParseException:
        raise Problem(Code.MALFORMED_BODY, "The chunked transfer coding is malformed (RFC 9112 §7.1).") from None


def _events(
    parser: PushMultipartParser, chunks: Iterator[bytes]
) -> Iterator[MultipartSegment | bytes | bytearray | None]:
    try:
        for chunk in chunks:
            yield from parser.parse(chunk)
    except ParserLimitReached as error:
        raise Problem(Code.HEADERS_TOO_LARGE, _limit(error)) from None
    except MultipartError as error:
        if not chunk:
            raise Problem(Code.TRUNCATED_BODY, "The body ended before its closing boundary.") from None
        raise Problem(Code.MALFORMED_BODY, f"The multipart body is malformed: {error.args[0]}.") from None


def _limit(error: ParserLimitReached) -> str:
    if "count" in error.args[0] and "header" not in error.args[0]:
        return f"The body has more than {limits.MAX_PARTS} parts."
    return (
        f"A part has more than {limits.MAX_PART_HEADERS} headers, "
        f"or one longer than {limits.MAX_PART_HEADER_SIZE} bytes."
    )


def _content(events: Iterator[MultipartSegment | bytes | bytearray | None]) -> Iterator[bytes]:
    for event in events:
        if event is None:
            return
        yield event  # type: ignore[misc]  # a segment cannot come before the end of the one before it


def _section(segment: MultipartSegment) -> Section:
    dispositions = [value for name, value in segment.headerlist if name == "Content-Disposition"]
    if len(dispositions) > 1 or len(NAME_PARAMETER.findall(QUOTED.sub('""', dispositions[0]))) > 1:
        raise Problem(Code.AMBIGUOUS_REQUEST, "A part is named twice; each part needs exactly one name.")
    if not segment.name:
        raise Problem(Code.MALFORMED_BODY, "A part has no name (RFC 7578 §4.2).")
    if len(segment.name) > limits.MAX_PART_NAME:
        raise Problem(Code.HEADERS_TOO_LARGE, f"A part's name is longer than {limits.MAX_PART_NAME} characters.")
    if segment.header("Content-Transfer-Encoding", "").strip().lower() not in IDENTITY_ENCODINGS:
        raise Problem(
            Code.MALFORMED_BODY,
            "A part has a Content-Transfer-Encoding; send its bytes as they are (RFC 7578 §4.7).",
        )
    return Section(segment.name, segment.filename, segment.content_type or "")


def _too_large(max_body: int) -> Problem:
    return Problem(Code.BODY_TOO_LARGE, f"The body is larger than the {max_body} bytes that are accepted.")
