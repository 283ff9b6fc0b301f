"""TIFF by Pillow's libtiff with its warnings, which report damage.

Pillow itself switches them off.

Runs in the helper alone. A fax with a bad line decodes to some other page, and a warning is all that tells it from the
right one. So every complaint is damage, but those in `HARMLESS`.
"""

import ctypes
import os
from collections.abc import Iterator
from ctypes import byref, c_char_p, c_float, c_int, c_int64, c_uint16, c_uint32, c_uint64, c_void_p
from typing import Any

from PIL import Image, _imaging

from receiver.documents.helpers import UnreadableError

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # TIFF 6.0, section 2, and BigTIFF
DAMAGED_DIRECTORY = "its directory is damaged, or it is cut off"
MODE = b"rmc"  # read; the file not mapped into memory; its strips as they are
HARMLESS = (  # of what libtiff complains of, what changes no pixel: words of its messages
    b"Unknown field with tag",  # private ones, which most scanners write
    b"null byte",  # in a text, such as the scanner's name
    b"not sorted in ascending order",
    b"Sum of Photometric type-related color channels",  # a fourth sample that is not said to be alpha
    b'for "Orientation" tag',  # 0, which cameras and scanners write for "upright"
    b'for "ResolutionUnit" tag',
    b'for "XResolution" tag',
    b'for "YResolution" tag',
    b"Deprecated and troublesome old-style JPEG",
    b"Auto-corrected former TIFF subsampling",
    b"unknown JFIF revision",
    b"Unknown Adobe color transform",
    b"support is not configured",  # of a compression: who reads the page finds it
)
IGNORED = b"tag ignored"  # a field of a wrong type or count
STRIPS = b"TIFFFetchStripThing"  # reads where the strips are: whatever it ignores is missed
NEEDED = (  # fields without which a page is another one
    *(b'"BitsPerSample"', b'"Compression"', b'"PhotometricInterpretation"', b'"FillOrder"', b'"Orientation"'),
    *(b'"SamplesPerPixel"', b'"PlanarConfiguration"', b'"Predictor"', b'"ColorMap"', b'"Colormap"', b'"ExtraSamples"'),
    *(b'"SampleFormat"', b'"RowsPerStrip"', b'"TileWidth"', b'"TileLength"', b'"JPEGTables"'),
    *(b'"Group3Options"', b'"Group4Options"', b'"YCbCrSubsampling"', b'"InkSet"', b'"SubfileType"'),
)
MAX_MESSAGE = 300  # bytes: the words that are looked for stand before
GROUP4 = 4  # the compression of most faxes
UNTOUCHED = 0x5A  # a byte of which no row of a fax consists
TYPES: dict[int, Any] = {
    tag: c_type
    for c_type, tags in {
        c_uint16: (258, 259, 262, 266, 274, 277, 284, 296),
        c_uint32: (254, 256, 257),
        c_float: (282, 283),
    }.items()
    for tag in tags
}
SUBFILE, WIDTH, LENGTH, BITS, COMPRESSION, PHOTOMETRIC = 254, 256, 257, 258, 259, 262
FILL_ORDER, ORIENTATION, SAMPLES, X_RESOLUTION, Y_RESOLUTION = 266, 274, 277, 282, 283
PLANES, UNIT, EXTRA_SAMPLES, ICC_PROFILE = 284, 296, 338, 34675

_library = ctypes.CDLL(_imaging.__file__)  # whatever Pillow is linked to
_Handler = ctypes.CFUNCTYPE(None, c_char_p, c_char_p, c_void_p)
_heard: list[tuple[bytes, bytes]] = []  # who complained: a function, or the library below it; and what of


def _hear(module: bytes | None, message: bytes, values: int) -> None:
    text = ctypes.create_string_buffer(MAX_MESSAGE)
    _format(text, MAX_MESSAGE, message, values)
    if not _is_harmless(module, text.value):
        _heard.append((module or b"", message))


def _is_harmless(module: bytes | None, text: bytes) -> bool:
    if IGNORED in text:
        return module != STRIPS and not any(name in text for name in NEEDED)
    return any(words in text for words in HARMLESS)


_handler = _Handler(_hear)  # kept as long as the library has it


def complained() -> set[bytes]:
    """Return who complained since the last TIFF was opened."""
    return {module for module, _ in _heard}


def _function(name: str, result: Any, *arguments: Any) -> Any:
    function = _library[name]
    function.restype = result
    if arguments:
        function.argtypes = arguments
    return function


_format = ctypes.CDLL(None).vsnprintf
_format.argtypes = c_char_p, ctypes.c_size_t, c_char_p, c_void_p  # the last one is what the handler was given
_open = _function("TIFFFdOpen", c_void_p, c_int, c_char_p, c_char_p)
_close = _function("TIFFCleanup", None, c_void_p)
_next = _function("TIFFReadDirectory", c_int, c_void_p)
_is_last = _function("TIFFLastDirectory", c_int, c_void_p)
_field = _function("TIFFGetFieldDefaulted", c_int)  # takes as many arguments as the field has values
_is_tiled = _function("TIFFIsTiled", c_int, c_void_p)
_is_known = _function("TIFFIsCODECConfigured", c_int, c_uint16)
_strips = _function("TIFFNumberOfStrips", c_uint32, c_void_p)
_tiles = _function("TIFFNumberOfTiles", c_uint32, c_void_p)
_strip_size = _function("TIFFStripSize", c_int64, c_void_p)
_tile_size = _function("TIFFTileSize", c_int64, c_void_p)
_row_size = _function("TIFFScanlineSize", c_int64, c_void_p)
_tile_row_size = _function("TIFFTileRowSize", c_int64, c_void_p)
_offset = _function("TIFFGetStrileOffset", c_uint64, c_void_p, c_uint32)
_size = _function("TIFFGetStrileByteCount", c_uint64, c_void_p, c_uint32)
_read_strip = _function("TIFFReadEncodedStrip", c_int64, c_void_p, c_uint32, c_void_p, c_int64)
_read_tile = _function("TIFFReadEncodedTile", c_int64, c_void_p, c_uint32, c_void_p, c_int64)
_show = _function("TIFFReadRGBAImageOriented", c_int, c_void_p, c_uint32, c_uint32, c_void_p, c_int, c_int)


class Tiff:
    """An open TIFF, at one of its directories: use it in a `with`.

    What libtiff refuses raises `UnreadableError`.
    """

    def __init__(self, file: int) -> None:
        _library.TIFFSetErrorHandler(_handler)
        _library.TIFFSetWarningHandler(_handler)  # again each time: Pillow takes it away
        _heard.clear()
        self.file = file
        self.size = os.lseek(file, 0, os.SEEK_END)
        os.lseek(file, 0, os.SEEK_SET)
        self._handle = _open(file, b"", MODE)
        if not self._handle:
            is_tiff = os.pread(file, 4, 0) in SIGNATURES
            raise UnreadableError(DAMAGED_DIRECTORY if is_tiff else "it is no TIFF file")

    def __enter__(self) -> "Tiff":
        return self

    def __exit__(self, *_: object) -> None:
        _close(self._handle)  # the file is its owner's to close

    def directories(self) -> Iterator[int]:
        """Go to each directory in turn, and yield how many there were."""
        count = 1
        yield count
        while not _is_last(self._handle):
            if not _next(self._handle):
                raise UnreadableError(DAMAGED_DIRECTORY)
            count += 1
            yield count

    def require_silence(self) -> None:
        """Raise `UnreadableError` if libtiff complained of a directory."""
        if _heard:
            raise UnreadableError(DAMAGED_DIRECTORY)

    def field(self, tag: int, missing: int = 0) -> Any:
        """Return a field's value, or its default: that of TIFF, or `missing`."""
        value = TYPES[tag](missing)
        _field(c_void_p(self._handle), c_uint32(tag), byref(value))
        return value.value

    def alpha(self) -> int:
        """Return the kind of the first extra sample: 0, 1 or 2 (TIFF 6.0, ExtraSamples)."""
        count, kinds = c_uint16(), ctypes.POINTER(c_uint16)()
        _field(c_void_p(self._handle), c_uint32(EXTRA_SAMPLES), byref(count), byref(kinds))
        return kinds[0] if count.value else 0

    def profile(self) -> bytes | None:
        """Return the color profile, if there is one."""
        count, data = c_uint32(), c_void_p()
        found = _field(c_void_p(self._handle), c_uint32(ICC_PROFILE), byref(count), byref(data))
        return ctypes.string_at(data, count.value) if found and data.value else None

    def places(self) -> Iterator[tuple[int, int]]:
        """Yield where the data of each strip or tile begins, and its size."""
        count = _tiles(self._handle) if self.is_tiled() else _strips(self._handle)
        for strip in range(count):
            yield _offset(self._handle, strip), _size(self._handle, strip)

    def is_tiled(self) -> bool:
        """Return whether the page is in tiles."""
        return bool(_is_tiled(self._handle))

    def is_known(self, compression: int) -> bool:
        """Return whether libtiff can read what was compressed so."""
        return bool(_is_known(compression))

    def decoded(self) -> Iterator[memoryview]:
        """Yield each strip or tile decoded; the next one overwrites it."""
        strips, tiles = (_strip_size, _row_size, _read_strip), (_tile_size, _tile_row_size, _read_tile)
        size, row_size, read = tiles if self.is_tiled() else strips
        buffer = ctypes.create_string_buffer(max(size(self._handle), 1))
        row = row_size(self._handle) if self.field(COMPRESSION) == GROUP4 else 0
        for strip, _ in enumerate(self.places()):
            ctypes.memset(buffer, UNTOUCHED, len(buffer))
            count = read(self._handle, strip, buffer, len(buffer))
            decoded = memoryview(buffer).cast("B")[: max(count, 0)]
            ends_early = row and decoded[-row:] == bytes([UNTOUCHED]) * row  # which is no error to libtiff
            if _heard or ends_early:
                raise UnreadableError("a page is damaged")
            yield decoded

    def shown(self) -> Image.Image:
        """Return the page as libtiff shows it: RGB and alpha, premultiplied."""
        size = self.field(WIDTH), self.field(LENGTH)
        pixels = ctypes.create_string_buffer(4 * size[0] * size[1])
        _show(self._handle, *size, pixels, self.field(ORIENTATION), 1)  # its own orientation: nothing is turned
        if (b"", b"%s") in _heard:  # who has no name explains why it does not begin
            raise UnreadableError(
                "its pixels are of a kind that cannot be shown: send it in gray or RGB, of 8 bits a sample"
            )
        if _heard:
            raise UnreadableError("a page is damaged")
        return Image.frombytes("RGBA", size, memoryview(pixels).cast("B"))
