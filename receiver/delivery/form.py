"""The only reader of a request body: streaming multipart, section by section.

`delimited.py` splits what arrives, `heads.py` reads what each section says of itself. This module feeds them from the
socket, and turns what can go wrong there into a `Problem`. A body counts as read only if its closing boundary came
and, where the sender told a length, all of it arrived.
"""

from collections.abc import Iterator
from typing import Protocol

from receiver.core import limits
from receiver.core.delivery import Incoming
from receiver.core.problems import Code, Problem
from receiver.delivery import heads
from receiver.delivery.delimited import Delimited


class Stream(Protocol):
    """A body: `read` returns b"" only at its end. It may raise `Problem`."""

    def read(self, size: int, /) -> bytes: ...


def sections(stream: Stream, content_type: str, length: int | None, max_body: int) -> Iterator[Incoming]:
    """Return the sections of a multipart body in the order they arrive.

    `length` is the Content-Length in bytes, None for a chunked body. The content of a section is to be
    consumed before the next one is asked for; what was not consumed is skipped. Raises `Problem`, for what can be
    judged by the head at once.
    """
    boundary = heads.boundary(content_type)
    if length is not None and length > max_body:
        raise _too_large(max_body)
    return _sections(_chunks(stream, length, max_body), boundary)


def _sections(chunks: Iterator[bytes], boundary: str) -> Iterator[Incoming]:
    body = Delimited(chunks, boundary)
    body.skip_preamble()
    count = 0
    while not body.ends():
        count += 1
        if count > limits.MAX_PARTS:
            raise Problem(Code.TOO_MANY_PARTS, f"The body has more than {limits.MAX_PARTS} parts.")
        section, told = heads.section(body.head())
        content = body.content() if told is None else _of_length(body.content(), told)
        yield Incoming(section, content)
        _pass_over(content)
    _pass_over(chunks)  # an epilogue, and whether all of the body arrives


def _chunks(stream: Stream, length: int | None, max_body: int) -> Iterator[bytes]:
    """Yield the body as it arrives, and b"" when all of it has."""
    received = 0
    while received != length and (chunk := _read(stream, limits.READ_SIZE if length is None else length - received)):
        received += len(chunk)
        if received > max_body:
            raise _too_large(max_body)
        yield chunk
    if length is not None and received < length:
        raise Problem(Code.TRUNCATED_BODY, f"The body ended after {received} of {length} bytes.")
    yield b""


def _read(stream: Stream, left: int) -> bytes:
    """Return what comes next, of at most `left` bytes: some servers (PEP 3333) let a read go on into what follows."""
    try:
        return stream.read(min(limits.READ_SIZE, left))
    except Problem:
        raise
    except Exception:  # noqa: BLE001 (each server has its own for a sender that is gone or sends nonsense)
        raise Problem(Code.TRUNCATED_BODY, "The body could not be read to its end.") from None


def _of_length(content: Iterator[bytes], told: int) -> Iterator[bytes]:
    """Yield content that must be as long as its own Content-Length tells."""
    received = 0
    for piece in content:
        received += len(piece)
        if received > told:
            break
        yield piece
    if received != told:
        raise Problem(Code.MALFORMED_BODY, "A part is not as long as its own Content-Length tells.")


def _pass_over(content: Iterator[bytes]) -> None:
    for _ in content:
        pass


def _too_large(max_body: int) -> Problem:
    return Problem(Code.BODY_TOO_LARGE, f"The body is larger than the {max_body} bytes that are accepted.")
