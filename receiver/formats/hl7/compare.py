"""Compares HL7 v2 messages down to subcomponents, as `PID-3[2].4.1` (§2.7)."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

from receiver.formats import differences
from receiver.formats.differences import aligned

HEADERS = ("MSH", "FHS", "BHS")  # their first field is the separator itself
LEAST = 8  # characters of a header up to its delimiters


class _Delimiters(NamedTuple):
    """What a message is cut with, as its header declares."""

    field: str
    component: str
    repetition: str
    subcomponent: str


class _Segment(NamedTuple):
    label: str  # "DG1[2]" if there are several
    text: str
    name: str


def compare(expected: str, got: str) -> Iterator[str]:
    """Yield the differences of two messages. Raises ValueError for what is none."""
    delimiters = _delimiters(expected), _delimiters(got)
    one, other = _segments(expected), _segments(got)
    for a, b in aligned(one, other, lambda each: each.text, lambda each: each.name):
        if a is not None and b is not None:
            yield from _segment(one[a], other[b], delimiters)
        elif a is not None:
            yield differences.missing(one[a].label, differences.quoted(one[a].text))
        elif b is not None:
            yield differences.surplus(other[b].label, differences.quoted(other[b].text))


def _delimiters(message: str) -> _Delimiters:
    if not message.startswith(HEADERS) or len(message) < LEAST:
        raise ValueError("not an HL7 message")
    return _Delimiters(message[3], message[4], message[5], message[7])


def _segments(message: str) -> list[_Segment]:
    texts = [text for text in re.split(r"[\r\n]+", message) if text]
    total = Counter(text[:3] for text in texts)
    seen: Counter[str] = Counter()
    found = []
    for text in texts:
        name = text[:3]
        seen[name] += 1
        found.append(_Segment(f"{name}[{seen[name]}]" if total[name] > 1 else name, text, name))
    return found


def _segment(one: _Segment, other: _Segment, delimiters: tuple[_Delimiters, _Delimiters]) -> Iterator[str]:
    fields = _fields(one, delimiters[0].field), _fields(other, delimiters[1].field)
    for number, (a, b) in enumerate(zip_longest(*fields, fillvalue="")):
        where = f"{one.label}-{number}"
        if one.name in HEADERS and number <= 2:
            if a != b:
                yield differences.values(where, a, b)
        else:
            yield from _repetitions(where, a, b, delimiters)


def _fields(segment: _Segment, separator: str) -> list[str]:
    """Return the segment's name and its fields, each at its number."""
    name, *rest = segment.text.split(separator)
    return [name, separator, *rest] if name in HEADERS else [name, *rest]


def _repetitions(where: str, one: str, other: str, delimiters: tuple[_Delimiters, _Delimiters]) -> Iterator[str]:
    pieces = one.split(delimiters[0].repetition), other.split(delimiters[1].repetition)
    for number, a, b in _numbered(*pieces):
        place = f"{where}[{number}]" if max(map(len, pieces)) > 1 else where
        yield from _components(place, a, b, delimiters)


def _components(where: str, one: str, other: str, delimiters: tuple[_Delimiters, _Delimiters]) -> Iterator[str]:
    pieces = one.split(delimiters[0].component), other.split(delimiters[1].component)
    for number, a, b in _numbered(*pieces):
        place = f"{where}.{number}" if max(map(len, pieces)) > 1 else where
        yield from _subcomponents(place, a, b, delimiters)


def _subcomponents(where: str, one: str, other: str, delimiters: tuple[_Delimiters, _Delimiters]) -> Iterator[str]:
    pieces = one.split(delimiters[0].subcomponent), other.split(delimiters[1].subcomponent)
    for number, a, b in _numbered(*pieces):
        if a != b:
            yield differences.values(f"{where}.{number}" if max(map(len, pieces)) > 1 else where, a, b)


def _numbered(one: Sequence[str], other: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    return ((number, a, b) for number, (a, b) in enumerate(zip_longest(one, other, fillvalue=""), 1))
