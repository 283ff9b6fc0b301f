"""What a section is: by its media type, by what it begins with, by its file name; a look at a kilobyte, no more.

It finds the wrong file under the right name, and a scan that came to nothing. It does not prove that the rest of the
document is sound, nor that it is harmless.
"""

from collections.abc import Callable
from pathlib import PurePosixPath

HEAD = 1024  # bytes that are looked at: PDF readers allow as much before the header (ISO 32000-1, annex H, note 13)

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # TIFF 6.0 §2, and BigTIFF
_PNG = b"\x89PNG\r\n\x1a\n"  # ISO/IEC 15948 §5.2
_JPEG = b"\xff\xd8\xff"  # ISO/IEC 10918-1, annex B: SOI, and the first byte of a marker
_DICOM = slice(128, 132), b"DICM"  # DICOM PS3.10 §7.1

_SIGNATURES: dict[str, Callable[[bytes], bool]] = {
    "image/tiff": lambda head: head.startswith(_TIFF),
    "image/png": lambda head: head.startswith(_PNG),
    "image/jpeg": lambda head: head.startswith(_JPEG),
    "application/dicom": lambda head: head[_DICOM[0]] == _DICOM[1],
    "application/pdf": lambda head: b"%PDF-" in head,
}
_TEXTS = {b"{": "application/json", b"[": "application/json", b"<": "application/xml"}  # by their first character

_ENDINGS = {  # of a file's name
    **dict.fromkeys((".tif", ".tiff"), "image/tiff"),
    ".pdf": "application/pdf",
    ".png": "image/png",
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif"), "image/jpeg"),
    **dict.fromkeys((".dcm", ".dicom"), "application/dicom"),
    ".json": "application/json",
    ".xml": "application/xml",
    ".csv": "text/csv",
    ".txt": "text/plain",
}
_OTHER_NAMES = {  # what is written for a type, and the name that is registered
    **dict.fromkeys(("image/tif", "image/x-tif", "image/x-tiff", "application/tif", "application/tiff"), "image/tiff"),
    **dict.fromkeys(("application/x-tif", "application/x-tiff", "image/tiff-fx"), "image/tiff"),
    **dict.fromkeys(("application/x-pdf", "text/pdf", "text/x-pdf", "application/acrobat"), "application/pdf"),
    **dict.fromkeys(("image/x-png", "application/png", "application/x-png"), "image/png"),
    **dict.fromkeys(("image/jpg", "image/pjpeg", "image/jpe", "image/x-jpeg", "application/jpg"), "image/jpeg"),
    **dict.fromkeys(("application/x-dicom", "image/dicom", "image/x-dicom"), "application/dicom"),
    **dict.fromkeys(("text/json", "text/x-json", "application/x-json"), "application/json"),
    **dict.fromkeys(("text/xml", "application/x-xml"), "application/xml"),  # RFC 7303 §9.2
    **dict.fromkeys(("application/csv", "text/x-csv", "application/x-csv"), "text/csv"),
}
_UNTOLD = {  # types that say only that there is something
    *("", "application/octet-stream", "application/x-octet-stream", "binary/octet-stream", "octet/stream"),
    *("application/binary", "application/x-binary", "application/unknown", "application/x-unknown"),
    *("unknown/unknown", "content/unknown", "application/download", "application/x-download"),
    *("application/force-download", "application/x-force-download", "*/*", "image/*", "application/*"),
}


def registered(type_: str) -> str:
    """Return the registered name of a media type that is often called otherwise."""
    return _OTHER_NAMES.get(type_, type_)


def is_untold(type_: str) -> bool:
    """Tell whether a media type says nothing of what a section is."""
    return type_ in _UNTOLD


def tell(head: bytes, filename: str | None) -> str:
    """Return the media type of a document by its first kilobyte, by its file's name where that cannot tell, or ""."""
    by_signature = next((type_ for type_, begins_well in _SIGNATURES.items() if begins_well(head[:HEAD])), "")
    return by_signature or _ENDINGS.get(PurePosixPath(filename or "").suffix.lower(), "") or tell_text(head)


def tell_text(head: bytes) -> str:
    """Return the media type of JSON and XML by their first character, or ""."""
    text = head.removeprefix(b"\xef\xbb\xbf")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = head[2:].replace(b"\0", b"")
    return _TEXTS.get(text.lstrip(b" \t\r\n")[:1], "")


def contradicts(type_: str, head: bytes) -> bool:
    """Tell whether a document of this media type cannot begin so. `head` is its first kilobyte, or all of it."""
    begins_well = _SIGNATURES.get(type_)
    return begins_well is not None and not begins_well(head[:HEAD])
