"""Finds the columns of name, value and confidence: by shape, then by words.

Points are from 0 to about 100 for each role; what counts is only which column has the most.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

from receiver.authoring.draft.columns import Column, is_blank, is_name
from receiver.authoring.draft.wanted import NONE, Wanted
from receiver.authoring.draft.words import CONFIDENCES, LISTS, NAMES, PLACES, VALUES, likeness

WORD = 0.3  # what a word counts beside the shape
ENOUGH = 40  # points of a name: less is a mere text
MEAN = 50  # percent: what is read is surer than that on the whole; a number that is not, counts something else
DEEP = 3  # points off for each step further down
FIRST = 15  # points of a name that stands before its value, as people write it; names may come again, values differ


@dataclass(frozen=True, slots=True)
class Roles:
    """The columns of a list of fields."""

    name: Column
    value: Column
    confidence: Column | None
    points: float


def roles(columns: Sequence[Column], wanted: Wanted, *, alone: bool) -> Roles | None:
    """Return the roles of the columns; None if there is no name with a value.

    `alone`: the items have no siblings. Then their shape says nothing, and their words must.
    """
    places = permutations(enumerate(_with_wanted(columns, wanted)), 2)
    pairs = [
        (_name(name, wanted) + value_points(value, wanted) + FIRST * (here < there), -number, name, value)
        for number, ((here, name), (there, value)) in enumerate(places)
        if _can_be_name(name, wanted, alone=alone) and _can_be_value(value, wanted, alone=alone)
    ]
    if not pairs:
        return None
    points, _, name, value = max(pairs, key=lambda each: each[:2])
    others = [each for each in columns if each not in (name, value)]
    if sure := confidence(others, wanted):
        return Roles(name, value, sure, points)
    beside = confidence([each for each in others if _owner(each) == _owner(value)], wanted)
    return Roles(name, value, beside, points - (SURE if beside else 0))  # of several: no sign that these are fields


def value_of(columns: Sequence[Column], wanted: Wanted) -> Column | None:
    """Return the value among the columns of fields that are named by what holds them."""
    every = [each for each in _with_wanted(columns, wanted) if _can_be_value(each, wanted, alone=False)]
    return max(every, key=lambda each: value_points(each, wanted), default=None)


def confidence(columns: Sequence[Column], wanted: Wanted) -> Column | None:
    """Return the confidence; None without one, or if only words tell two apart."""
    if wanted.confidence == NONE:
        return None
    if wanted.confidence:
        return _given(columns, wanted.confidence)
    found = sorted(
        ((_sure(each) + each.everywhere, each) for each in columns if _sure(each)), key=lambda each: -each[0]
    )
    clear = [points for points, _ in found if points == found[0][0]]
    return found[0][1] if len(clear) == 1 else None


def _owner(column: Column) -> str:
    return column.path.rpartition(".")[0]


def name_points(column: Column) -> float:
    """Return how much a column looks like the name.

    Texts that differ within a document, short, and the same in every document.
    """
    again = column.recurring()
    return 30 * column.distinct() + 30 * column.called() + (30 * again if again is not None else 0)


def value_points(column: Column, wanted: Wanted) -> float:
    """Return how much a column looks like the value.

    Texts of any form, some empty, that differ between documents.
    """
    if column.path == wanted.value:
        return 100
    again = column.recurring()
    points = 20 * column.distinct() + 30 * (1 - column.called()) + WORD * likeness(column.word, VALUES)
    points += 20 * (1 - again) if again is not None else 0
    points += 10 if any(map(is_blank, column.values)) else 0
    points += 15 if column.path == "." else 0  # an element's own text
    points -= 40 * (1 - len(column.values) / column.items)  # a value that few fields have
    points -= 60 if _sure(column) else 15 if column.numbers() else 0
    points -= 40 if column.counts() or column.is_key() else 0
    points -= 40 if any(isinstance(value, list) for value in column.values) else 0  # a box on the page
    return points - DEEP * _depth(column)


def _name(column: Column, wanted: Wanted) -> float:
    if column.path == wanted.name:
        return 100
    return name_points(column) + WORD * likeness(column.word, NAMES) - DEEP * _depth(column)


def _can_be_name(column: Column, wanted: Wanted, *, alone: bool) -> bool:
    if wanted.name:
        return column.path == wanted.name
    if not column.everywhere or not all(map(is_name, column.values)):
        return False
    known = likeness(column.word, NAMES) > 0
    differ = len(set(column.values)) > 1 and not column.counts() and not column.is_key()
    return known if alone else known or (differ and name_points(column) > ENOUGH)


def _can_be_value(column: Column, wanted: Wanted, *, alone: bool) -> bool:
    if wanted.value:
        return column.path == wanted.value
    known = likeness(column.word, VALUES) > 0
    place = likeness(column.word, PLACES) > 0 and bool(column.numbers()) and not known
    return bool(column.texts) and not place and (known or column.path == "." or not alone)


def _sure(column: Column) -> float:
    """Return how much a column looks like the confidence.

    Numbers up to 1 or up to 100; percents are mostly high.
    """
    numbers, known = column.numbers(), likeness(column.word, CONFIDENCES)
    if not numbers or not all(0 <= each <= 100 for each in numbers):
        return 0
    if known:
        return 50 + known
    if likeness(column.word, PLACES) or column.counts():
        return 0
    if max(numbers) <= 1:
        return 40 if any(0 < each < 1 for each in numbers) else 0
    return 30 if sum(numbers) >= MEAN * len(numbers) and len(numbers) > 1 else 0


def _with_wanted(columns: Sequence[Column], wanted: Wanted) -> list[Column]:
    """Add a column for each path of the owner's that is none yet, such as a function."""
    known = {column.path for column in columns}
    named = [path for path in (wanted.name, wanted.value) if path and path not in known]
    return [*columns, *(_given(columns, path) for path in dict.fromkeys(named))]


def _given(columns: Sequence[Column], path: str) -> Column:
    return next((each for each in columns if each.path == path), Column(path, "", (path,), (0,), 1))


def _depth(column: Column) -> int:
    return column.path.count("/") + column.path.count(".") - (column.path == ".")


MANY = 20  # fields; from there on more of them make a list no likelier
SURE = 40  # points of a list whose items tell how sure each is
SINGLE = 50  # points of single values, each under its own name: less than of names with values, if both are there


@dataclass(frozen=True, slots=True)
class Candidate:
    """The paths of `[fields]`, and how likely they are meant."""

    each: str
    name: str
    value: str
    confidence: str | None
    likely: float
    single: bool = False  # mere single values, each taken for a field


@dataclass(frozen=True, slots=True)
class Found:
    """Some things that may be fields."""

    each: str  # their path
    word: str  # what they stand in is called
    count: int
    covered: float  # how much of all that is said they say, 0–1

    def candidate(self, name: str, value: str, confidence: Column | None, points: float) -> Candidate:
        """Return how names and values are read; `points` rate how well they fit."""
        likely = points + self._points() + (SURE if confidence else 0)
        return Candidate(self.each, name, value, confidence.path if confidence else None, likely)

    def single(self, name: str, value: str) -> Candidate:
        """Return how single values are read."""
        known = likeness(self.word, LISTS) > 0
        return Candidate(self.each, name, value, None, SINGLE + self._points(), single=not known)

    def _points(self) -> float:
        return 60 * min(self.covered, 1) + WORD * likeness(self.word, LISTS) + min(self.count, MANY)
