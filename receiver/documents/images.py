"""Images: counted, looked through for damage, and as PDF by img2pdf.

Runs in the helper alone.
"""

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path

from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from receiver.documents import jpegs, tiffs
from receiver.documents.helpers import UnreadableError
from receiver.documents.sheets import MAX_PIXELS, saved

TIFF, PNG, JPEG = "image/tiff", "image/png", "image/jpeg"
FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG"}
PRODUCER = "receiver"  # never the library's version: the same image makes the same bytes
MIRRORED = (2, 4, 5, 7)  # orientations that a PDF cannot give a page
PNG_DEPTH = 24  # the byte with the bits of a sample (ISO/IEC 15948, 11.2.2)
DPI = 96  # of an image that has none

Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)


def pages(path: Path, type: str) -> int:  # noqa: A002 (the word of the delivery)
    """Count the pages: those of a TIFF, one for any other image.

    Raises `UnreadableError`, or what Pillow raises.
    """
    if type == TIFF:
        return tiffs.pages(path)
    with _sound(path, type):
        return 1


def pdf(path: Path, type: str) -> bytes:  # noqa: A002
    """Return an image as PDF, page by page, every pixel kept.

    Group 4 and JPEG go in as they are, if they are upright; what PDF does not know is decoded, and packed without loss.

    Raises `UnreadableError`, or what the libraries raise.
    """
    return _converted(tiffs.single_pages(path) if type == TIFF else _single_page(path, type))


def page_pdf(path: Path, type: str, number: int) -> bytes:  # noqa: A002
    """Return one page of an image as `pdf` has it, counted from 1.

    Raises as that does.
    """
    if type != TIFF and number != 1:
        raise UnreadableError("it has no such page")
    return _converted(tiffs.single_page(path, number) if type == TIFF else _single_page(path, type))


def _converted(images: bytes | list[bytes]) -> bytes:
    import img2pdf

    converted: bytes = img2pdf.convert(
        images,
        engine=img2pdf.Engine.internal,  # the others stamp a number of their own into each PDF
        nodate=True,
        producer=PRODUCER,
        rotation=img2pdf.Rotation.ifvalid,
        first_frame_only=True,  # of an animation, what is shown where nothing moves
    )
    return converted


@contextlib.contextmanager
def _sound(path: Path, type: str) -> Iterator[Image.Image]:  # noqa: A002
    """Open an image, and decode it. Raises `UnreadableError`, or what Pillow raises."""
    if type == JPEG:
        jpegs.require_sound(path.read_bytes())
    try:
        with Image.open(path, formats=[FORMATS[type]]) as structure:
            if type == PNG:
                structure.verify()
        with Image.open(path, formats=[FORMATS[type]]) as image:
            image.load()
            yield image
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UnreadableError(f"a page has more than {MAX_PIXELS:,} pixels") from None
    except UnidentifiedImageError:
        raise UnreadableError(f"it is no {FORMATS[type]} file") from None


def _single_page(path: Path, type: str) -> bytes:  # noqa: A002
    with _sound(path, type) as image:
        content = path.read_bytes()
        if _fits(content, image):
            return content
        across, down = image.info.get("dpi", (DPI, DPI))
        dpi = max(round(across), 1), max(round(down), 1)
        return saved(ImageOps.exif_transpose(image), dpi, image.info.get("icc_profile"))


def _fits(content: bytes, image: Image.Image) -> bool:
    """Return whether img2pdf and PDF take an image as it is."""
    if image.getexif().get(ExifTags.Base.Orientation) in MIRRORED:
        return False
    if image.format == "PNG":
        return content[PNG_DEPTH] <= 8 or not image.has_transparency_data
    return jpegs.is_huffman(content)
