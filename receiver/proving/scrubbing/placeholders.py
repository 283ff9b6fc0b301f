"""Small valid files in the place of documents: one blank page of the same type."""

import struct
import zlib
from base64 import b64decode

SIDE = 8  # pixels
WHITE_ROW = b"\xff"  # eight pixels of one bit
JPEG = (  # a white page of 8 by 8 pixels, written out: its coding is the longest of all
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAP//////////////////////////////////////////////////////////////////////////////"
    "////////wAALCAAIAAgBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAA//EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AR//Z"
)


def placeholder(suffix: str) -> bytes:
    """Return a document of the type that a suffix stands for."""
    made = {".tif": _tiff, ".tiff": _tiff, ".pdf": _pdf, ".png": _png, ".jpg": _jpeg, ".jpeg": _jpeg, ".dcm": _dicom}
    plain = {".json": b"{}\n", ".xml": b"<document/>\n"}
    return made[suffix]() if suffix in made else plain.get(suffix, b"placeholder\n")


def _tiff() -> bytes:
    """Return a bilevel page without compression (TIFF 6.0, section 3)."""
    pixels = WHITE_ROW * SIDE
    entries = [  # tag, type (3: 16 bits, 4: 32 bits), value
        (256, 3, SIDE),  # width
        (257, 3, SIDE),  # height
        (258, 3, 1),  # bits of a pixel
        (259, 3, 1),  # no compression
        (262, 3, 1),  # zero is black
        (273, 4, 8),  # where the pixels are: behind the header
        (278, 3, SIDE),  # rows of the only strip
        (279, 4, len(pixels)),
    ]
    header = struct.pack("<2sHI", b"II", 42, 8 + len(pixels))
    directory = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return header + pixels + struct.pack("<H", len(entries)) + directory + bytes(4)


def _png() -> bytes:
    """Return a bilevel page (PNG, third edition, section 5)."""
    head = struct.pack(">IIBBBBB", SIDE, SIDE, 1, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + WHITE_ROW) * SIDE)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _jpeg() -> bytes:
    return b64decode(JPEG)


def _pdf() -> bytes:
    """Return an empty page of A4 (ISO 32000-1 §7.5)."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> >>",
    ]
    content, offsets = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        offsets.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    count = len(objects) + 1
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, len(content))
    return content + b"xref\n0 %d\n%s" % (count, table) + trailer


def _dicom() -> bytes:
    """Return a DICOM file without a data set (PS3.10 §7.1): the preamble and the length of an empty group."""
    return bytes(128) + b"DICM" + struct.pack("<HH2sHI", 2, 0, b"UL", 4, 0)
