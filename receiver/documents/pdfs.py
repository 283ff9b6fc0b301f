"""PDF by qpdf and pdfium. Runs in the helper alone, one question at a time: pdfium is not safe among threads.

What a PDF says of its number of pages may be wrong, and a reader that trusts it counts pages that are not there. Qpdf
goes through the pages themselves, and pdfium tells whether they can be shown.
"""

from pathlib import Path

import pikepdf
import pypdfium2

from receiver.documents.helpers import UnreadableError

PASSWORD = 4  # FPDF_ERR_PASSWORD
LOST_PAGE = "Pages tree includes non-dictionary object"  # qpdf's words


def pages(path: Path) -> int:
    """Count the pages that are there, whatever the file says that it has. Raises `UnreadableError`."""
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
