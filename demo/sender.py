"""Delivers the files of one sample case over HTTP, as the platform would."""

import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

TYPES = {
    ".tif": "image/tiff",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".json": "application/json",
    ".xml": "application/xml",
}


@dataclass(frozen=True)
class Answer:
    """What the service said to one delivery."""

    target: str
    sections: tuple[tuple[str, str, str, int], ...]  # name, file name, media type, bytes
    status: int
    body: dict[str, Any]
    seconds: float


def sections(folder: Path) -> Iterator[tuple[str, str, str, bytes]]:
    """Yield name, file name, media type and content of each section, documents first.

    A sample is named `<part>.<suffix>`, or `<part>--<file name>` where the sender's file name matters.
    """
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        part, dashes, filename = path.name.partition("--")
        name = part if dashes else path.stem
        yield name, filename or path.name, TYPES[path.suffix], path.read_bytes()


def deliver(port: int, process: str, folder: Path, token: str) -> Answer:
    """Send one `multipart/form-data` request (RFC 7578) and return the answer."""
    boundary = f"----{secrets.token_hex(12)}"
    parts = list(sections(folder))
    target = f"/api/nextstep/delivery/{process}"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": f"multipart/form-data; boundary={boundary}"}
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    started = time.perf_counter()
    connection.request("POST", target, _body(parts, boundary), headers)
    response = connection.getresponse()
    body = json.loads(response.read())
    seconds = time.perf_counter() - started
    connection.close()
    shown = tuple((name, filename, kind, len(content)) for name, filename, kind, content in parts)
    return Answer(target, shown, response.status, body, seconds)


def _body(parts: list[tuple[str, str, str, bytes]], boundary: str) -> bytes:
    lines = []
    for name, filename, kind, content in parts:
        head = f'Content-Disposition: form-data; name="{name}"; filename="{filename}"\r\nContent-Type: {kind}'
        lines.append(f"--{boundary}\r\n{head}\r\n\r\n".encode() + content + b"\r\n")
    return b"".join(lines) + f"--{boundary}--\r\n".encode()
