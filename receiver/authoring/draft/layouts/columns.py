"""What stands at one path below each of some items, and what its texts look like."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

MAX_NAME = 200  # characters that a delivery's field name may have
CALLED = re.compile(r"[^\W\d_][\w .:/()#&?*'%+-]{0,39}")  # a name, as people give it: short, begins with a letter
MAX_WORDS = 4  # of a name
MAX_DIGITS = 1 / 3  # of a name's letters: "Address 2" is one, "E11.9" is a value
UUID = re.compile(r"\{?[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\}?", re.IGNORECASE)
RUNNING = re.compile(r"(.*?)([0-9]+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Column:
    """What stands at one path below each of some items."""

    path: str
    word: str  # the last name on the path
    values: tuple[Any, ...]  # of the items that have it
    documents: tuple[int, ...]  # the number of the document that each value is from
    items: int

    @property
    def everywhere(self) -> bool:
        """Tell whether every item has it."""
        return len(self.values) == self.items

    @property
    def texts(self) -> list[str]:
        """Return what is not empty, as text."""
        return [str(value).strip() for value in self.values if not is_blank(value)]

    def by_document(self) -> list[set[str]]:
        """Return the different texts of each document."""
        gathered: dict[int, set[str]] = {}
        for value, document in zip(self.values, self.documents, strict=True):
            gathered.setdefault(document, set()).add(str(value).strip())
        return list(gathered.values())

    def distinct(self) -> float:
        """Return how different the values within each document are, to 1."""
        return sum(map(len, self.by_document())) / (len(self.values) or 1)

    def recurring(self) -> float | None:
        """Return how many of the different texts come in more than one document, 0–1; None where there is one."""
        documents = self.by_document()
        if len(documents) < 2:
            return None
        every = set().union(*documents)
        return sum(1 for text in every if sum(text in each for each in documents) > 1) / len(every)

    def called(self) -> float:
        """Return how many of the texts look like names, 0–1."""
        return sum(map(_is_called, self.texts)) / (len(self.texts) or 1)

    def numbers(self) -> list[float]:
        """Return the values as numbers; [] where one of them is none."""
        numbers = [number(value) for value in self.values if not is_blank(value)]
        return [each for each in numbers if each is not None] if None not in numbers else []

    def counts(self) -> bool:
        """Tell whether the values only number the items: 1, 2, 3 or f10, f20, f30."""
        found = [RUNNING.fullmatch(text) for text in self.texts]
        parts = [(each[1], int(each[2])) for each in found if each]
        if len(parts) < 2 or len(parts) < len(found) or len({prefix for prefix, _ in parts}) > 1:
            return False
        steps = {after - before for (_, before), (_, after) in pairwise(parts)}
        return len(steps) == 1 and 0 < max(steps) <= 10

    def is_key(self) -> bool:
        """Tell whether the values are made by a machine to tell items apart: UUIDs, or codes of one length."""
        texts = self.texts
        if texts and all(map(UUID.fullmatch, texts)):
            return True
        alike = len({len(text) for text in texts}) == 1 and all(any(map(str.isdigit, text)) for text in texts)
        return len(texts) > 2 and alike and self.distinct() == 1


def column(path: str, word: str, found: Sequence[tuple[int, Any]], items: int) -> Column:
    """Make a column out of values, each with the number of its document."""
    return Column(path, word, tuple(value for _, value in found), tuple(number for number, _ in found), items)


def is_blank(value: Any) -> bool:
    """Tell whether nothing is said."""
    return value is None or (isinstance(value, str) and not value.strip())


def number(value: Any) -> float | None:
    """Return a value as a number; None where it is none."""
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def is_name(value: Any) -> bool:
    """Tell whether a value can be a field's name at all."""
    return isinstance(value, str) and bool(value.strip()) and len(value) <= MAX_NAME and value.isprintable()


def _is_called(text: str) -> bool:
    digits = sum(map(str.isdigit, text))
    return bool(CALLED.fullmatch(text)) and len(text.split()) <= MAX_WORDS and digits <= MAX_DIGITS * len(text)
