"""The request before its body: line, headers, URL, token, expectation."""

import base64

from .building import (
    FORMS,
    HEADER,
    PUBLISHED,
    SCANS,
    TOKEN,
    WRONG_TOKEN,
    Case,
    body,
    delivery,
    head,
    multipart_type,
    request,
    whole,
)

LARGE = bytes(5_000_000)


def tokens() -> list[Case]:
    """Tokens."""
    sound = body(*whole("t"))
    basic = base64.b64encode(f"user:{TOKEN}".encode()).decode()

    def with_header(*values: str, source_id: str = "t") -> bytes:
        return request(body(*whole(source_id)), *(f"Authorization: {value}" for value in values), token=None)

    refused = [
        ("no token", with_header()),
        ("a wrong token", with_header(f"Bearer {WRONG_TOKEN}")),
        ("the token without its last character", with_header(f"Bearer {TOKEN[:-1]}")),
        ("the token and one character", with_header(f"Bearer {TOKEN}x")),
        ("the token in other case", with_header(f"Bearer {TOKEN.swapcase()}")),
        ("the token, then more words", with_header(f"Bearer {TOKEN} and more")),
        ("the token, then a comma", with_header(f"Bearer {TOKEN}, Bearer {TOKEN}")),
        ("the token in quotes", with_header(f'Bearer "{TOKEN}"')),
        ("an empty token", with_header("Bearer ")),
        ("no scheme", with_header(TOKEN)),
        ("Basic with the token as password", with_header(f"Basic {basic}")),
        ("Digest", with_header(f'Digest username="{TOKEN}"')),
        ("two Authorization headers, both right", with_header(*[f"Bearer {TOKEN}"] * 2)),
        ("two Authorization headers, one right", with_header(f"Bearer {WRONG_TOKEN}", f"Bearer {TOKEN}")),
        ("a token of 8,000 characters", with_header("Bearer " + "x" * 8000)),
        ("a token with letters beyond ASCII", with_header("Bearer tök\xe9n")),
        ("the token in the URL", request(sound, path=f"{SCANS}?access_token={TOKEN}", token=None)),
        ("the token as a cookie", request(sound, f"Cookie: token={TOKEN}", token=None)),
    ]
    accepted = [
        ("bearer in lower case", with_header(f"bearer {TOKEN}", source_id="t-lower")),
        ("two spaces before the token", with_header(f"Bearer  {TOKEN}", source_id="t-spaces")),
    ]
    return [
        *(Case(input_, raw, 401, "token-refused") for input_, raw in refused),
        *(Case(input_, raw, 200, "", PUBLISHED) for input_, raw in accepted),
        Case("a token with a control character", with_header("Bearer a\x01b"), 400, "malformed-request"),
    ]


def early() -> list[Case]:
    """Refused before the body is read."""
    length = f"Content-Length: {len(LARGE)}"
    expect = "Expect: 100-continue"
    return [
        Case(
            "wrong token, and a body of 5 MB",
            head(multipart_type(), length, token=WRONG_TOKEN) + LARGE,
            401,
            "token-refused",
        ),
        Case(
            "no such process, and a body of 5 MB",
            head(multipart_type(), length, path=SCANS + "x") + LARGE,
            404,
            "no-such-process",
        ),
        Case(
            "not multipart, and a body of 5 MB", head("Content-Type: image/tiff", length) + LARGE, 415, "not-multipart"
        ),
        Case(
            "a body over the limit, and 5 MB of it",
            head(multipart_type(), "Content-Length: 99999999999") + LARGE,
            413,
            "body-too-large",
        ),
        Case(
            "Expect: 100-continue with a wrong token",
            head(multipart_type(), length, expect, token=WRONG_TOKEN),
            401,
            "token-refused",
        ),
        Case(
            "Expect: 100-continue, not multipart",
            head("Content-Type: image/tiff", length, expect),
            415,
            "not-multipart",
        ),
        Case(
            "Expect: 100-continue over the limit",
            head(multipart_type(), "Content-Length: 99999999999", expect),
            413,
            "body-too-large",
        ),
        Case("Expect: 100-continue, body sent at once", request(body(*whole("e-100")), expect), 200, "", PUBLISHED),
        Case(
            "Expect: 100-Continue in other case",
            request(body(*whole("e-case")), "Expect: 100-CONTINUE"),
            200,
            "",
            PUBLISHED,
        ),
        Case("Expect: 100-continue twice", request(body(*whole("e-twice")), expect, expect), 200, "", PUBLISHED),
        Case(
            "Expect: 100-continue and another",
            request(body(*whole("e")), "Expect: 100-continue, money"),
            417,
            "expectation-failed",
        ),
        Case("another expectation", request(body(*whole("e")), "Expect: money"), 417, "expectation-failed"),
        Case(
            "wrong token, then a second delivery",
            request(body(*whole("e")), token=WRONG_TOKEN) + delivery(*whole("e")),
            401,
            "token-refused",
        ),
    ]


def lines() -> list[Case]:
    """Request line and headers."""
    sound = body(*whole("l"))
    host = "Host: receiver.test"
    get = "GET /healthz HTTP/1.1\r\n"

    def health(*headers: str, line: str = get) -> bytes:
        return (line + "".join(f"{each}\r\n" for each in headers) + "\r\n").encode("latin-1")

    return [
        Case("not HTTP", b"\x16\x03\x01\x02\0\r\n\r\n", 400, "malformed-request"),
        Case("HTTP/0.9", health(line="GET /healthz\r\n"), 400, "malformed-request"),
        Case("HTTP/2.0", health(host, line="GET /healthz HTTP/2.0\r\n"), 400, "malformed-request"),
        Case("HTTP/1.0", health("Connection: close", line="GET /healthz HTTP/1.0\r\n"), 200),
        Case("lines that end with LF", b"GET /healthz HTTP/1.1\nHost: x\n\n", 400, "malformed-request"),
        Case("a method in lower case", health(host, line="post / HTTP/1.1\r\n"), 400, "malformed-request"),
        Case("an odd method", health(host, line="BREW /healthz HTTP/1.1\r\n"), 405),
        Case("TRACE", health(host, line=f"TRACE {SCANS} HTTP/1.1\r\n"), 405),
        Case(
            "a request line of 3,000 bytes", health(host, line=f"GET /{'x' * 3000} HTTP/1.1\r\n"), 414, "url-too-long"
        ),
        Case("a space in the URL", health(host, line="GET /a b HTTP/1.1\r\n"), 400, "malformed-request"),
        Case("a URL with letters beyond ASCII", health(host, line="GET /\xe9 HTTP/1.1\r\n"), 400, "malformed-request"),
        Case("dots in the URL", request(sound, path="/api/nextstep/delivery/../../../etc/passwd"), 404),
        Case("encoded dots in the URL", request(sound, path=f"{SCANS}/%2e%2e/%2e%2e/forms"), 404),
        Case("an encoded slash in the process", request(sound, path="/api/nextstep/delivery/..%2fscans"), 404),
        Case("an encoded NUL in the process", request(sound, path=f"{SCANS}%00"), 404, "no-such-process"),
        Case(
            "a query behind the URL", request(body(*whole("l-query")), path=f"{SCANS}?a={HEADER}"), 200, "", PUBLISHED
        ),
        Case(
            "an absolute URL", request(body(*whole("l-abs")), path=f"http://receiver.test{SCANS}"), 200, "", PUBLISHED
        ),
        Case("a GET of the delivery URL", request(sound, method="GET"), 405),
        Case("a PUT of the delivery URL", request(sound, method="PUT"), 405),
        Case("no Host", health("X: y"), 400, "malformed-request"),
        Case("two Hosts", health(host, host), 400, "malformed-request"),
        Case(
            "a Host that is none",
            request(body(*whole("l-host")), "X: y").replace(b"receiver.test", b'<x>"/@:99999'),
            400,
            "malformed-request",
        ),
        Case("two Content-Types", request(sound, multipart_type()), 400, "malformed-request"),
        Case("a header without a colon", health(host, "nothing"), 400, "malformed-request"),
        Case("a space before the colon", health(host, "Content-Length : 5"), 400, "malformed-request"),
        Case("a folded header", health(host, "X: a", " b"), 400, "malformed-request"),
        Case("a header with a NUL", health(host, "X: a\0b"), 400, "malformed-request"),
        Case("a header with a bare CR", health(host, "X: a\rb"), 400, "malformed-request"),
        Case("a header of 10,000 bytes", health(host, "X: " + "x" * 10_000), 431, "headers-too-large"),
        Case("200 headers", health(host, *["X: y"] * 200), 431, "headers-too-large"),
        Case("2,000 headers", health(host, *["X: y"] * 2000), 431, "headers-too-large"),
        Case("headers of 100,000 bytes", health(host, *["X: " + "x" * 8000] * 12), 431, "headers-too-large"),
        Case(
            "a header line of 70,000 bytes without an end",
            b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000,
            431,
            "headers-too-large",
        ),
        Case(
            "cut off in the headers",
            b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: ",
            400,
            "malformed-request",
            half_close=True,
        ),
        Case("an empty line first", b"\r\n" + health(host), 200),
        Case(
            "another process's URL with its own parts",
            delivery(*whole("l"), path=FORMS),
            415,
            "part-type",
            "quarantine",
        ),
    ]
