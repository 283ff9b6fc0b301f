"""Requests byte by byte, with every byte open to change."""

import json
from dataclasses import dataclass
from typing import Any

TOKEN = "mF_9.B5f-4.1JqM"
SCANS = "/api/nextstep/delivery/scans"
FORMS = "/api/nextstep/delivery/forms"
KEPT = "/api/nextstep/delivery/kept"
BOMBS = "/api/nextstep/delivery/bombs"
BOUNDARY = "----testBoundary7MA4YWxk"

# Found again anywhere but in what is published or kept, each of these is a leak.
VALUE = "Wombat-value-4711"
FILE_NAME = "Quokka-file-2302.tif"
FIELD = "Numbat-field-8123"
SECTION = "Bilby-section-5519"
PROPERTY = "Dingo-property-6640"
HEADER = "Potoroo-header-9034"
WRONG_TOKEN = "Bettong-token-7718"
PLANTED = (VALUE, FILE_NAME, FIELD, SECTION, PROPERTY, HEADER, WRONG_TOKEN, TOKEN)

TIFF = b"II*\0" + bytes(range(256)) * 4

NOTHING = "nothing"
PUBLISHED = "published"
QUARANTINE = "quarantine"


@dataclass(frozen=True)
class Case:
    """One row: the bytes of a request, and what becomes of it."""

    input: str  # for people: the whole cell of the table
    raw: bytes
    status: int
    code: str = ""  # "" where the answer is a receipt, or no problem of ours
    kept: str = NOTHING
    half_close: bool = False  # the sender closes its side after the last byte
    answers: tuple[int, ...] = ()  # statuses of the answers that follow on the same connection
    says: str = ""  # words of the answer that lead its reader to the fault

    @property
    def asks(self) -> tuple[str, str]:
        """The method and the URL, as far as there are any."""
        method, _, rest = self.raw.partition(b"\r\n")[0].decode("latin-1").partition(" ")
        return method, rest.partition(" ")[0]


def metadata(source_id: str, remark: Any = VALUE, **fields: Any) -> bytes:
    """Return JSON metadata with one field, or more."""
    every = [{"name": name, "value": value} for name, value in {"remark": remark, **fields}.items()]
    return json.dumps({"sourceId": source_id, "fields": every}).encode()


def section(name: str, content: bytes, type_: str, filename: str | None = FILE_NAME, *extra: bytes) -> bytes:
    """Return one section without its delimiter."""
    file = f'; filename="{filename}"' if filename is not None else ""
    lines = [f'Content-Disposition: form-data; name="{name}"{file}'.encode(), f"Content-Type: {type_}".encode()]
    return b"\r\n".join([*lines, *extra, b"", content])


def file(content: bytes = TIFF, type_: str = "image/tiff", filename: str | None = FILE_NAME, *extra: bytes) -> bytes:
    """Return the document's section."""
    return section("file", content, type_, filename, *extra)


def json_part(content: bytes) -> bytes:
    """Return the metadata's section."""
    return section("metadata", content, "application/json", "metadata.json")


def whole(source_id: str) -> list[bytes]:
    """Return the sections of a sound delivery."""
    return [file(), json_part(metadata(source_id))]


def body(*sections: bytes, closing: bytes = b"--\r\n", boundary: str = BOUNDARY) -> bytes:
    """Return a body; `closing` is what stands behind the last delimiter."""
    delimiter = b"--" + boundary.encode()
    return b"".join(delimiter + b"\r\n" + each + b"\r\n" for each in sections) + delimiter + closing


def head(*lines: str, path: str = SCANS, token: str | None = TOKEN, method: str = "POST") -> bytes:
    """Return a request's head with these lines after the usual ones."""
    authorization = [f"Authorization: Bearer {token}"] if token is not None else []
    planted = [f"User-Agent: {HEADER}", f"X-{HEADER}: {HEADER}", f"Referer: http://x/{HEADER}", f"Cookie: a={HEADER}"]
    every = [f"{method} {path} HTTP/1.1", "Host: receiver.test", *authorization, *lines, *planted]
    return "".join(f"{line}\r\n" for line in every).encode("latin-1") + b"\r\n"


def multipart_type(boundary: str = BOUNDARY) -> str:
    """Return the header that names the boundary."""
    return f"Content-Type: multipart/form-data; boundary={boundary}"


def request(content: bytes, *lines: str, kind: str | None = None, **to: Any) -> bytes:
    """Return a request with a body of a known length."""
    return head(kind or multipart_type(), f"Content-Length: {len(content)}", *lines, **to) + content


def delivery(*sections: bytes, **to: Any) -> bytes:
    """Return a request with these sections."""
    return request(body(*sections), **to)


def chunked(*chunks: bytes, closing: bytes = b"0\r\n\r\n", **to: Any) -> bytes:
    """Return a request whose body comes in chunks."""
    coded = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return head(multipart_type(), "Transfer-Encoding: chunked", **to) + coded + closing
