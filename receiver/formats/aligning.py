"""Finds which items of two lists belong together, so that one more item does not make all that follow differ."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import TypeVar

Item = TypeVar("Item")
Pair = tuple[int | None, int | None]


def aligned(
    expected: Sequence[Item],
    got: Sequence[Item],
    whole: Callable[[Item], Hashable],
    kind: Callable[[Item], Hashable],
) -> Iterator[Pair]:
    """Yield the indexes of items that belong together; None where an item has no other.

    Equal items go first, told by `whole`; of those between them, items of one `kind` in their order.
    """
    for tag, a, a_end, b, b_end in _operations([whole(item) for item in expected], [whole(item) for item in got]):
        if tag == "equal":
            yield from zip(range(a, a_end), range(b, b_end), strict=True)
            continue
        kinds = [kind(item) for item in expected[a:a_end]], [kind(item) for item in got[b:b_end]]
        for inner, c, c_end, d, d_end in _operations(*kinds):
            if inner == "equal":
                yield from zip(range(a + c, a + c_end), range(b + d, b + d_end), strict=True)
            else:
                yield from ((index, None) for index in range(a + c, a + c_end))
                yield from ((None, index) for index in range(b + d, b + d_end))


def _operations(one: Sequence[Hashable], other: Sequence[Hashable]) -> Sequence[tuple[str, int, int, int, int]]:
    return SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
