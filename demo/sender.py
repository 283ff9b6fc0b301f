"""Delivers the files of one sample case over HTTP, as the platform would."""

import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from receiver.authoring.cases.cases import Named, named


@dataclass(frozen=True)
class Answer:
    """What the service said to one delivery."""

    status: int
    body: dict[str, Any]
    seconds: float


def target(process: str) -> str:
    """Return the path that a process's deliveries go to."""
    return f"/api/nextstep/delivery/{process}"


def parts(sample: Path) -> list[Named]:
    """Return the files of a sample case with the parts they are sent as."""
    return [named(str(path)) for path in sorted(sample.iterdir()) if path.is_file()]


def deliver(port: int, process: str, parts: Sequence[Named], token: str) -> Answer:
    """Send one `multipart/form-data` request (RFC 7578) and return the answer."""
    boundary = f"----{secrets.token_hex(12)}"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": f"multipart/form-data; boundary={boundary}"}
    body = b"".join(_section(part, boundary) for part in parts) + f"--{boundary}--\r\n".encode()
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        started = time.perf_counter()
        connection.request("POST", target(process), body, headers)
        response = connection.getresponse()
        return Answer(response.status, json.loads(response.read()), time.perf_counter() - started)
    finally:
        connection.close()


def _section(part: Named, boundary: str) -> bytes:
    head = part.section
    lines = (
        f"--{boundary}",
        f'Content-Disposition: form-data; name="{head.name}"; filename="{head.filename}"',
        f"Content-Type: {head.type}",
        "",
        "",
    )
    return "\r\n".join(lines).encode() + part.path.read_bytes() + b"\r\n"
