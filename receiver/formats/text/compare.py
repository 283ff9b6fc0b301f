"""Any other text, by lines."""

from collections.abc import Iterator
from difflib import unified_diff
from itertools import islice

WIDEST = 200  # characters shown of one line


def compare(expected: str, got: str) -> Iterator[str]:
    """Yield the lines that differ, each with - for expected and + for got, and one line around them."""
    found = unified_diff(expected.splitlines(), got.splitlines(), n=1, lineterm="")
    return (line if len(line) <= WIDEST else line[:WIDEST] + "…" for line in islice(found, 2, None))
