"""PDF by pdfium. Runs in the helper alone, which asks one question at a time: pdfium is not safe among threads."""

from pathlib import Path

import pypdfium2

from receiver.documents.helper import Unreadable

PASSWORD = 4  # FPDF_ERR_PASSWORD


def pages(path: Path) -> int:
    """Count the pages that can be shown, whatever the file says that it has. Raises `Unreadable`."""
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        locked = getattr(error, "err_code", None) == PASSWORD
        raise Unreadable("it is locked with a password" if locked else "it is no PDF") from None
    with document:
        count = sum(map(_is_there, [document] * len(document), range(len(document))))
    if count < 1:
        raise Unreadable("it has no page")
    return count


def _is_there(document: pypdfium2.PdfDocument, index: int) -> bool:
    try:
        document[index].close()
    except pypdfium2.PdfiumError:
        return False
    return True
