"""Names of parts that may be globs: whether one name can match two of them."""

import re
from fnmatch import fnmatchcase
from functools import cache

TOKEN = re.compile(r"\*|\?|\[!?\]?[^\]]*\]|.", re.DOTALL)  # as fnmatch reads them
SPECIAL = re.compile(r"[*?]|\[!?\]?[^\]]*\]")


def is_glob(name: str) -> bool:
    """Tell whether a part's name matches others than itself."""
    return SPECIAL.search(name) is not None


def overlap(first: str, second: str) -> bool:
    """Tell whether there is a name that both globs match."""
    one, other = TOKEN.findall(first), TOKEN.findall(second)

    @cache
    def meet(left: int, right: int) -> bool:
        if left == len(one) or right == len(other):
            return {*one[left:], *other[right:]} <= {"*"}
        if one[left] == "*":
            return meet(left + 1, right) or meet(left, right + 1)
        if other[right] == "*":
            return meet(left, right + 1) or meet(left + 1, right)
        return _share(one[left], other[right]) and meet(left + 1, right + 1)

    return meet(0, 0)


def _share(one: str, other: str) -> bool:
    """Tell whether two tokens for a single character have one in common: among printable ASCII and those they name."""
    candidates = {*map(chr, range(32, 127)), *one, *other}
    return any(fnmatchcase(letter, one) and fnmatchcase(letter, other) for letter in candidates)
