"""The helper process that reads documents: a JSON question and answer a line.

Nothing that a library says of a document is passed on: it may quote from it.
"""

import json
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from receiver.documents.helpers import UnreadableError

MAX_MEMORY = 2_000_000_000  # bytes of memory for one document: a color page of A4 at 600 dpi takes 100 MB, a few times
NICE = 10  # added to the priority: a tenth of the processor's time where deliveries want all of it

Answer = tuple[dict[str, Any], bytes]


def pages(path: Path, type: str) -> Answer:  # noqa: A002 (the word of the delivery)
    """Count the pages of a document."""
    if type == "application/pdf":
        from receiver.documents import pdfs

        return {"pages": pdfs.pages(path)}, b""
    from receiver.documents import images

    return {"pages": images.pages(path, type)}, b""


def pdf(path: Path, type: str) -> Answer:  # noqa: A002
    """Convert an image."""
    from receiver.documents import images

    content = images.pdf(path, type)
    return {"size": len(content)}, content


def page(path: Path, type: str, number: str, small: str = "") -> Answer:  # noqa: A002
    """Draw one page, counted from 1, as PNG; images are drawn as their PDF."""
    from receiver.documents import images, pdfs

    if type == "application/pdf":
        content = pdfs.drawn(path, int(number), small=bool(small))
    else:
        content = pdfs.drawn(images.page_pdf(path, type, int(number)), 1, small=bool(small))
    return {"size": len(content)}, content


def find(path: Path, type: str, value: str, name: str) -> Answer:  # noqa: A002, ARG001
    """Find the value of a field in the text of a PDF."""
    from receiver.documents import texts

    return texts.find(path, value, name), b""


TASKS: dict[str, Callable[..., Answer]] = {"pages": pages, "pdf": pdf, "page": page, "find": find}


def answer(question: dict[str, str]) -> Answer:
    """Return the answer about a document, whatever it does to the libraries."""
    try:
        further = {name: text for name, text in question.items() if name not in ("task", "path")}
        return TASKS[question["task"]](Path(question["path"]), **further)
    except UnreadableError as error:
        reason = error.reason
    except MemoryError:
        reason = "it takes more memory than is allowed"
    except Exception:  # noqa: BLE001 (a broken file raises whatever it likes)
        reason = "it is broken"
    return {"unreadable": reason}, b""


def main() -> None:
    """Answer until the input ends, when deliveries leave the processor free."""
    os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # it would hold the document
    answers = os.fdopen(os.dup(1), "wb")
    answers.write(b"ready\n")
    answers.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)  # libraries that talk would disturb the answers,
    os.dup2(nowhere, 2)  # or the log would show what is in a document
    for line in sys.stdin.buffer:
        head, content = answer(json.loads(line))
        answers.write(json.dumps(head).encode() + b"\n")
        answers.write(content)
        answers.flush()


main()
