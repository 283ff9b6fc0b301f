"""Describes how a record differs from the expected one, in its format's terms.

Values are shown: they are the owner's own samples, on the owner's own terminal. Each format is a module with the
one function `compare`, which raises ValueError for what it cannot take apart; lines are compared then.
"""

from collections.abc import Callable, Iterator, Mapping
from difflib import unified_diff
from functools import partial
from itertools import islice
from typing import NamedTuple

from receiver.formats.csv import compare as csv
from receiver.formats.hl7 import compare as hl7
from receiver.formats.json import compare as json
from receiver.formats.xml import compare as xml

MOST = 50  # lines shown of one file: a screen; after a change of the template all of it may differ
WIDEST = 200  # characters shown of one line

_FORMATS: Mapping[str, Callable[[str, str], Iterator[str]]] = {
    "hl7": hl7.compare,
    "json": json.compare,
    "xml": xml.compare,
    "csv": csv.compare,
}


class RecordStyle(NamedTuple):
    """How a record is written, which it does not say itself."""

    format: str = "text"
    encoding: str = "utf-8"
    delimiter: str | None = None  # of CSV; None: as its first line looks


def differences(
    form: RecordStyle,
    expected: bytes,
    got: bytes,
) -> list[str]:
    """Return a line for each difference; equal bytes have none, others at least one."""
    if expected == got:
        return []
    found = _first(form, expected.decode(form.encoding, "replace"), got.decode(form.encoding, "replace"))
    return found or ["the bytes differ, though not in what they say: line ends, spaces or the encoding"]


def _first(form: RecordStyle, expected: str, got: str) -> list[str]:
    compare = _FORMATS.get(form.format, compare_lines)
    if form.format == "csv":
        compare = partial(csv.compare, delimiter=form.delimiter)
    try:
        lines = _shown(compare(expected, got))
    except ValueError:
        lines = []
    return lines or _shown(compare_lines(expected, got))


def _shown(lines: Iterator[str]) -> list[str]:
    """Return as many lines as a screen shows, and whether there are more."""
    shown = list(islice(lines, MOST))
    return shown if next(lines, None) is None else [*shown, "and more"]


def compare_lines(expected: str, got: str) -> Iterator[str]:
    """Yield differing lines, - for expected and + for got, with a line of context."""
    found = unified_diff(expected.splitlines(), got.splitlines(), n=1, lineterm="")
    return (line if len(line) <= WIDEST else line[:WIDEST] + "…" for line in islice(found, 2, None))
