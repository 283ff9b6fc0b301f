"""A captured raw request: its head taken apart, its body read as the service reads it."""

import http.client
import io
from collections.abc import Iterator
from pathlib import Path

from receiver.core.delivery import Section
from receiver.delivery import form


class NotARequest(ValueError):  # noqa: N818 (a state, told in words)
    """A file that does not begin as an HTTP request does."""


def sections(path: Path, max_body: int) -> Iterator[Section]:
    """Yield the sections of the request in a file. Raises `NotARequest`, and `Problem` as the service would."""
    stream = io.BytesIO(path.read_bytes())
    if not stream.readline().rstrip().endswith((b"HTTP/1.1", b"HTTP/1.0")):
        raise NotARequest(f"{path} does not begin with a request line such as POST /… HTTP/1.1")
    headers = http.client.parse_headers(stream)
    length = headers.get("Content-Length", "")
    return form.sections(stream, headers.get("Content-Type", ""), int(length) if length.isdecimal() else None, max_body)
