"""What .NET's MultipartFormDataContent puts on the wire, byte for byte as its sources write it.

Names come without quotes where they are tokens; Add(content, name, fileName) writes `filename` and `filename*`, and a
name beyond ASCII as an encoded word. The boundary is a GUID in quotes. StreamContent and ByteArrayContent have no
type; StringContent has text/plain, and its Content-Type comes first (dotnet/runtime, System.Net.Http;
restsharp #1828).
"""

from .building import FILE_NAME, PUBLISHED, TIFF, Case, body, head, metadata

GUID = "6d35f9f5-d1a8-4fd3-93ac-6e7f0c2b0a11"
KIND = f'Content-Type: multipart/form-data; boundary="{GUID}"'
TYPE = b"Content-Type: %b\r\n"
PLAIN = b"Content-Disposition: form-data; name=file; filename=%b; filename*=utf-8''%b\r\n"
STREAM = PLAIN % (FILE_NAME.encode(), FILE_NAME.encode())
BEYOND_ASCII = PLAIN % (b'"=?utf-8?B?w5xiZXJ3ZWlzdW5nLnRpZg==?="', b"%C3%9Cberweisung.tif")
QUOTED = b'Content-Disposition: form-data; name="file"; filename="fax 1.tif"; filename*=utf-8\'\'fax%201.tif\r\n'
FIELD = b"Content-Disposition: form-data; name=metadata\r\n"
STRING = TYPE % b"text/plain; charset=utf-8" + FIELD
JSON = TYPE % b"application/json; charset=utf-8" + FIELD

SENT = {  # what the program does → heads of document and metadata
    "StreamContent and StringContent": (STREAM, STRING),
    "ByteArrayContent without a file name": (b"Content-Disposition: form-data; name=file\r\n", STRING),
    "StreamContent with a type, JsonContent": (STREAM + TYPE % b"image/tiff", JSON),
    "StreamContent with a type set before": (TYPE % b"image/tiff" + STREAM, JSON),
    "a file name beyond ASCII": (BEYOND_ASCII, STRING),
    "names with quotes written by hand": (QUOTED, STRING.replace(b"name=metadata", b'name="metadata"')),
    "StreamContent as application/octet-stream": (STREAM + TYPE % b"application/octet-stream", JSON),
}


def cases() -> list[Case]:
    """Requests of HttpClient."""

    def sent(what: str, source_id: str) -> bytes:
        document, fields = SENT[what]
        sections = (document + b"\r\n" + TIFF, fields + b"\r\n" + metadata(source_id))
        return body(*sections, boundary=GUID)

    usual = "StreamContent and StringContent"
    late, chunked = sent(usual, "net-late"), sent(usual, "net-chunked")
    return [
        *(
            Case(
                what,
                head(KIND, f"Content-Length: {len(sent(what, f'net-{what}'))}") + sent(what, f"net-{what}"),
                200,
                "",
                PUBLISHED,
            )
            for what in SENT
        ),
        Case(
            f"{usual}, Expect: 100-continue, its second of patience over",
            head(KIND, f"Content-Length: {len(late)}", "Expect: 100-continue") + late,
            200,
            "",
            PUBLISHED,
        ),
        Case(
            f"{usual}, chunked",
            head(KIND, "Transfer-Encoding: chunked") + b"%x\r\n%b\r\n0\r\n\r\n" % (len(chunked), chunked),
            200,
            "",
            PUBLISHED,
        ),
    ]
