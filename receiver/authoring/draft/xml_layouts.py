"""Fields in XML of any shape.

json.py has the same functions; paths are XPath, names without their namespaces.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from xml.etree.ElementTree import Element

from receiver.authoring.draft.columns import Column, column, is_blank
from receiver.authoring.draft.roles import Candidate, Found, confidence, name_points, roles, value_of, value_points
from receiver.authoring.draft.wanted import Wanted
from receiver.metadata import xml as form

Steps = tuple[str, ...]
Items = Sequence[tuple[int, Element]]  # each with the number of its document
MAX_DEPTH = 3  # levels looked at below one field
OWN_NAME = "name()"
LEAVES = ".//*[not(*)]"


def found(documents: Sequence[Any], wanted: Wanted) -> Iterator[Candidate]:
    """Yield every way to read the fields, at the owner's paths if there are some."""
    total = sum(_size(document.root) for document in documents) or 1
    if wanted.fields:
        items = selected(documents, wanted.fields)
        known = _found(wanted.fields, "", items, total)
        yield from _rows(known, items, wanted)
        yield from _children(known, items, wanted)
        return
    for steps, items in places(documents).items():
        if steps:
            word = steps[-2] if len(steps) > 1 else ""
            yield from _rows(_found("/".join(steps), word, items, total), items, wanted)
        children = [(number, child) for number, element in items for child in element]
        word = steps[-1] if steps else ""
        yield from _children(_found("/".join((*steps, "*")), word, children, total), children, wanted)
    for tag, items in _scattered(documents).items():
        yield from _rows(_found(f".//{tag}", "", items, total), items, wanted)
    yield Candidate(LEAVES, wanted.name or OWN_NAME, wanted.value or ".", None, 1, single=True)


def outside(documents: Sequence[Any], candidate: Candidate) -> Iterator[Column]:
    """Yield single values that are in no field and come once in a document."""
    everywhere = candidate.single or candidate.each == "*"
    inside = set() if everywhere else {id(element) for _, element in selected(documents, candidate.each)}
    gathered: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for number, document in enumerate(documents):
        for path, word, text in _texts((), document.root, inside):
            gathered.setdefault((path, word), []).append((number, text))
    for (path, word), texts in gathered.items():
        yield column(path, word, texts, len(documents))


def left_out(documents: Sequence[Any], candidate: Candidate, source_id: str) -> list[str]:
    """Return paths of texts that are no field, part of a field, or the id."""
    if candidate.single:
        return []
    beside = [each.path for each in outside(documents, candidate) if each.path != source_id and each.texts]
    if candidate.each == "*":
        beside = []
    used = {
        candidate.name,
        candidate.value,
        candidate.value.removeprefix("string(").removesuffix(")"),
        candidate.confidence,
    }
    columns = columns_of(selected(documents, candidate.each))
    return [*beside, *(f"{candidate.each}/{each.path}" for each in columns if each.texts and each.path not in used)]


def named(candidate: Candidate, name: str) -> str | None:
    """Return the path of a field's value, by the field's name."""
    quoted = f'"{name}"' if '"' not in name else f"'{name}'"
    return f"{candidate.each}[{candidate.name}={quoted}]/{candidate.value}".removesuffix("/.")


def repeated(documents: Sequence[Any]) -> list[str]:
    """Return paths of elements that have siblings of their name, with their counts."""
    return [f"{'/'.join(steps)} ({len(items)})" for steps, items in places(documents).items() if not are_alone(items)]


def below(documents: Sequence[Any], each: str) -> list[str]:
    """Return the paths of what stands below each field."""
    return [each.path for each in columns_of(selected(documents, each))]


def _rows(known: Found, items: Items, wanted: Wanted) -> Iterator[Candidate]:
    """Yield how elements of one name are read, each of them one field."""
    chosen = roles(list(columns_of(items)), wanted, alone=are_alone(items)) if items else None
    if chosen:
        yield known.candidate(chosen.name.path, _first(chosen.value), chosen.confidence, chosen.points)


def _children(known: Found, items: Items, wanted: Wanted) -> Iterator[Candidate]:
    """Yield how an element's children are read, each as a field under its own name."""
    if len({child.tag for _, child in items}) < 2 and not (items and wanted.fields):
        return
    columns = list(columns_of(items))
    value = value_of(columns, wanted)
    sure = confidence([each for each in columns if each is not value], wanted)
    name = wanted.name or OWN_NAME
    if all(len(child) == 0 for _, child in items) and not sure and (value is None or value.path == "."):
        yield known.single(name, wanted.value or ".")
    elif value and (value.everywhere or wanted.fields):
        names = column(OWN_NAME, "", [(number, child.tag) for number, child in items], len(items))
        yield known.candidate(name, _first(value), sure, name_points(names) + value_points(value, wanted))


def _first(value: Column) -> str:
    """Write the path of a value that is not everywhere: nothing is an empty text."""
    return value.path if value.everywhere else f"string({value.path})"


def are_alone(items: Items) -> bool:
    numbers = [number for number, _ in items]
    return max(map(numbers.count, set(numbers)), default=0) == 1


def _found(each: str, word: str, items: Items, total: int) -> Found:
    return Found(each, word, len(items), sum(_size(element) for _, element in items) / total)


def selected(documents: Sequence[Any], path: str) -> list[tuple[int, Element]]:
    """Return the elements that a path selects."""
    compiled = form.path(path)
    return [
        (number, node)
        for number, document in enumerate(documents)
        for node in compiled.select(form.top(document))
        if isinstance(node, Element)
    ]


def places(documents: Sequence[Any]) -> dict[Steps, list[tuple[int, Element]]]:
    """Return all elements by where they stand."""
    gathered: dict[Steps, list[tuple[int, Element]]] = {}
    for number, document in enumerate(documents):
        for steps, element in _walk((), document.root):
            gathered.setdefault(steps, []).append((number, element))
    return gathered


def _scattered(documents: Sequence[Any]) -> dict[str, list[tuple[int, Element]]]:
    """Return the elements whose name stands at several places, by their name."""
    inner = {steps: items for steps, items in places(documents).items() if steps}
    names = [steps[-1] for steps in inner]
    scattered: dict[str, list[tuple[int, Element]]] = {}
    for steps, items in inner.items():
        if names.count(steps[-1]) > 1:
            scattered.setdefault(steps[-1], []).extend(items)
    return {tag: sorted(items, key=lambda each: each[0]) for tag, items in scattered.items()}


def _walk(steps: Steps, element: Element) -> Iterator[tuple[Steps, Element]]:
    yield steps, element
    for child in element:
        yield from _walk((*steps, child.tag), child)


def _size(element: Element) -> int:
    """Count the attributes and texts that stand in an element."""
    return sum(len(each.attrib) + (len(each) == 0 and not is_blank(each.text)) for each in element.iter())


def columns_of(items: Items) -> Iterator[Column]:
    """Yield attributes, texts and single descendants of some elements.

    An element's own text counts as its value.
    """
    gathered: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for number, element in items:
        for path, word, text in _single((), element):
            gathered.setdefault((path, word), []).append((number, text))
    for (path, word), texts in gathered.items():
        yield column(path, word, texts, len(items))


def _single(steps: Steps, element: Element) -> Iterator[tuple[str, str, str]]:
    for name, text in element.attrib.items():
        yield "/".join((*steps, f"@{name}")), name, text
    if len(element) == 0:
        yield "/".join(steps) or ".", steps[-1] if steps else "value", element.text or ""
    tags = [child.tag for child in element]
    for child in element if len(steps) < MAX_DEPTH else ():
        if tags.count(child.tag) == 1:
            yield from _single((*steps, child.tag), child)


def _texts(steps: Steps, element: Element, inside: set[int]) -> Iterator[tuple[str, str, str]]:
    """Yield attributes and texts that stand outside of the fields."""
    if id(element) in inside:
        return
    for name, text in element.attrib.items():
        yield "/".join((*steps, f"@{name}")), name, text
    if len(element) == 0 and steps:
        yield "/".join(steps), steps[-1], element.text or ""
    for child in element:
        yield from _texts((*steps, child.tag), child, inside)
