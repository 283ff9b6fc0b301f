"""The one edit that mends a fault, where its hint names the word that was meant."""

import re
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from receiver.core.faults import Fault

MEANT = re.compile(r'did you mean "(.+)"\?')  # as `did_you_mean` writes it
WORD = re.compile(r"[\w./+-]+")
STEP = re.compile(r"\w+")


class Edit(NamedTuple):
    """What to write instead of a part of a fault's line; columns from 1, the end is behind the last character."""

    start: int
    end: int
    text: str


def edit(site: Path, fault: Fault) -> Edit | None:
    """Return the edit that mends a fault; None where there is none, or the file cannot be read."""
    meant = MEANT.search(fault.hint)
    if not meant:
        return None
    try:
        line = (site / fault.file).read_text("utf-8-sig").split("\n")[fault.line - 1]
    except (OSError, UnicodeDecodeError, IndexError):
        return None
    pieces = [each for form in (STEP, WORD) for each in form.finditer(line, fault.column - 1) if each[0] != meant[1]]
    near = get_close_matches(meant[1], [each[0] for each in pieces], n=1, cutoff=0.6)  # as the hint was found
    wrong = next((each for each in pieces if near and each[0] == near[0]), None)
    return Edit(wrong.start() + 1, wrong.end() + 1, meant[1]) if wrong else None
