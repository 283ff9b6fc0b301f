"""CSV: as RFC 4180 has it, each row as wide as the first."""

import csv
import io
from collections.abc import Iterator

from receiver.core.problems import Violation


def violations(text: str, delimiter: str) -> tuple[Violation, ...]:
    """Return the faults, each with its line."""
    return tuple(_faults(text, delimiter))


def _faults(text: str, delimiter: str) -> Iterator[Violation]:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    width, line = 0, 1
    try:
        for row in rows:
            width = width or len(row)
            if len(row) != width:
                message = f"This row has {len(row)} columns and the first one has {width}."
                yield Violation(f"line {line}", "well-formed", message)
            line = rows.line_num + 1
    except csv.Error:
        yield Violation(f"line {line}", "well-formed", "A quoted cell is not closed as RFC 4180 has it.")
