"""Fields in JSON of any shape. xml.py has the same functions; paths are JMESPath."""

import json
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

from receiver.authoring.draft.columns import Column, column, is_blank
from receiver.authoring.draft.roles import Candidate, Found, confidence, name_points, roles, value_of, value_points
from receiver.authoring.draft.wanted import Wanted
from receiver.metadata import json as form

Steps = tuple[str, ...]  # names from the root; "[]" goes through a list
Items = Sequence[tuple[int, Any]]  # each with the number of its document
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
MAX_DEPTH = 3  # levels looked at below one field
Scalar = str | int | float | bool | None


def found(documents: Sequence[Any], wanted: Wanted) -> Iterator[Candidate]:
    """Yield every way to read the fields, at the owner's paths if there are some."""
    total = sum(map(_size, documents)) or 1
    for steps, items in places(documents, list, wanted).items():
        rows = [(number, item) for number, each in items for item in each]
        each = path_of((*steps, "[]") if "[]" in steps else steps)  # the inner lists become one
        yield from _rows(_found(wanted.fields or each, steps, rows, total), rows, wanted)
    objects = {steps: items for steps, items in places(documents, dict, wanted).items() if "[]" not in steps}
    for steps, items in objects.items():
        yield from _of_members(wanted.fields or path_of(steps), steps, items, total, wanted)
    if not wanted.fields:
        for parent, groups in _groups(objects).items():
            items = [each for group in groups for each in objects[group]]
            merged = ", ".join(f"{path_of(group)} || `{{}}`" for group in groups)
            yield from _of_members(f"merge({merged})", parent, items, total, wanted)


def _of_members(each: str, steps: Steps, items: Items, total: int, wanted: Wanted) -> Iterator[Candidate]:
    pairs = [(number, pair) for number, place in items for pair in place.items() if not _are_rows(pair[1])]
    members, names = ([(number, pair[side]) for number, pair in pairs] for side in (1, 0))
    known = _found(each, steps, members, total)
    yield from _members(known, column("key", "", names, len(names)), members, wanted)


def _are_rows(value: Any) -> bool:
    """Return whether a member holds a table's rows, or did: that is no field."""
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)


def _groups(objects: Mapping[Steps, Items]) -> dict[Steps, list[Steps]]:
    """Return groups of fields: objects side by side that share no name."""
    found: dict[Steps, list[Steps]] = {}
    for steps, items in objects.items():
        members = [member for _, place in items for member in place.values()]
        if steps and members and all(isinstance(member, dict) for member in members):
            found.setdefault(steps[:-1], []).append(steps)
    return {parent: groups for parent, groups in found.items() if len(groups) > 1 and _differ(groups, objects)}


def _differ(groups: Sequence[Steps], objects: Mapping[Steps, Items]) -> bool:
    names = [{name for _, place in objects[group] for name in place} for group in groups]
    return len(set().union(*names)) == sum(map(len, names))


def outside(documents: Sequence[Any], candidate: Candidate) -> Iterator[Column]:
    """Yield single values that are in no field and come once in a document."""
    inside = set() if candidate.single or candidate.each == "@" else set(_parts(candidate.each))
    gathered: dict[Steps, list[tuple[int, Any]]] = {}
    single = _single(documents)
    for number, document in enumerate(documents):
        for steps, value in _walk((), document, single):
            if steps and "[]" not in steps and isinstance(value, Scalar):
                gathered.setdefault(steps, []).append((number, value))
    for steps, values in gathered.items():
        if not any(_general(path_of(steps[:length])) in inside for length in range(1, len(steps) + 1)):
            yield column(path_of(steps), steps[-1], values, len(documents))


def left_out(documents: Sequence[Any], candidate: Candidate, source_id: str) -> list[str]:
    """Return paths of single values that are no field, part of a field, or the id."""
    inner = [each for each in (candidate.name, candidate.value, candidate.confidence) if each]
    inner = [_general(each.removeprefix("not_null(").removesuffix(")")) for each in inner]
    taken = {_general(source_id)}
    fields = _parts(candidate.each)
    for place in fields:
        if candidate.name == "key":
            taken |= {f"{place}.*{each.removeprefix('value')}" for each in inner}
        else:
            taken |= {f"{place}[].{each}" for each in inner}
    found: dict[str, None] = {}
    for document in documents:
        for steps, value in _walk((), document):
            if isinstance(value, Scalar) and not is_blank(value):
                path = _as_member(steps, fields) if candidate.name == "key" else path_of(steps)
                if not any(path == each or path.startswith((f"{each}.", f"{each}[")) for each in taken):
                    found[path] = None
    return list(found)


def _as_member(steps: Steps, fields: Sequence[str]) -> str:
    """Write a path in which the names of fields are "*"."""
    for length in range(len(steps)):
        if (path_of(steps[:length]) if length else "@") in fields:
            steps = (*steps[:length], "*", *steps[length + 1 :])
            break
    return path_of(steps)


def _parts(each: str) -> list[str]:
    """Return the paths to the fields, one or several groups, without their last "[]"."""
    groups = each.removeprefix("merge(").removesuffix(")").split(", ") if each.startswith("merge(") else [each]
    return [_general(group.removesuffix(" || `{}`")).removesuffix("[]") for group in groups]


def _general(written: str) -> str:
    return written.replace("[0]", "[]")


def _single(documents: Sequence[Any]) -> set[Steps]:
    """Return the lists that never hold more than one thing."""
    lists = [(steps, len(value)) for each in documents for steps, value in _walk((), each) if isinstance(value, list)]
    return {steps for steps, _ in lists} - {steps for steps, count in lists if count > 1}


def named(candidate: Candidate, name: str) -> str | None:
    """Return the path of a field's value, by the field's name."""
    if candidate.name == "key":
        return None
    each = candidate.each.removesuffix("[]")
    return f"{each}[?{candidate.name}=={literal(name)}].{candidate.value} | [0]"


def repeated(documents: Sequence[Any]) -> list[str]:
    """Return paths of lists of objects, and of objects of objects, with their counts."""
    lists = {
        path_of((*steps, "[]") if "[]" in steps else steps): sum(len(each) for _, each in items)
        for steps, items in places(documents, list, Wanted()).items()
        if any(isinstance(item, dict) for _, each in items for item in each)
    }
    objects = {
        path_of(steps): sum(len(each) for _, each in items)
        for steps, items in places(documents, dict, Wanted()).items()
        if "[]" not in steps and all(isinstance(item, dict) for _, each in items for item in each.values())
    }
    return [f"{path} ({count})" for path, count in (lists | objects).items()]


def below(documents: Sequence[Any], each: str) -> list[str]:
    """Return the paths of what stands below each field."""
    found_there = places(documents, list | dict, Wanted(fields=each)).get((), [])
    rows = [(number, item) for number, place in found_there for item in _items(place)]
    return [each.path for each in columns_of(rows)]


def _items(place: Any) -> list[Any]:
    members = [{"key": key, "value": value} for key, value in place.items()] if isinstance(place, dict) else place
    return list(members)


def _rows(known: Found, items: Items, wanted: Wanted) -> Iterator[Candidate]:
    """Yield how a list of objects is read, each of them one field."""
    if not items or not all(isinstance(item, dict) for _, item in items):
        return
    chosen = roles(list(columns_of(items)), wanted, alone=are_alone(items))
    if chosen:
        value = chosen.value.path if chosen.value.everywhere else f"not_null({chosen.value.path})"
        yield known.candidate(chosen.name.path, value, chosen.confidence, chosen.points)


def _members(known: Found, names: Column, items: Items, wanted: Wanted) -> Iterator[Candidate]:
    """Yield how an object is read, each member of it one field under its own name."""
    if not items:
        return
    if all(item is None or isinstance(item, dict) for _, item in items) and any(item for _, item in items):
        items = [(number, item) for number, item in items if item is not None]
        columns = list(columns_of(items, ("value",)))
        value = value_of(columns, wanted)
        if value and (value.everywhere or wanted.fields or 2 * len(value.values) > value.items):
            path = value.path if value.everywhere else f"not_null({value.path})"
            sure = confidence([each for each in columns if each is not value], wanted)
            points = name_points(names) + value_points(value, wanted)
            yield known.candidate(wanted.name or "key", path, sure, points)
    elif any(isinstance(item, Scalar) for _, item in items):
        yield known.single(wanted.name or "key", wanted.value or "value")


def are_alone(items: Items) -> bool:
    numbers = [number for number, _ in items]
    return max(map(numbers.count, set(numbers))) == 1


def _found(each: str, steps: Steps, items: Items, total: int) -> Found:
    word = next((step for step in reversed(steps) if step != "[]"), "")
    said = sum(_size(item) for _, item in items if not isinstance(item, list))
    return Found(each, word, len(items), said / total)


def places(documents: Sequence[Any], kind: Any, wanted: Wanted) -> dict[Steps, list[tuple[int, Any]]]:
    """Return all lists, or all objects, by path; only the owner's, if there is one."""
    gathered: dict[Steps, list[tuple[int, Any]]] = {}
    single = _single(documents) if kind is dict else set()
    for number, document in enumerate(documents):
        here = [((), form.path(wanted.fields).find(document))] if wanted.fields else _walk((), document, single)
        for steps, value in here:
            if isinstance(value, kind):
                gathered.setdefault(steps, []).append((number, value))
    return gathered


def _walk(steps: Steps, value: Any, single: Container[Steps] = ()) -> Iterator[tuple[Steps, Any]]:
    """Yield the values inside a value, with their steps.

    Lists that are `single` are passed through by "[0]".
    """
    yield steps, value
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _walk((*steps, key), member, single)
    elif isinstance(value, list):
        plain = tuple("[]" if step == "[0]" else step for step in steps)
        for item in value:
            yield from _walk((*steps, "[0]" if plain in single else "[]"), item, single)


def _size(value: Any) -> int:
    """Count the single values that stand in a value."""
    return sum(1 for _, each in _walk((), value) if isinstance(each, Scalar))


def columns_of(items: Items, top: Steps = ()) -> Iterator[Column]:
    gathered: dict[Steps, list[tuple[int, Any]]] = {}
    single = {(*top, *steps) for steps in _single([item for _, item in items])}
    for number, item in items:
        for steps, value in _walk(top, item, single):
            depth = len([step for step in steps if step != "[0]"]) - len(top)
            if 0 < depth <= MAX_DEPTH and "[]" not in steps and not isinstance(value, dict):
                gathered.setdefault(steps, []).append((number, value))
    for steps, values in gathered.items():
        yield column(path_of(steps), steps[-1], values, len(items))


def path_of(steps: Steps) -> str:
    """Write a JMESPath: `result.pages[].fields`."""
    path = ""
    for step in steps:
        name = step if IDENTIFIER.fullmatch(step) or step == "*" else json.dumps(step, ensure_ascii=False)
        path += step if step in ("[]", "[0]") else f".{name}" if path else name
    return path or "@"


def literal(text: str) -> str:
    """Write a text as JMESPath's raw string."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
