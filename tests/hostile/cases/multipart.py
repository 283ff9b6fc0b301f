"""The body: multipart/form-data, and how its length is told."""

from .building import (
    BOUNDARY,
    FILE_NAME,
    FORMS,
    PUBLISHED,
    QUARANTINE,
    SECTION,
    TIFF,
    Case,
    body,
    chunked,
    delivery,
    file,
    head,
    json_part,
    metadata,
    multipart_type,
    request,
    section,
    whole,
)

DISPOSITION = b'Content-Disposition: form-data; name="file"; filename="' + FILE_NAME.encode() + b'"\r\n'
TYPED = b"Content-Type: image/tiff\r\n"
ODD = "x'()+_,./:=?x"
AMBIGUOUS_TYPES = [  # Content-Type, the body's boundary, code
    ("multipart/form-data; boundary=B, boundary=C", "B", "ambiguous-request"),
    ("multipart/form-data; boundary=B; boundary*=utf-8''C", "B", "ambiguous-request"),
    ("multipart/form-data; boundary*0=B", "B", "ambiguous-request"),
    ('multipart/form-data; boundary="B"tail', "B", "ambiguous-request"),
    ("multipart/form-data; boundary=B\xa0", "B", "malformed-body"),
    ('multipart/form-data; boundary="B', "B", "malformed-body"),
    ("multipart/form-data; boundary =B", "B", "malformed-body"),
]
AMBIGUOUS_NAMES = [  # parameters of a Content-Disposition
    b"name=\"file\"; name*=UTF-8''other",
    b'name="file"; name*0=other',
    b"name*=UTF-8''file",
    b'name="file", name="other"',
    b'name="file" name="other"',
    b'name=file, other; x="y"',
    b'name="file"; x=1; X=2',
]
UNTOLD = {
    "without a type": section("file", TIFF, ""),
    "as application/octet-stream": section("file", TIFF, "application/octet-stream", "fax"),
    "as binary/octet-stream": section("file", TIFF, "binary/octet-stream", None),
    "as application/octet-stream, text by its name": section("file", b"a text", "application/octet-stream", "a.TXT"),
    "as image/tif": section("file", TIFF, "image/tif"),
    "as IMAGE/X-TIFF": section("file", TIFF, "IMAGE/X-TIFF; x=y"),
    "as application/x-pdf": section("file", b"%PDF-1.4\n", "application/x-pdf"),
}
FORM_FIELDS = {  # type and file name
    "as a form field": ("", None),
    "as text/plain": ("text/plain; charset=utf-8", None),
    "as application/octet-stream": ("application/octet-stream", "blob"),
    "as text/json": ("text/json", "metadata"),
    "as APPLICATION/JSON with parameters": ('Application/JSON; charset="utf-8"; odata=x', "metadata"),
}
QUOTES = b'Content-Disposition: form-data; name="p"; x=' + b'"\\' * 8_000 + b"\r\n\r\n"  # a quadratic regex took 1.7 s


def told(length: int | str, content: bytes) -> bytes:
    return head(multipart_type(), f"Content-Length: {length}") + content


def first(raw_section: bytes, source_id: str) -> bytes:
    """A delivery whose document is this section, and whose metadata is sound."""
    return delivery(raw_section, json_part(metadata(source_id)))


def typed(content_type: str, source_id: str, boundary: str = BOUNDARY) -> bytes:
    return request(body(*whole(source_id), boundary=boundary), kind=f"Content-Type: {content_type}")


def framing() -> list[Case]:
    """How the end of the body is found."""
    sound = body(*whole("framing"))
    one, other = body(*whole("pipelined-1")), body(*whole("pipelined-2"))
    cl = f"Content-Length: {len(sound)}"
    te = "Transfer-Encoding: chunked"
    return [
        Case("no closing boundary", request(body(*whole("c"), closing=b"\r\n")), 400, "truncated-body"),
        Case("cut in the middle of a part", request(sound[:300]), 400, "truncated-body"),
        Case("an empty body", request(b""), 400, "truncated-body"),
        Case("nothing but the closing boundary", request(body()), 422, "part-missing", QUARANTINE),
        Case(
            "Content-Length too long, then half-closed",
            told(len(sound) + 9, sound),
            400,
            "truncated-body",
            half_close=True,
        ),
        Case(
            "the sender hangs up in the middle", told(len(sound), sound[:200]), 400, "truncated-body", half_close=True
        ),
        Case("Content-Length too short", told(len(sound) - 20, sound), 400, "truncated-body", half_close=True),
        Case("Content-Length negative", told(-1, sound), 400, "malformed-request"),
        Case("Content-Length with a sign", told(f"+{len(sound)}", sound), 400, "malformed-request"),
        Case("Content-Length hexadecimal", told(hex(len(sound)), sound), 400, "malformed-request"),
        Case("Content-Length in digits of another script", told("\xb2", sound), 400, "malformed-request"),
        Case("Content-Length twice, the same", head(multipart_type(), cl, cl) + sound, 400, "malformed-request"),
        Case(
            "Content-Length twice, different",
            head(multipart_type(), cl, "Content-Length: 5") + sound,
            400,
            "malformed-request",
        ),
        Case("Content-Length with Transfer-Encoding", head(multipart_type(), cl, te) + sound, 400, "malformed-request"),
        Case("Content-Length over the limit", told(10**12, b""), 413, "body-too-large"),
        Case("Content-Length of 31 digits", told(10**30, b""), 413, "body-too-large"),
        Case("Content-Length of 5,000 digits", told("9" * 5000, b""), 400, "malformed-request"),
        Case(
            "neither Content-Length nor chunks", head(multipart_type()) + sound, 400, "truncated-body", answers=(400,)
        ),
        Case("chunked", chunked(sound), 200, "", PUBLISHED),
        Case("chunked, byte by byte", chunked(*(bytes([byte]) for byte in body(*whole("bytes")))), 200, "", PUBLISHED),
        Case("chunked, cut off", chunked(sound[:100], closing=b"5\r\nab"), 400, "truncated-body", half_close=True),
        Case("chunked, no last chunk", chunked(sound, closing=b""), 400, "truncated-body", half_close=True),
        Case("chunked, a size that is no number", chunked(sound[:100], closing=b"xyz\r\n"), 400, "malformed-body"),
        Case("chunked, a negative size", chunked(sound[:100], closing=b"-5\r\n"), 400, "malformed-body"),
        Case("chunked, an endless size", chunked(sound[:100], closing=b"f" * 9000), 400, "malformed-body"),
        Case(
            "chunked, more than the chunk's size", chunked(closing=b"5\r\nabcdefgh\r\n0\r\n\r\n"), 400, "malformed-body"
        ),
        Case("chunked, lines end with LF", chunked(closing=b"5\nabcde\n0\n\n"), 400, "truncated-body", half_close=True),
        Case(
            "chunked, with extensions",
            head(multipart_type(), te) + b"%x;a=b\r\n%b\r\n0\r\n\r\n" % (len(one), one),
            200,
            "",
            PUBLISHED,
        ),
        Case(
            "chunked, with a forbidden trailer",
            chunked(sound, closing=b"0\r\nAuthorization: x\r\n\r\n"),
            400,
            "malformed-body",
        ),
        Case("chunked twice", head(multipart_type(), f"{te}, chunked") + sound, 400, "malformed-request"),
        Case(
            "an unknown transfer coding",
            head(multipart_type(), "Transfer-Encoding: br") + sound,
            400,
            "malformed-request",
        ),
        Case(
            "compressed", head(multipart_type(), "Transfer-Encoding: gzip, chunked") + sound, 400, "malformed-request"
        ),
        Case("Content-Encoding: gzip", request(sound, "Content-Encoding: gzip"), 415, "not-multipart"),
        Case(
            "two deliveries at once on one connection",
            request(other) + request(other),
            200,
            "",
            PUBLISHED,
            answers=(200,),
        ),
        Case(
            "a delivery, then garbage",
            request(body(*whole("then"))) + b"\0\xff\r\n\r\n",
            200,
            "",
            PUBLISHED,
            answers=(400,),
        ),
    ]


def boundaries() -> list[Case]:
    """The boundary."""
    kind = "multipart/form-data; boundary="
    return [
        Case("not multipart", typed("application/json", "b"), 415, "not-multipart"),
        Case("no Content-Type", request(body(*whole("b")), kind="X-Nothing: x"), 415, "not-multipart"),
        Case("multipart/mixed", typed("multipart/mixed; boundary=x", "b"), 415, "not-multipart"),
        Case("boundary missing", typed("multipart/form-data", "b"), 400, "malformed-body"),
        Case("boundary empty", typed(kind, "b"), 400, "malformed-body"),
        Case("another boundary than the body's", typed(f"{kind}other", "b"), 400, "malformed-body"),
        Case("boundary of 71 characters", typed(kind + "x" * 71, "b", "x" * 71), 400, "malformed-body"),
        Case("boundary of 70 characters", typed(kind + "x" * 70, "b-70", "x" * 70), 200, "", PUBLISHED),
        Case("boundary quoted, with odd characters", typed(f'{kind}"{ODD}"', "b-odd", ODD), 200, "", PUBLISHED),
        Case("boundary with characters that none may have", typed(f'{kind}"a<b>"', "b", "a<b>"), 400, "malformed-body"),
        *(
            Case(f"`{content_type}`", typed(content_type, "b", boundary), 400, code)
            for content_type, boundary, code in AMBIGUOUS_TYPES
        ),
        Case("a boundary without the quotes that it needs", typed(f"{kind}----=_Part_5_7", "b"), 400, "malformed-body"),
        Case(
            "a tab before the boundary",
            typed(f"multipart/form-data;\t boundary={BOUNDARY}\t;", "b-tab"),
            200,
            "",
            PUBLISHED,
        ),
        Case(
            "blanks behind each boundary (RFC 2046's transport padding)",
            request(body(*whole("b-padding")).replace(b"xk\r\n", b"xk \t\r\n")),
            200,
            "",
            PUBLISHED,
        ),
        Case("boundary named twice", typed(f"{kind}{BOUNDARY}; boundary=b", "b"), 400, "ambiguous-request"),
        Case("preamble and epilogue", request(b"before\r\n" + body(*whole("b-pre")) + b"after"), 200, "", PUBLISHED),
        Case("bytes right before the first boundary", request(b"x" + body(*whole("b"))), 400, "malformed-body"),
        Case(
            "a boundary with a tail",
            request(body(*whole("b")).replace(b"xk\r\n", b"xkx\r\n", 1)),
            400,
            "malformed-body",
        ),
        Case("bare LF throughout", request(body(*whole("b")).replace(b"\r\n", b"\n")), 400, "malformed-body"),
        Case("bare CR throughout", request(body(*whole("b")).replace(b"\r\n", b"\r")), 400, "malformed-body"),
    ]


def heads() -> list[Case]:
    """The head of a part."""
    return [
        Case("no Content-Disposition", first(TYPED + b"\r\n" + TIFF, "h"), 400, "malformed-body"),
        Case("no header at all", first(b"\r\n" + TIFF, "h"), 400, "malformed-body"),
        Case(
            "Content-Disposition: attachment",
            first(DISPOSITION.replace(b"form-data", b"attachment") + b"\r\n", "h"),
            400,
            "malformed-body",
        ),
        *(
            Case(
                f"`{disposition.decode()}`",
                first(b"Content-Disposition: form-data; " + disposition + b"\r\n" + TYPED + b"\r\n" + TIFF, "h"),
                400,
                "ambiguous-request",
            )
            for disposition in AMBIGUOUS_NAMES
        ),
        Case("a part's header of 8,000 quotes and backslashes", delivery(QUOTES), 400, "malformed-body"),
        Case(
            "a blank before a header's colon",
            first(b'Content-Disposition : form-data; name="file"\r\n' + TYPED + b"\r\n" + TIFF, "h"),
            400,
            "malformed-body",
        ),
        Case(
            "a tab before a parameter",
            first(b'Content-Disposition: form-data;\tname="file"\r\n' + TYPED + b"\r\n" + TIFF, "h-tab"),
            200,
            "",
            PUBLISHED,
        ),
        Case(
            "headers whose names hold `.`, `!` and `~`",
            first(DISPOSITION + b"X.y: a\r\nX!: b\r\n~: c\r\n" + TYPED + b"\r\n" + TIFF, "h-token"),
            200,
            "",
            PUBLISHED,
        ),
        Case(
            "two Content-Dispositions", first(DISPOSITION * 2 + TYPED + b"\r\n" + TIFF, "h"), 400, "ambiguous-request"
        ),
        Case(
            "two names",
            first(DISPOSITION.replace(b"; f", b'; name="' + SECTION.encode() + b'"; f') + TYPED + b"\r\n" + TIFF, "h"),
            400,
            "ambiguous-request",
        ),
        Case("two Content-Types", first(DISPOSITION + TYPED * 2 + b"\r\n" + TIFF, "h"), 400, "ambiguous-request"),
        Case(
            "no name",
            first(DISPOSITION.replace(b' name="file";', b"") + TYPED + b"\r\n" + TIFF, "h"),
            400,
            "malformed-body",
        ),
        Case("an empty name", first(section("", TIFF, "image/tiff"), "h"), 400, "malformed-body"),
        Case("a name of 201 characters", first(section("n" * 201, TIFF, "image/tiff"), "h"), 431, "headers-too-large"),
        Case(
            "a name that is not UTF-8",
            first(DISPOSITION.replace(b'file"', b'\xff"') + b"\r\n", "h"),
            400,
            "malformed-body",
        ),
        Case("a name with a NUL", first(section("fi\0le", TIFF, "image/tiff"), "h"), 400, "malformed-body"),
        Case("a name with a line feed", first(section("fi\nle", TIFF, "image/tiff"), "h"), 400, "malformed-body"),
        Case("a header without a colon", first(DISPOSITION + b"nothing\r\n\r\n" + TIFF, "h"), 400, "malformed-body"),
        Case("a header with an odd name", first(DISPOSITION + b"a b: c\r\n\r\n" + TIFF, "h"), 400, "malformed-body"),
        Case(
            "a header over two lines",
            first(DISPOSITION + b"X: a\r\n b\r\n" + TYPED + b"\r\n" + TIFF, "h-fold"),
            200,
            "",
            PUBLISHED,
        ),
        Case(
            "a header of 100 KB",
            first(DISPOSITION + b"X: " + b"x" * 100_000 + b"\r\n\r\n", "h"),
            431,
            "headers-too-large",
        ),
        Case("2,000 headers", first(DISPOSITION + b"X: y\r\n" * 2000 + b"\r\n", "h"), 431, "headers-too-large"),
        Case(
            "base64",
            first(file(TIFF, "image/tiff", "a.tif", b"Content-Transfer-Encoding: base64"), "h"),
            400,
            "malformed-body",
        ),
        Case(
            "Content-Transfer-Encoding: binary",
            first(file(TIFF, "image/tiff", "a.tif", b"Content-Transfer-Encoding: binary"), "h-bin"),
            200,
            "",
            PUBLISHED,
        ),
        Case(
            "a part's Content-Length that is wrong",
            first(file(TIFF, "image/tiff", "a.tif", b"Content-Length: 5"), "h"),
            400,
            "malformed-body",
        ),
    ]


def parts() -> list[Case]:
    """Which parts there are."""
    sound = json_part(metadata("p"))
    page = section("page_1", TIFF, "image/tiff")
    surprise = section(SECTION, b"x", "text/plain")
    return [
        Case("the document is missing", delivery(sound), 422, "part-missing", QUARANTINE),
        Case("the metadata is missing", delivery(file()), 422, "part-missing", QUARANTINE),
        Case("the same section twice", delivery(file(), file(), sound), 422, "part-repeated", QUARANTINE),
        Case("the metadata twice", delivery(file(), sound, sound), 422, "part-repeated", QUARANTINE),
        Case(
            "a section that nobody expects",
            delivery(file(), sound, section(SECTION, b"x", "text/plain")),
            422,
            "part-unknown",
            QUARANTINE,
        ),
        Case("a section of another type", delivery(file(TIFF, "image/gif"), sound), 415, "part-type", QUARANTINE),
        *(
            Case(f"a document {what}", delivery(document, json_part(metadata(f"p-{what}"))), 200, "", PUBLISHED)
            for what, document in UNTOLD.items()
        ),
        *(
            Case(
                f"metadata {what}",
                delivery(file(), section("metadata", metadata(f"p-m-{what}"), *head)),
                200,
                "",
                PUBLISHED,
            )
            for what, head in FORM_FIELDS.items()
        ),
        Case(
            "a document of no type that nothing tells",
            delivery(section("file", b"something", "", "fax"), sound),
            415,
            "part-type",
            QUARANTINE,
        ),
        Case(
            "a document of no type that is not what its name says",
            delivery(section("file", b"something", "", "fax.tif"), sound),
            415,
            "part-content",
            QUARANTINE,
        ),
        Case(
            "a document of the type text/html that is a TIFF",
            delivery(section("file", TIFF, "text/html"), sound),
            415,
            "part-type",
            QUARANTINE,
        ),
        Case("a section larger than allowed", delivery(file(TIFF + bytes(10**6)), sound), 413, "part-too-large"),
        Case(
            "a section as large as allowed",
            delivery(file(TIFF + bytes(10**6 - len(TIFF))), json_part(metadata("p-1mb"))),
            200,
            "",
            PUBLISHED,
        ),
        Case(
            "all of these at once",
            delivery(file(b"", "image/gif"), file(), page, section(SECTION, b"", "")),
            415,
            "part-type",
            QUARANTINE,
        ),
        Case("1,001 sections", delivery(*[surprise] * 1001, path=FORMS), 413, "too-many-parts"),
        Case("200 sections that nobody expects", delivery(*[surprise] * 200), 413, "too-many-parts"),
        Case("the same section 200 times", delivery(*[file()] * 200), 413, "too-many-parts"),
    ]
