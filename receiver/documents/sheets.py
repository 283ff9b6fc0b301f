"""Single pages, turned upright and written as img2pdf takes them.

Runs in the helper alone.
"""

import io
import struct

from PIL import Image

MAX_PAGES = 10_000  # pages of one document: a fax machine is busy with them for a week
MAX_PIXELS = 400_000_000  # pixels of one page: A0 at 400 dpi has 250 million
TURNS = {  # EXIF and TIFF have the same eight orientations (TIFF 6.0, Orientation)
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
ROWS_PER_STRIP = 278
_PNG_LEVEL = 3  # of 9: a color scan takes 0.4 times as long as with 6, and is as small; text is a seventh larger
_SHORTS, _LONG, _RATIONAL = 3, 4, 5  # types of fields


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """Return an image as its orientation says that it is shown."""
    turn = TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)


def saved(image: Image.Image, dpi: tuple[int, int], profile: bytes | None = None) -> bytes:
    """Return a page as img2pdf takes it over: PNG, or TIFF for what PNG lacks.

    What can be seen through is white.
    """
    if image.has_transparency_data:
        colors = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), colors).convert("RGB")
    buffer = io.BytesIO()
    if image.mode == "1":
        one_strip = {ROWS_PER_STRIP: image.height}
        image.save(buffer, "TIFF", compression="group4", dpi=dpi, tiffinfo=one_strip)
    elif image.mode == "CMYK":
        image.save(buffer, "TIFF", compression="raw", dpi=dpi, icc_profile=profile)
    else:
        image.save(buffer, "PNG", compress_level=_PNG_LEVEL, dpi=dpi, icc_profile=profile)
    return buffer.getvalue()


def around(strip: bytes, fields: dict[int, int], dpi: tuple[int, int], sampling: tuple[int, int] = (1, 1)) -> bytes:
    """Return a TIFF around the one strip of a page, which is compressed already."""
    count = len(fields) + 6
    behind = 8 + 2 + 12 * count + 4  # header, directory, and where the next one would be
    entries = {tag: (_LONG, 1, value) for tag, value in fields.items()} | {
        273: (_LONG, 1, behind + 16),
        279: (_LONG, 1, len(strip)),
        282: (_RATIONAL, 1, behind),
        283: (_RATIONAL, 1, behind + 8),
        296: (_LONG, 1, 2),
        530: (_SHORTS, 2, sampling[1] << 16 | sampling[0]),
    }
    directory = b"".join(struct.pack("<HHII", tag, *entry) for tag, entry in sorted(entries.items()))
    head = b"II*\0" + struct.pack("<IH", 8, count) + directory + bytes(4)
    return head + struct.pack("<4I", dpi[0], 1, dpi[1], 1) + strip
