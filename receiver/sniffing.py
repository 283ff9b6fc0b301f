"""What a document begins with, against what its type says: a look at its first kilobyte, no more.

It finds the wrong file under the right name, and a scan that came to nothing. It does not prove that the rest of the
document is sound, nor that it is harmless.
"""

from collections.abc import Callable

HEAD = 1024  # bytes that are looked at: PDF readers allow as much before the header (ISO 32000-1, annex H, note 13)

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # TIFF 6.0 §2, and BigTIFF
_PNG = b"\x89PNG\r\n\x1a\n"  # ISO/IEC 15948 §5.2
_JPEG = b"\xff\xd8\xff"  # ISO/IEC 10918-1, annex B: SOI, and the first byte of a marker
_DICOM = slice(128, 132), b"DICM"  # DICOM PS3.10 §7.1

_SIGNATURES: dict[str, Callable[[bytes], bool]] = {
    "image/tiff": lambda head: head.startswith(_TIFF),
    "application/pdf": lambda head: b"%PDF-" in head,
    "image/png": lambda head: head.startswith(_PNG),
    "image/jpeg": lambda head: head.startswith(_JPEG),
    "application/dicom": lambda head: head[_DICOM[0]] == _DICOM[1],
}


def contradicts(type_: str, head: bytes) -> bool:
    """Tell whether a document of this media type cannot begin so. `head` is its first kilobyte, or all of it."""
    begins_well = _SIGNATURES.get(type_)
    return begins_well is not None and not begins_well(head[:HEAD])
