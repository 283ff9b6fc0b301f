"""Documents: pages counted, images converted to PDF, values found in the text.

What cannot be read is a `Problem`, never a crash.

The libraries that do it are given files from unknown senders, so they work in a process of their own
(`helper`), bounded in time and memory: `images` and `pdfs` run there and nowhere else.
"""

from functools import lru_cache
from importlib.util import find_spec

from receiver.core.delivery import Part, Region
from receiver.core.problems import Code, Problem, Violation
from receiver.documents.helpers import Helpers, UnreadableError
from receiver.store.staged import Staged

PDF = "application/pdf"
IMAGES = ("image/tiff", "image/png", "image/jpeg")
CONVERTIBLE = (*IMAGES, PDF)

COUNT_SECONDS = 20.0  # seconds to count pages: a fax of a hundred takes 0.2, and the sender waits for the answer
FIND_SECONDS = 20.0  # seconds to look for a value: it takes one or two in five hundred pages, and a person waits
MAX_SOUGHT = 400  # characters of a value that are looked for: it is found by its beginning
CONVERT_SECONDS = 60.0  # seconds to convert a document: a hundred pages of Group 4 take 0.2, of color some ten

COUNTED = 256  # documents whose pages are remembered: a path and a record both ask, and `check` renders one often

_helpers = Helpers()


@lru_cache(COUNTED)
def pages(part: Part, process: str = "") -> int:
    """Return how many pages a document of a process has.

    Raises `Problem` for one that cannot be read.
    """
    if part.type not in CONVERTIBLE:
        raise _broken(part, f"Pages of {part.type or 'a document without a type'} cannot be counted.")
    question = {"task": "pages", "path": str(part.path), "type": part.type}
    try:
        return int(_helpers.ask(process, question, COUNT_SECONDS)["pages"])
    except UnreadableError as error:
        reason = error.reason
    raise _broken(part, f"The document cannot be read: {reason}.")


def page(part: Part, number: int, process: str = "", *, small: bool = False) -> bytes:
    """Return one page of a document, counted from 1, as PNG or as its thumbnail.

    Raises `Problem`.
    """
    if part.type not in CONVERTIBLE:
        raise _broken(part, f"Pages of {part.type or 'a document without a type'} cannot be shown.")
    question = {"task": "page", "path": str(part.path), "type": part.type, "number": str(number)}
    if small:
        question["small"] = "yes"
    content = bytearray()
    try:
        _helpers.ask(process, question, CONVERT_SECONDS, content.extend)
    except UnreadableError as error:
        reason = error.reason
    else:
        return bytes(content)
    raise _broken(part, f"The page cannot be shown: {reason}.")


def has_text(part: Part) -> bool:
    """Return whether a document is of a kind whose pages may have text to look in."""
    return part.type == PDF


def find(part: Part, value: str, name: str, process: str = "") -> Region | bool:
    """Return where a document's text has a field's value, or whether it has text.

    Raises `Problem` for one that cannot be read.
    """
    if not has_text(part):
        return False
    question = {"task": "find", "path": str(part.path), "type": part.type, "value": value[:MAX_SOUGHT], "name": name}
    try:
        found = _helpers.ask(process, question, FIND_SECONDS)
    except UnreadableError as error:
        reason = error.reason
    else:
        if "page" not in found:
            return bool(found["text"])
        return Region(found["page"], tuple(map(tuple, found["boxes"])), found["places"])
    raise _broken(part, f"Its text cannot be read: {reason}.")


def can_convert() -> bool:
    """Return whether img2pdf is installed (`pip install receiver[pdf]`)."""
    return find_spec("img2pdf") is not None


def as_pdf(part: Part, staged: Staged, process: str = "") -> Part:
    """Stage an image as PDF, every pixel kept, and return it in the part's place.

    A PDF stays as it is.

    The same image makes the same bytes. Raises `Problem` for one that cannot be read.
    """
    if part.type == PDF:
        return part
    if part.type not in IMAGES:
        raise _broken(part, f"What comes as {part.type or 'a document without a type'} cannot be converted to PDF.")
    file = staged.part(".pdf")
    question = {"task": "pdf", "path": str(part.path), "type": part.type}
    try:
        _helpers.ask(process, question, CONVERT_SECONDS, file.write)
    except UnreadableError as error:
        reason = error.reason
    else:
        staged.write([file.name])
        made = part._replace(folder=staged.folder, file=file.name, size=file.size, sha256=file.sha256)
        return made._replace(type=PDF, suffix=".pdf")
    raise _broken(part, f"The document cannot be converted to PDF: {reason}.")


def _broken(part: Part, message: str) -> Problem:
    violation = Violation(part.label, "document", message)
    return Problem(Code.DOCUMENT_BROKEN, "A document cannot be read.", [violation])
