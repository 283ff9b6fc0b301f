"""Documents whose content is not what their type says."""

from .building import PUBLISHED, QUARANTINE, Case, delivery, file, json_part, metadata, section

CONTENTS = {
    "image/tiff": b"II*\0" + bytes(64),
    "application/pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + bytes(64),
    "image/png": b"\x89PNG\r\n\x1a\n" + bytes(64),
    "image/jpeg": b"\xff\xd8\xff\xe0" + bytes(64),
    "application/dicom": bytes(128) + b"DICM" + bytes(64),
}
OTHERS = {
    "big-endian TIFF": ("image/tiff", b"MM\0*" + bytes(64)),
    "BigTIFF": ("image/tiff", b"II+\0" + bytes(64)),
    "PDF after 500 bytes of something else": ("application/pdf", bytes(500) + b"%PDF-1.4\n"),
    "text, which has no signature": ("text/plain", b"anything"),
}
WRONG = {
    "HTML": b"<html><script>alert(1)</script></html>",
    "a program": b"MZ\x90\0" + bytes(64),
    "zeros": bytes(2000),
    "half a signature": b"II",
    "PDF after 2,000 bytes of something else": bytes(2000) + b"%PDF-1.4\n",
}


def documents() -> list[Case]:
    """What a document begins with."""

    def of(type_: str, content: bytes, source_id: str = "d") -> bytes:
        return delivery(file(content, type_), json_part(metadata(source_id)))

    crossed = [
        Case(f"{type_} that is {other}", of(type_, content), 415, "part-content", QUARANTINE)
        for type_ in CONTENTS
        for other, content in CONTENTS.items()
        if other != type_
    ]
    return [
        *(Case(type_, of(type_, content, f"d-{type_}"), 200, "", PUBLISHED) for type_, content in CONTENTS.items()),
        *(Case(what, of(*document, f"d-{what}"), 200, "", PUBLISHED) for what, document in OTHERS.items()),
        *crossed,
        *(
            Case(f"image/tiff that is {what}", of("image/tiff", content), 415, "part-content", QUARANTINE)
            for what, content in WRONG.items()
        ),
        Case(
            "application/pdf that begins too late",
            of("application/pdf", bytes(2000) + b"%PDF-"),
            415,
            "part-content",
            QUARANTINE,
        ),
        Case("a document of 0 bytes", of("image/tiff", b""), 422, "part-empty", QUARANTINE),
        Case("text of 0 bytes", of("text/plain", b""), 422, "part-empty", QUARANTINE),
        Case(
            "0 bytes where sniff = false",
            delivery(file(), json_part(metadata("d-note")), section("note", b"", "image/tiff")),
            200,
            "",
            PUBLISHED,
        ),
    ]
