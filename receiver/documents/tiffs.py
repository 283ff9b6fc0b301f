"""TIFF: pages counted, checked, converted for img2pdf; only in the helper."""

import math
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageChops

from receiver.documents import libtiff
from receiver.documents.helpers import UnreadableError
from receiver.documents.libtiff import GROUP4, Tiff
from receiver.documents.sheets import MAX_PAGES, MAX_PIXELS, around, saved, turned

NO_PAGE = 1 | 4  # NewSubfileType: a smaller copy of another page, or a mask
GROUP3 = (2, 3)
DEFLATE = (8, 32946)
NAMES = {34661: "JBIG", 34712: "JPEG 2000", 34887: "LERC", 50001: "WebP", 50002: "JPEG XL", 34892: "lossy JPEG of DNG"}
REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
WHITE_IS_0, BLACK_IS_0, RGB, CMYK = 0, 1, 2, 5
PLAIN = {  # bits of a sample, samples, photometric interpretation: Pillow's mode, and its raw mode
    (1, 1, WHITE_IS_0): ("1", "1;I"),
    (1, 1, BLACK_IS_0): ("1", "1"),
    (8, 1, WHITE_IS_0): ("L", "L;I"),
    (8, 1, BLACK_IS_0): ("L", "L"),
    (8, 3, RGB): ("RGB", "RGB"),
    (8, 4, CMYK): ("CMYK", "CMYK"),
    (16, 4, CMYK): ("CMYK", "CMYK;16N"),
}
SPACES = {"L": b"GRAY", "RGB": b"RGB ", "CMYK": b"CMYK"}  # of color profiles (ICC.1, 7.2.6)
CENTIMETER, NO_UNIT = 3, 1
DPI = 96  # of a page that has none


def pages(path: Path) -> int:
    """Count the pages, each of which is decoded. Raises `UnreadableError`."""
    with path.open("rb") as file:
        return sum(1 for tiff in _pages(file.fileno()) if _is_sound(tiff))


def single_pages(path: Path) -> list[bytes]:
    """Return each page as img2pdf takes it over: upright, and without damage.

    Raises `UnreadableError`.
    """
    with path.open("rb") as file:
        return [_single(tiff) for tiff in _pages(file.fileno())]


def single_page(path: Path, number: int) -> bytes:
    """Return a page, counted from 1, as `single_pages` does, and decode no other.

    Raises `UnreadableError`.
    """
    with path.open("rb") as file:
        for count, tiff in enumerate(_pages(file.fileno()), 1):
            if count == number:
                return _single(tiff)
    raise UnreadableError("it has no such page")


def _pages(file: int) -> Iterator[Tiff]:
    with Tiff(file) as tiff:
        shown = []
        for count in tiff.directories():
            if count > MAX_PAGES:
                raise UnreadableError(f"it has more than {MAX_PAGES:,} pages")
            shown.append(not tiff.field(libtiff.SUBFILE) & NO_PAGE)
    with Tiff(file) as tiff:
        for count in tiff.directories():
            if shown[count - 1] or not any(shown):
                _require_readable(tiff)
                yield tiff


def _require_readable(tiff: Tiff) -> None:
    if tiff.field(libtiff.WIDTH) * tiff.field(libtiff.LENGTH) > MAX_PIXELS:
        raise UnreadableError(f"a page has more than {MAX_PIXELS:,} pixels")
    tiff.require_silence()
    compression = tiff.field(libtiff.COMPRESSION)
    if not tiff.is_known(compression):
        name = NAMES.get(compression, "of a kind that is not known")
        raise UnreadableError(f"its compression is {name}, and cannot be read: send it with Group 4, LZW or Deflate")
    if any(offset + size > tiff.size for offset, size in tiff.places()):
        raise UnreadableError("it is cut off")


def _is_sound(tiff: Tiff) -> bool:
    """Decode a page, and return that it could be. Raises `UnreadableError`."""
    for _ in tiff.decoded():
        pass
    _require_checksum(tiff)
    return True


def _require_checksum(tiff: Tiff) -> None:
    """Raise `UnreadableError` if Deflate data lack the checksum that libtiff skips."""
    if tiff.field(libtiff.COMPRESSION) in DEFLATE and not all(map(_has_its_checksum, _data(tiff))):
        raise UnreadableError("a page is damaged")


def _data(tiff: Tiff) -> Iterator[bytes]:
    """Yield each strip's or tile's data as in the file, the first bit highest."""
    reverse = tiff.field(libtiff.FILL_ORDER) == 2
    for offset, size in tiff.places():
        data = os.pread(tiff.file, size, offset)
        yield data.translate(REVERSED) if reverse else data


def _has_its_checksum(data: bytes) -> bool:
    inflating = zlib.decompressobj()
    try:
        while not inflating.eof and (data or inflating.unconsumed_tail):
            inflating.decompress(data or inflating.unconsumed_tail, 1_000_000)
            data = b""
    except zlib.error:
        return False
    return inflating.eof


def _single(tiff: Tiff) -> bytes:
    orientation = tiff.field(libtiff.ORIENTATION)
    if orientation == 1 and _is_one_strip_of_group4(tiff):
        return _as_it_is(tiff)
    image = _image(tiff)
    dpi = _dpi(tiff)
    return saved(turned(image, orientation), dpi if orientation < 5 else dpi[::-1], _profile(tiff, image.mode))


def _is_one_strip_of_group4(tiff: Tiff) -> bool:
    return (
        tiff.field(libtiff.COMPRESSION) == GROUP4
        and _photometric(tiff) in (WHITE_IS_0, BLACK_IS_0)
        and not tiff.is_tiled()
        and len(list(tiff.places())) == 1
    )


def _as_it_is(tiff: Tiff) -> bytes:
    _is_sound(tiff)
    (strip,) = _data(tiff)
    width, length = tiff.field(libtiff.WIDTH), tiff.field(libtiff.LENGTH)
    fields = {256: width, 257: length, 258: 1, 259: GROUP4, 262: _photometric(tiff), 277: 1, 278: length}
    return around(strip, fields, _dpi(tiff))


def _photometric(tiff: Tiff) -> int:
    """Return what 0 means; for a fax that does not say, white (as libtiff has it)."""
    is_fax = tiff.field(libtiff.COMPRESSION) in (*GROUP3, GROUP4)
    return int(tiff.field(libtiff.PHOTOMETRIC, WHITE_IS_0 if is_fax else 0xFFFF))


def _image(tiff: Tiff) -> Image.Image:
    """Return a page as its pixels lie in the file."""
    samples = tiff.field(libtiff.SAMPLES)
    plain = PLAIN.get((tiff.field(libtiff.BITS), samples, _photometric(tiff)))
    if plain and not tiff.is_tiled() and (samples == 1 or tiff.field(libtiff.PLANES) == 1):
        _require_checksum(tiff)
        pixels = bytearray()
        for strip in tiff.decoded():
            pixels += strip
        size = tiff.field(libtiff.WIDTH), tiff.field(libtiff.LENGTH)
        return Image.frombytes(plain[0], size, pixels, "raw", plain[1])
    image = _on_white(tiff.shown(), tiff.alpha(), samples)
    _is_sound(tiff)  # after it was shown: that sets how a page is decoded
    return image.getchannel("R") if _photometric(tiff) in (WHITE_IS_0, BLACK_IS_0) else image


def _on_white(image: Image.Image, alpha: int, samples: int) -> Image.Image:
    colors = image.convert("RGB")
    if not alpha:
        return colors
    white = Image.new("RGB", image.size, "white")
    if samples == 2 and alpha == 2:  # the one kind whose colors libtiff does not multiply by alpha
        return Image.composite(colors, white, image.getchannel("A"))
    through = Image.composite(Image.new("RGB", image.size), white, image.getchannel("A"))
    return ImageChops.add(colors, through)


def _profile(tiff: Tiff, mode: str) -> bytes | None:
    """Return the color profile, where it is one for such colors."""
    profile = tiff.profile()
    return profile if profile and profile[16:20] == SPACES.get(mode) else None


def _dpi(tiff: Tiff) -> tuple[int, int]:
    """Return dots per inch across and down, with the true shape even without a unit."""
    across, down = tiff.field(libtiff.X_RESOLUTION), tiff.field(libtiff.Y_RESOLUTION)
    unit = tiff.field(libtiff.UNIT)
    if not (0 < across < math.inf and 0 < down < math.inf):
        return DPI, DPI
    if unit == NO_UNIT:
        across, down = DPI, DPI * down / across
    elif unit == CENTIMETER:
        across, down = across * 2.54, down * 2.54
    return max(round(across), 1), max(round(down), 1)
