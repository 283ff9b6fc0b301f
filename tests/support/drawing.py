"""Documents, drawn here and broken here: pages full of noise, in which every pixel counts."""

import random
import struct
from io import BytesIO

import pikepdf
import pytest
from PIL import Image

from receiver.core.problems import Code, Problem


def drawn(mode: str, seed: int = 1, size: tuple[int, int] = (400, 300)) -> Image.Image:
    """Return a page of noise."""
    noise = random.Random(seed).randbytes(size[0] * size[1] * 4)
    if mode == "I;16":
        return Image.frombytes(mode, size, noise[: size[0] * size[1] * 2])
    if mode == "1":
        return Image.frombytes("L", size, noise[: size[0] * size[1]]).point(lambda gray: 255 * (gray > 128), "1")
    return Image.frombytes("CMYK", size, noise).convert(mode) if mode != "CMYK" else Image.frombytes(mode, size, noise)


def pdf_of(*pages: Image.Image) -> bytes:
    buffer = BytesIO()
    pages[0].save(buffer, "PDF", save_all=True, append_images=pages[1:])
    return buffer.getvalue()


def locked() -> bytes:
    buffer = BytesIO()
    with pikepdf.open(BytesIO(pdf_of(drawn("L")))) as pdf:
        pdf.save(buffer, encryption=pikepdf.Encryption(owner="owner", user="user"))
    return buffer.getvalue()


def tiff_of(*pages: Image.Image) -> bytes:
    buffer = BytesIO()
    pages[0].save(buffer, "TIFF", compression="group4", save_all=True, append_images=pages[1:])
    return buffer.getvalue()


def png_of(page: Image.Image) -> bytes:
    buffer = BytesIO()
    page.save(buffer, "PNG")
    return buffer.getvalue()


def damaged(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]


def endless() -> bytes:
    """Return a TIFF whose only page says that it is followed by itself."""
    content = bytearray(tiff_of(drawn("1")))
    (directory,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, directory)
    struct.pack_into("<I", content, directory + 2 + 12 * count, directory)
    return bytes(content)


def many_pages(count: int) -> bytes:
    """Return a TIFF of so many pages of one pixel, which share it."""
    entries = [(256, 1), (257, 1), (258, 1), (259, 1), (262, 0), (273, 8), (277, 1), (278, 1), (279, 1)]
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", tag, 4, 1, v) for tag, v in entries)
    size = len(directory) + 4
    pages = [directory + struct.pack("<I", 16 + size * (page + 1)) for page in range(count - 1)]
    return b"II*\0" + struct.pack("<I", 16) + bytes(8) + b"".join(pages) + directory + bytes(4)


def reason(function, *arguments) -> str:
    with pytest.raises(Problem) as caught:
        function(*arguments)
    problem = caught.value
    (violation,) = problem.violations
    assert (problem.code, violation.where, violation.rule) == (Code.DOCUMENT_BROKEN, "file", "document")
    assert problem.__cause__ is None
    return violation.message
