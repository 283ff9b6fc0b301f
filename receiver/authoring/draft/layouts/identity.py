"""The document's own id: which of the single values outside of the fields looks like one."""

import re
from collections.abc import Iterable, Sequence

from receiver.authoring.draft.layouts.columns import UUID, Column
from receiver.authoring.draft.words import IDS, OTHERS, PARTLY, PLACES, likeness, role
from receiver.metadata.fields import source_id_fault

CODE = re.compile(r"[^\W_][\w./:#+-]{3,63}")
MOMENT = re.compile(r"(19|20)\d\d([-/.]?\d\d){0,2}([T ].*)?|\d\d?[-/.]\d\d?[-/.]\d{4}.*|\d\d:\d\d.*")
VERSION = re.compile(r"v?\d{1,3}(\.\d{1,4})*", re.IGNORECASE)
FILE = re.compile(r".*\.[a-z]{3,4}", re.IGNORECASE)
DIGITS = 3  # of a code that tells one document from others


def likeliest(columns: Iterable[Column], documents: int, *, by_shape: bool) -> str | None:
    """Return the path of the likeliest id; None where nothing looks like one.

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
    """Tell whether a column could be the id: once in every document, and text that an id may be."""
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
    """Return how much some texts look like ids: made to tell one document from all others."""
    if all(map(UUID.fullmatch, texts)):
        return 60
    if any(MOMENT.fullmatch(text) or VERSION.fullmatch(text) or not CODE.fullmatch(text) for text in texts):
        return 0
    if any(sum(map(str.isdigit, text)) < DIGITS for text in texts):
        return 0
    return 40 if all(map(str.isdigit, texts)) else 50
