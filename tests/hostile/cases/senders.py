"""What clients, proxies and hand-written senders put on the wire, as users of other servers reported it.

Behind each row stands where: a project and its issue.
"""

import gzip
from collections.abc import Callable

from .building import BOUNDARY, PUBLISHED, QUARANTINE, SCANS, TIFF, Case, body, chunked, head, metadata, request, whole
from .building import multipart_type as typed

Sections = list[bytes]
FILE = b'Content-Disposition: form-data; name="file"; filename="fax.tif"'
IMAGE = b"Content-Type: image/tiff"
FIELDS = b'Content-Disposition: form-data; name="metadata"; filename="metadata.json"'
JSON = b"Content-Type: application/json"
KIND = "Content-Type: multipart/form-data"
CUT_WORDS = (  # of one name, and in the middle of a letter
    b'filename="=?UTF-8?B?0J3QvtCy0YvQuSDRgtC10LrRgdGC0L7QstGL0Lkg0LTQvtC60YPQvNC10L3R?= =?UTF-8?B?gi50eHQ=?="'
)
MIXED = (
    b'Content-Disposition: form-data; name="file"\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\n'
    b'Content-Disposition: file; filename="fax.tif"\r\nContent-Type: image/tiff\r\n\r\n' + TIFF + b"\r\n--B--"
)


def _part(*lines: bytes, content: bytes = TIFF) -> bytes:
    return b"\r\n".join([*lines, b"", content])


def _document(*lines: bytes, content: bytes = TIFF, head: bytes = FILE) -> Callable[[Sections], bytes]:
    return lambda sound: body(_part(head, *lines, content=content), sound[1])


def _metadata(*lines: bytes, content: bytes | None = None) -> Callable[[Sections], bytes]:
    return lambda sound: body(
        sound[0], _part(FIELDS, *lines, content=sound[1].partition(b"\r\n\r\n")[2] if content is None else content)
    )


BODIES: dict[str, tuple[Callable[[Sections], bytes], int, str, str]] = {
    "no CR LF behind the closing boundary (many scripts)": (lambda sound: body(*sound, closing=b"--"), 200, "", ""),
    "no hyphens behind the last boundary (formidable #190)": (
        lambda sound: body(*sound, closing=b"\r\n"),
        400,
        "truncated-body",
        "--boundary--",
    ),
    "a section's own length and lower case (okhttp #2138)": (
        _document(IMAGE.lower(), b"Content-Length: %d" % len(TIFF), head=FILE.replace(b"Content-D", b"content-d")),
        200,
        "",
        "",
    ),
    "a section of several, in multipart/mixed (rest-client #5)": (
        lambda sound: body(MIXED, sound[1]),
        415,
        "part-type",
        "Content-Type must be image/tiff",
    ),
    "Indy's quoted-printable (SimpleRestClient #2)": (
        _metadata(JSON, b"Content-Transfer-Encoding: quoted-printable"),
        400,
        "malformed-body",
        "send its bytes as they are",
    ),
    "Indy's 8bit, and its charset in quotes (delphimvcframework #758)": (
        _metadata(b'Content-Type: text/plain; charset="utf-8"', b"Content-Transfer-Encoding: 8bit"),
        200,
        "",
        "",
    ),
    "an encoded file name, cut within a letter (Indy #174)": (
        _document(IMAGE, head=b'Content-Disposition: form-data; name="file"; ' + CUT_WORDS),
        200,
        "",
        "",
    ),
    "headers of mail: Content-ID, MIME-Version (JavaMail)": (
        _document(IMAGE, b"Content-ID: <1>", b"MIME-Version: 1.0", b"Content-Description: fax"),
        200,
        "",
        "",
    ),
    "a file field that nothing was chosen for (HTML, RFC 7578)": (
        _document(b"Content-Type: application/octet-stream", content=b"", head=FILE.replace(b"fax.tif", b"")),
        422,
        "part-empty",
        "The part has no content",
    ),
    "metadata in gzip (Content-Encoding in a section)": (
        _metadata(JSON, b"Content-Encoding: gzip", content=gzip.compress(metadata("1"), mtime=0)),
        422,
        "metadata-malformed",
        "it is packed; send it as it is",
    ),
    "metadata as JavaScript puts an object into a form": (
        _metadata(JSON, content=b"[object Object]"),
        422,
        "metadata-malformed",
        "a value is expected here",
    ),
    "a document as its base64": (_document(IMAGE, content=b"SUkqAAgAAAA="), 415, "part-content", "does not begin as"),
    "names in single quotes": (
        _document(IMAGE, head=FILE.replace(b'"', b"'")),
        422,
        "part-missing",
        "The document part is missing",
    ),
    "names with brackets (PHP, Rails)": (
        _document(IMAGE, head=FILE.replace(b"file", b"file[]", 1)),
        422,
        "part-missing",
        "no part of this name",
    ),
    "a semicolon at the end of Content-Disposition": (_document(IMAGE, head=FILE + b";"), 200, "", ""),
}
TYPES: dict[str, tuple[str, int, str, str]] = {
    "charset before the boundary (ModSecurity #480)": (f"; charset=utf-8; boundary={BOUNDARY}", 200, "", ""),
    "a semicolon at the end": (f"; boundary={BOUNDARY};", 200, "", ""),
    "a comma before the boundary (RFC 1867, hackney #437)": (
        f", boundary={BOUNDARY}",
        415,
        "not-multipart",
        "multipart/form-data; boundary=",
    ),
    "a boundary that the program did not know": (
        "; boundary=undefined",
        400,
        "malformed-body",
        "the boundary that the Content-Type names",
    ),
    "a boundary in single quotes": (
        f"; boundary='{BOUNDARY}'",
        400,
        "malformed-body",
        "the boundary that the Content-Type names",
    ),
    "a slash without quotes (js-compute-runtime #1492)": (
        "; boundary=----Monkey/a",
        400,
        "malformed-body",
        "quotes are missing",
    ),
}
LENGTHS: dict[str, tuple[bytes, str]] = {
    "chunked behind a control character (gunicorn #3364)": (
        b": \x0bchunked",
        "Transfer-Encoding may be chunked",
    ),
    "Transfer-Encoding and a no-break space (gunicorn #3091)": (b"\xa0: chunked", "name of a header is malformed"),
    "Transfer-Encoding: ,chunked (gunicorn #3087)": (b": ,chunked", "only transfer coding that is read is chunked"),
    "Transfer-Encoding: chunked, gzip (tinyproxy #616)": (b": chunked, gzip", "Transfer-Encoding may be chunked alone"),
    "Transfer-Encoding: identity (hertz #1490)": (b": identity", "Transfer-Encoding may be chunked alone"),
}


def cases() -> list[Case]:
    """Requests that are taken as their sender means them, or told what to change."""
    return [*_bodies(), *_types(), *_lengths(), *_requests()]


def _kept(status: int) -> str:
    return PUBLISHED if status == 200 else QUARANTINE if status in (415, 422) else "nothing"


def _bodies() -> list[Case]:
    return [
        Case(name, request(make(whole(f"s-{name}"))), status, code, _kept(status), says=says)
        for name, (make, status, code, says) in BODIES.items()
    ]


def _types() -> list[Case]:
    stars = body(*whole("s-stars"), boundary="*****")
    return [
        *(
            Case(
                name,
                request(body(*whole(f"s-{name}")), kind=f"{KIND}{kind}"),
                status,
                code,
                PUBLISHED if status == 200 else "nothing",
                says=says,
            )
            for name, (kind, status, code, says) in TYPES.items()
        ),
        Case("a boundary of stars (Android)", request(stars, kind=typed("*****")), 200, "", PUBLISHED),
    ]


def _lengths() -> list[Case]:
    sound = body(*whole("s-length"))
    usual = chunked(sound)
    alone = "Transfer-Encoding may be chunked alone"
    return [
        *(
            Case(name, usual.replace(b": chunked", changed, 1), 400, "malformed-request", says=says)
            for name, (changed, says) in LENGTHS.items()
        ),
        Case("chunked in HTTP/1.0 (fasthttp #2330)", _version(usual, b"1.0"), 400, "malformed-request", says=alone),
        Case(
            "a line feed in a chunk's extension (gunicorn #3327)",
            head(typed(), "Transfer-Encoding: chunked") + b"5;x\n\r\nhello\r\n0\r\n\r\n",
            400,
            "malformed-body",
            says="The chunked transfer coding is malformed",
        ),
        Case(
            "a chunk's size with zeros before it, and a trailer",
            head(typed(), "Transfer-Encoding: chunked")
            + b"000%X\r\n%b\r\n000\r\nX-Sum: a\r\n\r\n" % (len(sound), sound),
            200,
            "",
            PUBLISHED,
        ),
        Case(
            "Content-Length: 5, 5",
            head(typed(), "Content-Length: 5, 5") + b"hello",
            400,
            "malformed-request",
            says="Content-Length is not one number",
        ),
    ]


def _requests() -> list[Case]:
    def sent(source_id: str, *lines: str, path: str = SCANS) -> bytes:
        return request(body(*whole(source_id)), *lines, path=path)

    upgrade = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk")
    return [
        Case("an offer of HTTP/2 (Java's HttpClient)", sent("s-h2c", *upgrade), 200, "", PUBLISHED),
        Case(
            "HTTP/1.0 with Expect: 100-continue",
            _version(sent("s-10", "Expect: 100-continue"), b"1.0"),
            200,
            "",
            PUBLISHED,
        ),
        Case("HTTP/1.10 (gunicorn #2810)", _version(sent("s-110"), b"1.10"), 400, "malformed-request", says="version"),
        Case("Content-Encoding without a value", sent("s-coding", "Content-Encoding:"), 200, "", PUBLISHED),
        Case("Content_Length, as of a gateway", sent("s-underscore", "Content_Length: 5"), 200, "", PUBLISHED),
        Case(
            "a slash behind the process",
            sent("s-slash", path=f"{SCANS}/"),
            404,
            says="/api/nextstep/delivery/<process>",
        ),
    ]


def _version(raw: bytes, version: bytes) -> bytes:
    return raw.replace(b"HTTP/1.1", b"HTTP/" + version, 1)
