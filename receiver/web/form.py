"""The only reader of a request body: streaming multipart, section by section.

The push parser of `multipart` does the splitting. This module feeds it from the socket, and turns everything that
can be wrong with a body into a `Problem`. A body counts as read only if its closing boundary came and, where
the sender told a length, all of it arrived.
"""

from collections.abc import Iterator
from typing import Any, Protocol, TypeAlias

from gunicorn.http.errors import NoMoreData, ParseException
from multipart import MultipartError, MultipartSegment, ParserLimitReached

from receiver import limits
from receiver.delivery import Incoming
from receiver.problems import Code, Problem
from receiver.web import heads
from receiver.web.pace import ServiceEnds

Event: TypeAlias = Any  # a `MultipartSegment` begins, bytes go on, None ends


class Stream(Protocol):
    """A body: `read` returns b"" only at its end."""

    def read(self, size: int, /) -> bytes: ...


def sections(stream: Stream, content_type: str, length: int | None, max_body: int) -> Iterator[Incoming]:
    """Yield the sections of a multipart body in the order they arrive.

    `length` is the Content-Length in bytes, None for a chunked body. The content of a section is to be
    consumed before the next one is asked for; what was not consumed is skipped. Raises `Problem`.
    """
    parser = heads.Parser(content_type)
    if length is not None and length > max_body:
        raise _too_large(max_body)
    events = _events(parser, _chunks(stream, length, max_body))
    for event in events:
        if isinstance(event, MultipartSegment):
            content = _content(events)
            yield Incoming(heads.section(event), content)
            for _ in content:
                pass


def _chunks(stream: Stream, length: int | None, max_body: int) -> Iterator[bytes]:
    """Yield the body as it arrives, and b"" when all of it has."""
    received = 0
    while received != length and (chunk := _read(stream)):
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
    except ServiceEnds:
        raise Problem(Code.SHUTTING_DOWN, "The service stops, and the body has not arrived yet.") from None
    except TimeoutError:
        raise Problem(Code.TOO_SLOW, "The body did not arrive in time.") from None
    except (NoMoreData, ConnectionError):
        raise Problem(Code.TRUNCATED_BODY, "The connection ended before the body did.") from None
    except ParseException:
        raise Problem(Code.MALFORMED_BODY, "The chunked transfer coding is malformed (RFC 9112 §7.1).") from None


def _events(parser: heads.Parser, chunks: Iterator[bytes]) -> Iterator[Event]:
    try:
        for chunk in chunks:
            yield from parser.parse(chunk)
    except ParserLimitReached as error:
        raise heads.over_limit(error) from None
    except MultipartError:
        if not chunk:
            raise Problem(Code.TRUNCATED_BODY, "The body ended before its closing boundary.") from None
        raise Problem(Code.MALFORMED_BODY, "A boundary or a part's header is malformed (RFC 7578 §4).") from None


def _content(events: Iterator[Event]) -> Iterator[bytes]:
    for event in events:
        if event is None:
            return
        yield event  # a segment cannot come before the end of the one before it


def _too_large(max_body: int) -> Problem:
    return Problem(Code.BODY_TOO_LARGE, f"The body is larger than the {max_body} bytes that are accepted.")
