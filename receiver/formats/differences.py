"""Finds what differs in two records; an added item shifts none that follow."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from difflib import SequenceMatcher
from operator import ne
from typing import TypeVar

Item = TypeVar("Item")
Pair = tuple[int | None, int | None]


def aligned(
    expected: Sequence[Item],
    got: Sequence[Item],
    whole: Callable[[Item], Hashable],
    kind: Callable[[Item], Hashable],
) -> Iterator[Pair]:
    """Yield the indexes of items that belong together; None if an item has no other.

    Equal items go first, compared by `whole`; of those between them, items of one `kind` in their order.
    """
    for _, a, a_end, b, b_end in _operations([whole(item) for item in expected], [whole(item) for item in got]):
        kinds = [kind(item) for item in expected[a:a_end]], [kind(item) for item in got[b:b_end]]
        for tag, c, c_end, d, d_end in _operations(*kinds):
            if tag == "equal":
                yield from enumerate(range(b + d, b + d_end), a + c)
            else:
                yield from ((index, None) for index in range(a + c, a + c_end))
                yield from ((None, index) for index in range(b + d, b + d_end))


def _operations(one: Sequence[Hashable], other: Sequence[Hashable]) -> Sequence[tuple[str, int, int, int, int]]:
    return SequenceMatcher(None, one, other, autojunk=False).get_opcodes()


LONGEST = 72  # characters shown of one value
BEFORE = 20  # of them, before the place where two long values part


def changed(where: str, expected: str, got: str) -> str:
    """Say that a value is another one."""
    return f"{where}: expected {expected}, got {got}"


def missing(where: str, expected: str) -> str:
    """Say that something expected is not there."""
    return f"{where}: missing, expected {expected}"


def surplus(where: str, got: str) -> str:
    """Say that something is there that was not expected."""
    return f"{where}: not expected, got {got}"


def values(where: str, expected: str, got: str) -> str:
    """Describe how two texts differ; long ones are shown from the first difference."""
    return changed(where, *excerpts(expected, got))


def excerpts(expected: str, got: str) -> tuple[str, str]:
    """Return two texts in quotes, cut to the part in which they first differ."""
    shorter, longer = sorted([len(expected), len(got)])
    apart = next((place for place, differs in enumerate(map(ne, expected, got)) if differs), shorter)
    start = max(0, apart - BEFORE) if longer > LONGEST else 0
    return quoted(expected, start), quoted(got, start)


def quoted(text: str, start: int = 0) -> str:
    """Return a text in quotes, on one line, cut if it is long."""
    piece = text[start : start + LONGEST]
    before, after = "…" if start else "", "…" if start + LONGEST < len(text) else ""
    return '"' + before + piece.replace("\r", "\\r").replace("\n", "\\n") + after + '"'
