"""Images: counted, looked through for damage, and as PDF by img2pdf. Runs in the helper alone."""

import warnings
from pathlib import Path

from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from receiver.documents import jpegs, tiffs
from receiver.documents.helper import Unreadable
from receiver.documents.limits import MAX_PIXELS
from receiver.documents.pages import saved

TIFF = "image/tiff"
FORMATS = {"image/png": ("PNG",), "image/jpeg": ("JPEG", "MPO")}
PRODUCER = "receiver"  # never the library's version: the same image makes the same bytes
MIRRORED = (2, 4, 5, 7)  # orientations that a PDF cannot give a page
DPI = 96  # of an image that does not tell

Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)


def pages(path: Path, type: str) -> int:  # noqa: A002 (the word of the delivery)
    """Count the pages: those of a TIFF, one for any other image. Raises `Unreadable`, or what Pillow raises."""
    if type == TIFF:
        return tiffs.pages(path)
    with _opened(path, type) as image:
        _require_sound(path, image)
    return 1


def pdf(path: Path, type: str) -> bytes:  # noqa: A002
    """Return an image as PDF, page for page, every pixel kept. Raises `Unreadable`, or what the libraries raise.

    Group 4 and JPEG go in as they are, if they are upright; what PDF does not know is decoded, and packed without loss.
    """
    import img2pdf

    converted: bytes = img2pdf.convert(
        tiffs.single_pages(path) if type == TIFF else _single_page(path, type),
        engine=img2pdf.Engine.internal,  # the others stamp a number of their own into each PDF
        nodate=True,
        producer=PRODUCER,
        rotation=img2pdf.Rotation.ifvalid,
        first_frame_only=True,  # of an animation, what is shown where nothing moves
    )
    return converted


def _opened(path: Path, type: str) -> Image.Image:  # noqa: A002
    try:
        return Image.open(path, formats=FORMATS[type])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Unreadable(f"a page has more than {MAX_PIXELS:,} pixels") from None
    except UnidentifiedImageError:
        raise Unreadable(f"it is no {FORMATS[type][0]} file") from None


def _require_sound(path: Path, image: Image.Image) -> bool:
    """Decode an image, and tell whether a PDF can take it as it is. Raises `Unreadable`, or what Pillow raises."""
    if image.format == "PNG":
        with Image.open(path) as structure:
            structure.verify()
        image.load()
        return True
    return jpegs.require_sound(path.read_bytes(), image).marker in jpegs.HUFFMAN


def _single_page(path: Path, type: str) -> bytes:  # noqa: A002
    with _opened(path, type) as image:
        fits = _require_sound(path, image)
        if fits and image.getexif().get(ExifTags.Base.Orientation) not in MIRRORED:
            return path.read_bytes()
        across, down = image.info.get("dpi", (DPI, DPI))
        profile = image.info.get("icc_profile")
        return saved(ImageOps.exif_transpose(image), (round(across), round(down)), profile)
