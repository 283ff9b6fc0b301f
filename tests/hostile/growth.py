"""How the work of a reader grows with its input, in processor time of this thread: other programs do not count."""

import gc
import itertools
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from receiver.core.problems import Problem
from receiver.formats.errors import RefusedError
from receiver.schemas.encodings import MalformedError

SIZES = (1_000, 6_000, 36_000)  # characters: quadratic work hangs at none, and takes a second at the largest
NOTICED = 0.02  # seconds: what is quicker at the largest size does no quadratic work, and could not be measured well
ALLOWED = 2.5  # times the work for twice the input: twice, and what caches and the machine add
ATTEMPTS = 6
EVERY_PAIR = "FUZZ_EXAMPLES" in os.environ  # `make properties`: four times as many inputs

Reader = Callable[[str], Any]


def units(special: str) -> Iterator[str]:
    """Yield each special character, alone, before the next one, and before a letter and a digit; or every pair."""
    yield from special
    some = [*itertools.pairwise(special), *itertools.product(special, "a1")]
    yield from map("".join, itertools.product(special, special + "a1") if EVERY_PAIR else some)


def inputs(
    special: str, openings: Iterable[str] = ("",), ends: Iterable[str] = ("", "!")
) -> Iterator[tuple[str, str, str]]:
    """Yield what an input begins with, what it is made of, and how it ends."""
    yield from itertools.product(openings, units(special), ends)


def growth(read: Reader, opening: str, unit: str, end: str) -> float:
    """Return how many times the work of an input one of twice its length takes; 0 where it is too little to tell."""

    def seconds(size: int) -> float:
        text = opening + unit * (size // len(unit)) + end
        gc.disable()  # it looks at all that there is, whoever made it
        start = time.thread_time()
        with suppress(Problem, RefusedError, MalformedError):
            read(text)
        used = time.thread_time() - start
        gc.enable()
        return used

    size = next((size for size in SIZES if seconds(size) >= NOTICED), 0)
    if not size:
        return 0
    ratios = (min(seconds(size) for _ in range(2)) / min(seconds(size // 2) for _ in range(2)) for _ in range(ATTEMPTS))
    return next((ratio for ratio in ratios if ratio <= ALLOWED), ALLOWED * 2)
