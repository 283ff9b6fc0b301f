"""Where a violation stands in the metadata that it was found in: its line and column."""

import re
from typing import Any
from xml.etree.ElementTree import Element

from receiver.core.positions import json_positions
from receiver.metadata.reader import MetadataReader
from receiver.schemas import json_text, xml_text

Spot = tuple[int, int]

LINE = re.compile(r"line (\d+), column (\d+)")
STEP = re.compile(r"(?:\{[^}]*\}|[^/:\[\]]*:)?([^/:\[\]{}]+)(?:\[(\d+)\])?")


def spot(reader: MetadataReader, content: bytes, charset: str, where: str) -> Spot:
    """Return line and column, from 1, of what a violation's `where` names; the start where it cannot be told."""
    if place := LINE.fullmatch(where):
        return int(place[1]), int(place[2])
    document = reader.form.parse(content, charset)
    content = (json_text if reader.form.NAME == "JSON" else xml_text).utf8(content, charset)
    if where == "fields" or where.startswith("fields/"):
        where = _field(reader, document, where)
    return _in_json(content, document, where) if reader.form.NAME == "JSON" else _in_xml(content, document.root, where)


def _field(reader: MetadataReader, document: Any, where: str) -> str:
    """Return where a field stands that is only known by its name; without one, where all of them do."""
    name = where.split("/")[1].replace("~1", "/").replace("~0", "~") if "/" in where else None
    found = reader.form.fields(document, reader.layout)
    for index, item in enumerate(found.items if found else ()):
        given = reader.layout.name.find(item)
        if isinstance(given, str) and reader.rules.aliases.get(given, given) == name:
            return str(found.place(index))
    return str(reader.form.place(document, reader.layout.each))


def _in_json(content: bytes, document: Any, where: str) -> Spot:
    path: list[str | int] = []
    for step in where.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        path.append(int(name) if isinstance(document, list) and name.isdecimal() else name)
        try:
            document = document[path[-1]]
        except (LookupError, TypeError):
            break
    return json_positions(content).of(path)


def _in_xml(content: bytes, root: Element, where: str) -> Spot:
    element = root
    for step in where.split("/")[2:]:
        match = STEP.fullmatch(step)
        same = [child for child in element if match and _local(child) == match[1]]
        index = int(match[2] or 1) - 1 if match else 0
        if index >= len(same):
            break
        element = same[index]
    places = xml_text.places(content)
    return next(place for each, place in zip(root.iter(), places, strict=True) if each is element)


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]
