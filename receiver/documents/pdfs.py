"""PDF by pdfium. Runs in the helper alone, which asks one question at a time: pdfium is not safe among threads."""

from pathlib import Path

import pypdfium2

from receiver.documents.helper import Unreadable

PASSWORD = 4  # FPDF_ERR_PASSWORD


def pages(path: Path) -> int:
    """Count the pages. Raises `Unreadable`."""
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        locked = getattr(error, "err_code", None) == PASSWORD
        raise Unreadable("it is locked with a password" if locked else "it is no PDF") from None
    with document:
        count = len(document)
    if count < 1:
        raise Unreadable("it has no page")
    return count
