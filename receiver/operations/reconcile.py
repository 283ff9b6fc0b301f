"""Reads the sourceIds in the platform's own list of documents, JSON or CSV."""

import csv
import io
import json
import re
from collections.abc import Sequence
from typing import Any

COLUMNS = ("sourceid", "documentid", "docid", "id")  # how lists call it, without case and punctuation; the best first


class UnreadableListError(ValueError):
    """A list in which no sourceIds can be found; says what was looked for."""


def source_ids(content: bytes, column: str | None = None) -> list[str]:
    """Return the sourceIds of a list, each once, in its order.

    JSON: an array of ids or of objects, also inside of one object. CSV: with a header. Without `column`, the usual
    names are tried.

    Raises `UnreadableListError`.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableListError("the list is not UTF-8") from None
    found = _json(text, column) if text.lstrip()[:1] in ("[", "{") else _csv(text, column)
    return list(dict.fromkeys(each for each in found if each))


def _json(text: str, column: str | None) -> list[str]:
    try:
        document = json.loads(text)
    except ValueError:
        raise UnreadableListError("the list is no JSON") from None
    if isinstance(document, dict):
        document = next((value for value in document.values() if isinstance(value, list)), [])
    if all(isinstance(item, str | int) for item in document):
        return [str(item) for item in document]
    objects = [item for item in document if isinstance(item, dict)]
    name = _column(sorted({name for item in objects for name in item}), column)
    return [_text(item.get(name)) for item in objects]


def _csv(text: str, column: str | None) -> list[str]:
    try:
        delimiter = csv.Sniffer().sniff(text[:4096], delimiters=",;\t|").delimiter
    except csv.Error:  # a single column
        delimiter = ","
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    name = _column(list(rows.fieldnames or ()), column)
    return [_text(row.get(name)) for row in rows]


def _column(names: Sequence[str], wanted: str | None) -> str:
    if wanted is not None:
        if wanted in names:
            return wanted
        raise UnreadableListError(f"the list has no column {wanted}; it has {', '.join(names) or 'none'}")
    plain = {re.sub(r"[^a-z]", "", name.lower()): name for name in reversed(names)}
    for usual in COLUMNS:
        if usual in plain:
            return plain[usual]
    raise UnreadableListError(f"no column looks like the sourceId; name it with --column: {', '.join(names) or 'none'}")


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()
