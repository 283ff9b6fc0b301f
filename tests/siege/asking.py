"""What all who take part in a siege send, and how an answer is read."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from tests.support.running import ROOT, TOKEN, multipart

REFERRALS = "/api/nextstep/delivery/referrals"
SCANS = "/api/nextstep/delivery/scans"
FAX = (ROOT / "mappings" / "referrals" / "samples" / "faxed-letter" / "file--123456789.tif").read_bytes()
FIELDS = {
    "patient_name": "Ada Example",
    "patient_dob": "02/20/1964",
    "date_of_encounter": "01/30/2018",
    "mrn": "142637A",
}


@dataclass(frozen=True)
class Answer:
    """One answer; status 0 is the end of the connection."""

    status: int
    body: bytes = b""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def delivery(source_id: str, content: bytes = FAX, path: str = REFERRALS, **changed: str) -> bytes:
    """Return a request that delivers a document."""
    named = FIELDS | changed if path == REFERRALS else {"mrn": "1"}
    fields = [{"name": name, "value": value, "confidence": 0.99} for name, value in named.items()]
    metadata = json.dumps({"sourceId": source_id, "fields": fields}).encode()
    return multipart(
        ("file", "scan.tif", "image/tiff", content),
        ("metadata", "metadata.json", "application/json", metadata),
        path=path,
    )


def head(length: int, path: str = REFERRALS, token: str = TOKEN, boundary: str = "b") -> bytes:
    """Return the head of a delivery."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: multipart/form-data; boundary={boundary}\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


async def answered(reader: asyncio.StreamReader) -> Answer:
    """Read one answer."""
    try:
        line, *headers = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        length = next((int(each[15:]) for each in headers if each.lower().startswith("content-length:")), 0)
        return Answer(int(line.split()[1]), await reader.readexactly(length))
    except (OSError, asyncio.IncompleteReadError):
        return Answer(0)


async def asked(port: int, raw: bytes) -> Answer:
    """Send a request on a connection of its own, and return the answer."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return Answer(0)
    try:
        writer.write(raw)
        return await answered(reader)
    finally:
        writer.close()
