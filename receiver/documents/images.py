"""Images: TIFF, PNG and JPEG by Pillow, and as PDF by img2pdf. Runs in the helper alone."""

import warnings
from pathlib import Path

from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from receiver.documents.helper import Unreadable

FORMATS = {"image/tiff": ("TIFF",), "image/png": ("PNG",), "image/jpeg": ("JPEG", "MPO")}
MAX_PAGES = 10_000  # pages of one document: a fax machine is busy with them for a week
MAX_PIXELS = 400_000_000  # pixels of one page: A0 at 400 dpi has 250 million
PRODUCER = "receiver"  # never the library's version: the same image makes the same bytes

Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)

OFFSETS_AND_SIZES = (  # of the strips or tiles that hold the pixels (TIFF 6.0, sections 8 and 15)
    (TiffImagePlugin.STRIPOFFSETS, TiffImagePlugin.STRIPBYTECOUNTS),
    (TiffImagePlugin.TILEOFFSETS, TiffImagePlugin.TILEBYTECOUNTS),
)


def pages(path: Path, type: str) -> int:  # noqa: A002 (the word of the delivery)
    """Count the pages: those of a TIFF, one for any other image. Raises `Unreadable`, or what Pillow raises.

    The structure is read, not the pixels: a TIFF that is cut off is found, one with wrong pixels is not.
    """
    with _opened(path, type) as image:
        if isinstance(image, TiffImagePlugin.TiffImageFile):
            return _tiff_pages(image, path.stat().st_size)
        if type == "image/png":
            image.verify()
        return 1


def _opened(path: Path, type: str) -> Image.Image:  # noqa: A002
    try:
        return Image.open(path, formats=FORMATS[type])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Unreadable(f"a page has more than {MAX_PIXELS:,} pixels") from None
    except UnidentifiedImageError:
        raise Unreadable(f"it is no {FORMATS[type][0]} file") from None


def _tiff_pages(image: TiffImagePlugin.TiffImageFile, size: int) -> int:
    count = 0
    while True:
        _require_whole(image, size)
        count += 1
        if count > MAX_PAGES:
            raise Unreadable(f"it has more than {MAX_PAGES:,} pages")
        try:
            image.seek(count)
        except EOFError:
            return count


def _require_whole(image: TiffImagePlugin.TiffImageFile, size: int) -> None:
    """Raise `Unreadable` where the pixels of a page lie beyond the end of the file."""
    for offsets, sizes in OFFSETS_AND_SIZES:
        places = zip(image.tag_v2.get(offsets, ()), image.tag_v2.get(sizes, ()), strict=False)
        if any(offset + length > size for offset, length in places):
            raise Unreadable("it is cut off")


def pdf(path: Path, type: str) -> bytes:  # noqa: A002
    """Return an image as PDF, page for page, every pixel kept. Raises `Unreadable`, or what the libraries raise.

    Group 4 and JPEG go in as they are; what PDF does not know is decoded, and packed without loss.
    """
    import img2pdf

    pages(path, type)
    converted: bytes = img2pdf.convert(
        path.read_bytes(),
        engine=img2pdf.Engine.internal,  # the others stamp a number of their own into each PDF
        nodate=True,
        producer=PRODUCER,
        rotation=img2pdf.Rotation.ifvalid,
    )
    return converted
