"""One way to read the fields of some documents, and how likely it is meant."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from receiver.drafting.words import CONFIDENCES, NAMES, VALUES, likeness


@dataclass(frozen=True, slots=True)
class Candidate:
    """The paths of `[fields]`, and how likely they are meant."""

    each: str
    name: str
    value: str
    confidence: str | None
    likely: int


@dataclass(frozen=True, slots=True)
class Column:
    """What stands at one path below each of some items."""

    path: str
    word: str  # the last name on the path
    values: tuple[Any, ...]  # of the items that have it
    items: int

    @property
    def everywhere(self) -> bool:
        """Tell whether every item has it."""
        return len(self.values) == self.items

    @property
    def says_something(self) -> bool:
        """Tell whether one of the values is not empty."""
        return any(value not in (None, "") for value in self.values)


@dataclass(frozen=True, slots=True)
class Roles:
    """The columns of a list of fields."""

    name: Column
    value: Column
    confidence: Column | None
    likely: int


def roles(columns: Iterable[Column]) -> Roles | None:
    """Tell which column is the name, which the value and which the confidence; None where that is not clear."""
    every = list(columns)
    names = [column for column in every if column.everywhere and all(map(_is_name, column.values))]
    name = _best(names, NAMES)
    value = _best([column for column in every if column is not name and column.says_something], VALUES)
    if name is None or value is None:
        return None
    numbers = [column for column in every if column not in (name, value) and all(map(is_confidence, column.values))]
    confidence = _best(numbers, CONFIDENCES)
    likely = likeness(name.word, NAMES) + likeness(value.word, VALUES) + (50 if confidence else 0)
    return Roles(name, value, confidence, likely)


def value_roles(columns: Iterable[Column]) -> tuple[Column | None, Column | None]:
    """Tell value and confidence among the columns of fields that are named by what holds them."""
    every = list(columns)
    value = _best([column for column in every if column.says_something], VALUES)
    numbers = [column for column in every if column is not value and all(map(is_confidence, column.values))]
    return value, _best(numbers, CONFIDENCES)


def is_confidence(value: Any) -> bool:
    """Tell whether a value can be a confidence: 0–1, or percent."""
    if value is None or value == "":
        return True
    try:
        return not isinstance(value, bool) and 0 <= float(value) <= 100
    except (TypeError, ValueError):
        return False


def _best(columns: Iterable[Column], known: tuple[str, ...]) -> Column | None:
    """Return the likeliest column; a nearer one of two that are alike."""
    scored = [(likeness(column.word, known), -len(column.path), column) for column in columns]
    best = max(scored, key=lambda each: each[:2], default=(0, 0, None))
    return best[2] if best[0] else None


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value) <= 200 and value.isprintable()
