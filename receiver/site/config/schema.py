"""The JSON Schema of process.toml, for editors and `check`, with all defaults."""

import json
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

Node = dict[str, Any]
ANY = "<name>"  # stands in a path for a name that the process owner chose


def text() -> str:
    """Return the schema as it ships."""
    return files(__package__).joinpath("process.schema.json").read_text("utf-8")


@cache
def schema() -> Node:
    """Return the schema, parsed."""
    parsed: Node = json.loads(text())
    return parsed


def node(path: Sequence[str | int]) -> Node:
    """Return the part of the schema at `path`, a path into the schema itself."""
    found: Any = schema()
    for step in path:
        found = found[step]
    return dict(found)


def defaults(path: Sequence[str | int]) -> dict[str, Any]:
    """Return the default of each key of a section: ("parts", "file"), ("records", 0)."""
    section = schema()
    for step in path:
        section = section["items"] if isinstance(step, int) else _member(section, step)
    return {key: value["default"] for key, value in section["properties"].items() if "default" in value}


def _member(section: Node, key: str) -> Node:
    found: Node = section.get("properties", {}).get(key) or section["additionalProperties"]
    return found


@cache
def homes() -> dict[str, list[str]]:
    """Return for each key the sections that know it, as their headings are written."""
    known: dict[str, list[str]] = {}
    for heading, section in _sections((), schema()):
        for key in section["properties"]:
            known.setdefault(key, []).append(heading)
    return known


def _sections(path: tuple[str, ...], section: Node) -> Iterator[tuple[str, Node]]:
    if "properties" in section:
        yield f"[{'.'.join(path)}]" if path else "the top of the file, before any section", section
    for key, below in section.get("properties", {}).items():
        if "items" in below:
            yield from ((f"[{heading}]", found) for heading, found in _sections((*path, key), below["items"]))
        else:
            yield from _sections((*path, key), below)
    if isinstance(section.get("additionalProperties"), dict):
        yield from _sections((*path, ANY), section["additionalProperties"])
