"""Where on the pages of the document the platform has read each field, if it says so."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from receiver.core.delivery import Region
from receiver.metadata.fields import MAX_FIELDS, Absent, Found, Path

OVER = 0.02  # fractions of a page that a box may stand out of it: skewed scans and rounding
MAX_NUMBERS = 200  # numbers of one box: a polygon has eight as a rule

Numbers = Callable[[Any, Path], Iterator[float]]  # as json.numbers


@dataclass(frozen=True, slots=True)
class Placing:
    """The paths to it."""

    page: Path  # from the field: its page, counted from 1
    box: Path  # from the field: left, top, right, bottom, or the corners of a polygon
    size: Path | None  # from the document: width and height of each page in the box's unit; None: boxes are fractions


def regions(
    found: Found, top: Any, name: Path, aliases: Mapping[str, str], placing: Placing, numbers: Numbers
) -> dict[str, Region]:
    """Return where each field stands, by its name, the first if it comes several times; no entry if that is unsaid."""
    told: dict[str, Region] = {}
    sizes = list(numbers(top, placing.size)) if placing.size else [1.0, 1.0]
    for item in found.items[:MAX_FIELDS]:
        given = name.find(item)
        region = _region(list(numbers(item, placing.page)), list(numbers(item, placing.box)), sizes)
        if region and isinstance(given, str):
            told.setdefault(aliases.get(given, given), region)
    return told


def _region(page: Sequence[float], box: Sequence[float], sizes: Sequence[float]) -> Region | None:
    """Return the box as fractions of its page; None for what is no page, no box, or lies outside the page."""
    if len(page) != 1 or page[0] < 1 or page[0] != int(page[0]):
        return None
    if len(box) < 4 or len(box) % 2 or len(box) > MAX_NUMBERS:
        return None
    at = 0 if len(sizes) == 2 else 2 * (int(page[0]) - 1)
    if len(sizes) < at + 2 or min(sizes[at : at + 2]) <= 0:
        return None
    across = [each / sizes[at] for each in box[::2]]
    down = [each / sizes[at + 1] for each in box[1::2]]
    edges = min(across), min(down), max(across), max(down)
    if min(edges) < -OVER or max(edges) > 1 + OVER or edges[0] == edges[2] or edges[1] == edges[3]:
        return None
    left, top, right, bottom = (round(min(max(edge, 0.0), 1.0), 4) for edge in edges)
    return Region(int(page[0]), ((left, top, right, bottom),))


def read_numbers(values: Iterable[Any]) -> Iterator[float]:
    """Yield the numbers that stand there, also those of lists and of text, such as "0.1 0.2"; none if one is none."""
    try:
        found = list(_numbers(values))
    except (ValueError, OverflowError):
        return
    if all(map(math.isfinite, found)):
        yield from found


def _numbers(values: Iterable[Any]) -> Iterator[float]:
    for value in values:
        if isinstance(value, list):
            yield from _numbers(value)
        elif isinstance(value, str):
            yield from map(float, value.replace(",", " ").replace(";", " ").split())
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield float(value)
        elif value is not None and not isinstance(value, Absent):
            raise ValueError
