"""Fields in XML of any shape. json.py has the same functions; paths are XPath, names without their namespaces."""

from collections.abc import Iterator, Sequence
from typing import Any
from xml.etree.ElementTree import Element

from receiver.drafting.layouts.candidate import Candidate, Column, roles, value_roles
from receiver.drafting.words import IDS, LISTS, likeness
from receiver.metadata import xml as form

Steps = tuple[str, ...]
MAX_DEPTH = 3  # levels looked at below one field
OWN_NAME = "name()"
LEAVES = ".//*[not(*)]"


def found(documents: Sequence[Any]) -> Iterator[Candidate]:
    """Yield every way to read the fields."""
    gathered: dict[Steps, list[Element]] = {}
    for document in documents:
        for steps, element in _walk((), document.root):
            gathered.setdefault(steps, []).append(element)
    for steps, elements in gathered.items():
        if steps:
            yield from _rows(steps, elements)
        yield from _children(steps, elements)
    yield Candidate(LEAVES, OWN_NAME, ".", None, 1)


def source_id(documents: Sequence[Any], candidate: Candidate) -> str | None:
    """Return the likeliest path of the document's own id."""
    gathered: dict[tuple[str, str], list[str]] = {}
    for document in documents:
        for path, word, text in _texts((), document.root, candidate.each):
            gathered.setdefault((path, word), []).append(text)
    scored = [
        (likeness(word, IDS), len(set(values)) == len(values), -path.count("/"), path)
        for (path, word), values in gathered.items()
        if len(values) == len(documents) and all(value.strip() for value in values)
    ]
    best = max(scored, default=(0, False, 0, ""))
    return best[3] if best[0] else _named_id(documents, candidate)


def _named_id(documents: Sequence[Any], candidate: Candidate) -> str | None:
    """Return the path of the id where it is one of the fields."""
    layout = form.path(candidate.name)
    items = [form.Item(node, document.tree) for document in documents for node in _selected(document, candidate.each)]
    names = {name for item in items if isinstance(name := layout.find(item), str)}
    best = max(((likeness(name, IDS), name) for name in sorted(names)), default=(0, ""))
    quoted = f'"{best[1]}"' if '"' not in best[1] else f"'{best[1]}'"
    return f"{candidate.each}[{candidate.name}={quoted}]/{candidate.value}".removesuffix("/.") if best[0] else None


def _selected(document: Any, path: str) -> list[Any]:
    nodes: list[Any] = form.path(path).select(form.Item(document.tree.getroot(), document.tree))
    return nodes


def _rows(steps: Steps, elements: list[Element]) -> Iterator[Candidate]:
    """Yield how elements of one name are read, each of them one field."""
    chosen = roles(_columns(elements))
    if chosen:
        value = chosen.value.path if chosen.value.everywhere else f"string({chosen.value.path})"
        likely = chosen.likely + _list_likeness(steps[:-1]) + min(len(elements), 20)
        confidence = chosen.confidence.path if chosen.confidence else None
        yield Candidate("/".join(steps), chosen.name.path, value, confidence, likely)


def _children(steps: Steps, elements: list[Element]) -> Iterator[Candidate]:
    """Yield how the children of an element are read, each of them one field under its own name."""
    children = [child for element in elements for child in element]
    if not children or len({child.tag for child in children}) < 2:
        return
    each = "/".join((*steps, "*"))
    size = min(len(children), 20)
    columns = list(_columns(children))
    if all(len(child) == 0 for child in children):
        _, confidence = value_roles(columns)
        path = confidence.path if confidence else None
        likely = size + _list_likeness(steps) // 2 + (50 if confidence else 0)
        yield Candidate(each, OWN_NAME, ".", path, likely)
        return
    value, confidence = value_roles([column for column in columns if column.path != "."])
    if value and value.everywhere:
        path = confidence.path if confidence else None
        yield Candidate(each, OWN_NAME, value.path, path, 100 + size + _list_likeness(steps) + (50 if path else 0))


def _list_likeness(steps: Steps) -> int:
    return likeness(steps[-1], LISTS) if steps else 0


def _walk(steps: Steps, element: Element) -> Iterator[tuple[Steps, Element]]:
    yield steps, element
    for child in element:
        yield from _walk((*steps, child.tag), child)


def _columns(elements: Sequence[Element]) -> Iterator[Column]:
    """Yield attributes, texts and single descendants of some elements; an element's own text counts as its value."""
    gathered: dict[tuple[str, str], list[str]] = {}
    for element in elements:
        for path, word, text in _single((), element):
            gathered.setdefault((path, word), []).append(text)
    for (path, word), texts in gathered.items():
        yield Column(path, word, tuple(texts), len(elements))


def _single(steps: Steps, element: Element) -> Iterator[tuple[str, str, str]]:
    for name, text in element.attrib.items():
        yield "/".join((*steps, f"@{name}")), name, text
    if len(element) == 0:
        yield "/".join(steps) or ".", steps[-1] if steps else "value", element.text or ""
    tags = [child.tag for child in element]
    for child in element if len(steps) < MAX_DEPTH else ():
        if tags.count(child.tag) == 1:
            yield from _single((*steps, child.tag), child)


def _texts(steps: Steps, element: Element, each: str) -> Iterator[tuple[str, str, str]]:
    """Yield attributes and texts that stand outside of the fields."""
    here = "/".join(steps)
    if here == each or (each.endswith("*") and steps and "/".join((*steps[:-1], "*")) == each and each != "*"):
        return
    for name, text in element.attrib.items():
        yield "/".join((*steps, f"@{name}")), name, text
    if len(element) == 0 and steps:
        yield here, steps[-1], element.text or ""
    for child in element:
        yield from _texts((*steps, child.tag), child, each)
