"""Fields in JSON of any shape. xml.py has the same functions; paths are JMESPath."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from receiver.drafting.layouts.candidate import Candidate, Column, roles, value_roles
from receiver.drafting.words import IDS, LISTS, likeness
from receiver.metadata import json as form

Steps = tuple[str, ...]  # names from the root; "[]" goes through a list
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
MAX_DEPTH = 3  # levels looked at below one field
Scalar = str | int | float | bool | None


def found(documents: Sequence[Any]) -> Iterator[Candidate]:
    """Yield every way to read the fields."""
    for steps, items in _collected(documents, list).items():
        yield from _rows(steps, items)
    for steps, objects in _collected(documents, dict).items():
        if "[]" not in steps:
            yield from _members(steps, objects)


def source_id(documents: Sequence[Any], candidate: Candidate) -> str | None:
    """Return the likeliest path of the document's own id."""
    scored = []
    for steps, values in _scalars(documents).items():
        inside = candidate.each not in ("@", "*") and _written(steps).startswith(candidate.each.split("[")[0])
        if "[]" not in steps and not inside and len(values) == len(documents) and all(map(_is_id, values)):
            distinct = len(set(map(str, values))) == len(documents)
            scored.append((likeness(steps[-1], IDS), distinct, -len(steps), _written(steps)))
    best = max(scored, default=(0, False, 0, ""))
    return best[3] if best[0] else _named_id(documents, candidate)


def _named_id(documents: Sequence[Any], candidate: Candidate) -> str | None:
    """Return the path of the id where it is one of the fields."""
    names = {name for document in documents for name in _names(document, candidate)}
    best = max(((likeness(name, IDS), name) for name in sorted(names)), default=(0, ""))
    if not best[0] or candidate.name == "key":
        return None
    each = candidate.each if candidate.each.endswith("[]") else f"{candidate.each}[]"
    return f"{each[:-2]}[?{candidate.name}=={_literal(best[1])}].{candidate.value} | [0]"


def _names(document: Any, candidate: Candidate) -> Iterator[str]:
    for item in form.path(candidate.each).find(document) or ():
        name = form.path(candidate.name).find(item)
        if isinstance(name, str):
            yield name


def _rows(steps: Steps, items: list[Any]) -> Iterator[Candidate]:
    """Yield how a list of objects is read, each of them one field."""
    rows = [item for item in items if isinstance(item, dict)]
    chosen = roles(_columns(rows)) if rows and len(rows) == len(items) else None
    if chosen:
        value = chosen.value.path if chosen.value.everywhere else f"not_null({chosen.value.path})"
        likely = chosen.likely + _list_likeness(steps) + min(len(items), 20)
        confidence = chosen.confidence.path if chosen.confidence else None
        each = _written((*steps, "[]") if "[]" in steps else steps)  # the inner lists become one
        yield Candidate(each, chosen.name.path, value, confidence, likely)


def _members(steps: Steps, objects: list[Any]) -> Iterator[Candidate]:
    """Yield how an object is read, each member of it one field."""
    members = [value for each in objects for value in each.values()]
    inner = [member for member in members if isinstance(member, dict)]
    value, confidence = value_roles(_columns(inner))
    if inner and len(inner) == len(members) and value and value.everywhere:
        likely = likeness(value.word, (value.word,)) + (50 if confidence else 0) + _list_likeness(steps)
        path = f"value.{confidence.path}" if confidence else None
        yield Candidate(_written(steps), "key", f"value.{value.path}", path, likely + min(len(members), 20))
    scalars = sum(1 for member in members if isinstance(member, Scalar))
    if scalars:
        yield Candidate(_written(steps), "key", "value", None, _list_likeness(steps) // 2 + min(scalars, 20))


def _list_likeness(steps: Steps) -> int:
    named = [step for step in steps if step != "[]"]
    return likeness(named[-1], LISTS) if named else 0


def _collected(documents: Sequence[Any], kind: type) -> dict[Steps, list[Any]]:
    """Return the items of all lists, or all objects, by where they stand."""
    gathered: dict[Steps, list[Any]] = {}
    for document in documents:
        for steps, value in _walk((), document):
            if isinstance(value, kind):
                gathered.setdefault(steps, []).extend(value if isinstance(value, list) else [value])
    return gathered


def _walk(steps: Steps, value: Any) -> Iterator[tuple[Steps, Any]]:
    yield steps, value
    if isinstance(value, dict):
        for key, below in value.items():
            yield from _walk((*steps, key), below)
    elif isinstance(value, list):
        for below in value:
            yield from _walk((*steps, "[]"), below)


def _scalars(documents: Sequence[Any]) -> dict[Steps, list[Any]]:
    gathered: dict[Steps, list[Any]] = {}
    for document in documents:
        for steps, value in _walk((), document):
            if steps and isinstance(value, Scalar):
                gathered.setdefault(steps, []).append(value)
    return gathered


def _columns(rows: Sequence[dict[str, Any]]) -> Iterator[Column]:
    gathered: dict[Steps, list[Any]] = {}
    for row in rows:
        for steps, value in _walk((), row):
            if steps and "[]" not in steps and len(steps) <= MAX_DEPTH and not isinstance(value, dict):
                gathered.setdefault(steps, []).append(value)
    for steps, values in gathered.items():
        yield Column(_written(steps), steps[-1], tuple(values), len(rows))


def _is_id(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and bool(str(value).strip())


def _written(steps: Steps) -> str:
    """Write a JMESPath: `result.pages[].fields`."""
    path = ""
    for step in steps:
        name = step if IDENTIFIER.fullmatch(step) else json.dumps(step, ensure_ascii=False)
        path += step if step == "[]" else f".{name}" if path else name
    return path or "@"


def _literal(text: str) -> str:
    """Write a text as JMESPath's raw string."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
