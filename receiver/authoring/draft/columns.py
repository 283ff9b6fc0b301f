"""What stands at one path below each of some items, and what its texts look like."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from receiver.authoring.draft.words import IDS, OTHERS, PARTLY, PLACES, likeness, role
from receiver.metadata.fields import source_id_fault

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
        """Return whether every item has it."""
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
        """Return how many of the texts come in more than one document, 0–1; None for one."""
        documents = self.by_document()
        if len(documents) < 2:
            return None
        every = set().union(*documents)
        return sum(1 for text in every if sum(text in each for each in documents) > 1) / len(every)

    def called(self) -> float:
        """Return how many of the texts look like names, 0–1."""
        return sum(map(_is_called, self.texts)) / (len(self.texts) or 1)

    def numbers(self) -> list[float]:
        """Return the values as numbers; [] if one of them is none."""
        numbers = [number(value) for value in self.values if not is_blank(value)]
        return [each for each in numbers if each is not None] if None not in numbers else []

    def counts(self) -> bool:
        """Return whether the values only number the items: 1, 2, 3 or f10, f20, f30."""
        found = [RUNNING.fullmatch(text) for text in self.texts]
        parts = [(each[1], int(each[2])) for each in found if each]
        if len(parts) < 2 or len(parts) < len(found) or len({prefix for prefix, _ in parts}) > 1:
            return False
        steps = {after - before for (_, before), (_, after) in pairwise(parts)}
        return len(steps) == 1 and 0 < max(steps) <= 10

    def is_key(self) -> bool:
        """Return whether values are machines' keys: UUIDs, or codes of one length."""
        texts = self.texts
        if texts and all(map(UUID.fullmatch, texts)):
            return True
        alike = len({len(text) for text in texts}) == 1 and all(any(map(str.isdigit, text)) for text in texts)
        return len(texts) > 2 and alike and self.distinct() == 1


def column(path: str, word: str, found: Sequence[tuple[int, Any]], items: int) -> Column:
    """Make a column out of values, each with the number of its document."""
    return Column(path, word, tuple(value for _, value in found), tuple(number for number, _ in found), items)


def is_blank(value: Any) -> bool:
    """Return whether nothing is said."""
    return value is None or (isinstance(value, str) and not value.strip())


def number(value: Any) -> float | None:
    """Return a value as a number; None if it is none."""
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def is_name(value: Any) -> bool:
    """Return whether a value can be a field's name at all."""
    return isinstance(value, str) and bool(value.strip()) and len(value) <= MAX_NAME and value.isprintable()


def _is_called(text: str) -> bool:
    digits = sum(map(str.isdigit, text))
    return bool(CALLED.fullmatch(text)) and len(text.split()) <= MAX_WORDS and digits <= MAX_DIGITS * len(text)


CODE = re.compile(r"[^\W_][\w./:#+-]{3,63}")
MOMENT = re.compile(r"(19|20)\d\d([-/.]?\d\d){0,2}([T ].*)?|\d\d?[-/.]\d\d?[-/.]\d{4}.*|\d\d:\d\d.*")
VERSION = re.compile(r"v?\d{1,3}(\.\d{1,4})*", re.IGNORECASE)
FILE = re.compile(r".*\.[a-z]{3,4}", re.IGNORECASE)
DIGITS = 3  # of a code that tells one document from others


def likeliest(columns: Iterable[Column], documents: int, *, by_shape: bool) -> str | None:
    """Return the path of the likeliest id; None if nothing looks like one.

    Without `by_shape` only words tell: among single values that are fields, the patient's number looks like an id.
    """
    scored = [
        (_points(column, by_shape=by_shape), -column.path.count("/") - column.path.count("."), column.path)
        for column in columns
        if can_be_id(column, documents)
    ]
    best = max(scored, default=(0, 0, ""))
    return best[2] if best[0] > 0 else None


def likeliest_name(names: Iterable[str]) -> str | None:
    """Return which of the fields' names is that of the document's id."""
    scored = [(likeness(name, IDS), name) for name in sorted(set(names)) if not _of_another(name)]
    best = max(scored, default=(0, ""))
    return best[1] if best[0] > PARTLY else None


def can_be_id(column: Column, documents: int) -> bool:
    """Return whether a column could be the id: unique, and text that an id may be."""
    values = [value if isinstance(value, str) else str(value) for value in column.values if _is_text(value)]
    return len(values) == documents == len(column.values) and not any(map(source_id_fault, values))


def _points(column: Column, *, by_shape: bool) -> int:
    if _of_another(column.word) or any(map(FILE.fullmatch, column.texts)):  # an image's name: scanners begin anew
        return 0
    points = likeness(column.word, IDS) + (_shape(column.texts) if by_shape else 0)
    return points if column.distinct() * len(set(column.texts)) == len(column.values) else points - 50


def _of_another(word: str) -> bool:
    return likeness(word, OTHERS) > 0 or likeness(word, PLACES) > PARTLY or role(word) == "mrn"


def _is_text(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _shape(texts: Sequence[str]) -> int:
    """Return how much some texts look like ids."""
    if all(map(UUID.fullmatch, texts)):
        return 60
    if any(MOMENT.fullmatch(text) or VERSION.fullmatch(text) or not CODE.fullmatch(text) for text in texts):
        return 0
    if any(sum(map(str.isdigit, text)) < DIGITS for text in texts):
        return 0
    return 40 if all(map(str.isdigit, texts)) else 50
