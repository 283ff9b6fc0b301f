"""PDF by qpdf and pdfium; only in the helper, since pdfium is not thread-safe.

What a PDF says of its number of pages may be wrong, and a reader that trusts it counts pages that are not there. Qpdf
goes through the pages themselves, and pdfium checks whether they can be shown.
"""

from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pikepdf
import pypdfium2
from pypdfium2 import raw

from receiver.documents.helpers import UnreadableError

PASSWORD = 4  # FPDF_ERR_PASSWORD
THUMBNAIL = 160  # pixels of its height: enough to tell a cover sheet from a form
WIDTH, HEIGHT = 1_700, 2_400  # pixels of a page that is shown: 200 dpi of A4, enough to read a fax at 200 %
LARGEST = 4.0  # times 72 dpi: a stamp is not blown up
LOST_PAGE = "Pages tree includes non-dictionary object"  # qpdf's words


def pages(path: Path) -> int:
    """Count the pages that are there, whatever the file says that it has.

    Raises `UnreadableError`.
    """
    shown, said = _shown(path)
    try:
        with pikepdf.open(path, suppress_warnings=True) as document:
            count = len(document.pages)
            lost = any(LOST_PAGE in str(warning) for warning in document.get_warnings())
    except pikepdf.PdfError:
        raise UnreadableError("it is damaged") from None
    if count < 1:
        raise UnreadableError("it has no page")
    if lost or shown < min(said, count):
        raise UnreadableError("it is damaged: not all of its pages can be shown")
    return count


def drawn(document: Path | bytes, number: int, *, small: bool = False) -> bytes:
    """Return a page, from 1, as PNG within `WIDTH` by `HEIGHT`, or a thumbnail.

    Raises `UnreadableError`.
    """
    try:
        with opened(document) as pdf:
            if not 1 <= number <= len(pdf):
                raise UnreadableError("it has no such page")
            page = filled(pdf, number)
            scale = min(WIDTH / page.get_width(), (THUMBNAIL if small else HEIGHT) / page.get_height(), LARGEST)
            image = page.render(scale=scale, may_draw_forms=False).to_pil()
    except pypdfium2.PdfiumError:
        raise UnreadableError("it is damaged") from None
    written = BytesIO()
    image.save(written, "PNG", optimize=False, compress_level=3)
    return written.getvalue()


def opened(document: Path | bytes) -> pypdfium2.PdfDocument:
    """Open a PDF whose pages are to be `filled`. Raises `UnreadableError`."""
    try:
        pdf = pypdfium2.PdfDocument(document)
    except pypdfium2.PdfiumError:
        raise UnreadableError("it is damaged") from None
    with suppress(pypdfium2.PdfiumError):  # without its form the rest is shown
        pdf.init_forms()
    return pdf


def filled(document: pypdfium2.PdfDocument, number: int) -> pypdfium2.PdfPage:
    """Return a page, counted from 1, with form values and annotations as its content.

    Pdfium shows none of a form's values else, and finds no text in them.
    """
    page = document[number - 1]
    if raw.FPDFPage_Flatten(page, raw.FLAT_NORMALDISPLAY) != raw.FLATTEN_SUCCESS:
        return page  # there is nothing of the kind
    page.close()
    return document[number - 1]


def _shown(path: Path) -> tuple[int, int]:
    """Return how many pages can be shown, and how many the file says that it has."""
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        locked = getattr(error, "err_code", None) == PASSWORD
        raise UnreadableError("it is locked with a password" if locked else "it is no PDF") from None
    with document:
        return sum(_can_be_shown(document, index) for index in range(len(document))), len(document)


def _can_be_shown(document: pypdfium2.PdfDocument, index: int) -> bool:
    try:
        document[index].close()
    except pypdfium2.PdfiumError:
        return False
    return True
