"""JPEG: looked through for damage, and what kind it is. Runs in the helper alone."""

import os
from dataclasses import dataclass

from receiver.documents import libtiff
from receiver.documents.helpers import UnreadableError
from receiver.documents.libtiff import Tiff
from receiver.documents.sheets import around

# Libtiff bounds what libjpeg takes for a progressive JPEG to 100 MB; the process is bounded by itself.
os.environ.setdefault("LIBTIFF_ALLOW_LARGE_LIBJPEG_MEM_ALLOC", "1")

BEGIN, END = b"\xff\xd8", b"\xff\xd9"  # markers SOI and EOI (ISO/IEC 10918-1, table B.1)
JPEG_IN_TIFF = 7
PHOTOMETRIC = {1: 1, 3: 6, 4: 5}  # by components: gray, YCbCr, CMYK
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # markers of frames (ISO/IEC 10918-1, table B.1)
HUFFMAN = (0xC0, 0xC1, 0xC2)  # baseline, extended, progressive: what PDF knows
ARITHMETIC = (0xC9, 0xCA)
ALONE = (0x01, *range(0xD0, 0xD9))  # markers without a length


@dataclass(frozen=True, slots=True)
class Frame:
    """What a JPEG says of itself."""

    marker: int
    bits: int
    size: tuple[int, int]
    components: int
    sampling: tuple[int, int]  # of the first component


def require_sound(content: bytes) -> None:
    """Raise `UnreadableError` for a damaged JPEG, or a kind that few programs read."""
    frame = _frame(content)
    if frame.bits != 8 or frame.marker not in (*HUFFMAN, *ARITHMETIC):
        kind = f"of {frame.bits} bits" if frame.bits != 8 else "without loss, or of several frames"
        raise UnreadableError(f"it is a JPEG {kind}, which cannot be read: send a baseline JPEG of 8 bits")
    if END not in content:
        raise UnreadableError("it is cut off")
    if _complains(content, frame):
        raise UnreadableError("it is damaged")


def is_huffman(content: bytes) -> bool:
    """Return whether it is coded as PDF knows it."""
    return _frame(content).marker in HUFFMAN


def _frame(content: bytes) -> Frame:
    """Find the header of the frame."""
    if not content.startswith(BEGIN):
        raise UnreadableError("it is no JPEG file")
    at = len(BEGIN)
    while at + 20 < len(content):
        if content[at] != 0xFF:
            break
        marker = content[at + 1]
        if marker == 0xFF:  # fill bytes
            at += 1
            continue
        if marker in ALONE:
            at += 2
            continue
        if marker in FRAMES:
            height, width = (int.from_bytes(content[place : place + 2]) for place in (at + 5, at + 7))
            sampling = content[at + 11]
            return Frame(marker, content[at + 4], (width, height), content[at + 9], (sampling >> 4, sampling & 15))
        at += 2 + int.from_bytes(content[at + 2 : at + 4])
    raise UnreadableError("it is damaged")


def _complains(content: bytes, frame: Frame) -> bool:
    """Return whether libjpeg reports damage: libtiff passes that on, Pillow does not.

    Where libtiff itself does not take such a JPEG, it is Pillow's to decode.
    """
    width, height = frame.size
    photometric = PHOTOMETRIC.get(frame.components, 1)
    fields = {256: width, 257: height, 258: 8, 259: JPEG_IN_TIFF, 262: photometric, 277: frame.components, 278: height}
    with os.fdopen(os.memfd_create("jpeg"), "wb") as file:  # in memory: nothing of a document lies anywhere else
        file.write(around(content, fields, (1, 1), frame.sampling))
        file.flush()
        try:
            with Tiff(file.fileno()) as tiff:
                for _ in tiff.directories():
                    for _ in tiff.decoded():
                        pass
        except UnreadableError:
            return b"JPEGLib" in libtiff.complained()
    return False
