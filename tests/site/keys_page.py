"""Writes the table of all keys in docs/reference.md, out of the JSON Schema that ships: `make docs`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from receiver.site.config import schema

PAGE = Path(__file__).parents[2] / "docs" / "reference.md"
BEGIN, END = "<!-- keys: written by make docs -->\n", "<!-- end of keys -->\n"


def table() -> str:
    """Return a section for each section of process.toml, with its keys, defaults and meaning."""
    return "\n".join(_sections((), schema.schema()))


def page() -> str:
    """Return the page with today's table in it."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    return before + BEGIN + table() + END + rest.partition(END)[2]


def _sections(path: tuple[str, ...], node: dict[str, Any]) -> Iterator[str]:
    keys = {key: below for key, below in node["properties"].items() if not _is_section(below)}
    if path:
        yield f"### {_heading(path, node)}\n\n{node['description']}\n"
    if keys:
        yield "| key | default | meaning |\n|---|---|---|"
        required = node.get("required", ())
        yield "".join(
            f"| `{key}` | {_default(key, below, required)} | {_meaning(below)} |\n" for key, below in keys.items()
        )
    for key, below in node["properties"].items():
        if "properties" in below.get("items", {}):
            yield from _sections((*path, key), below["items"] | {"list": True})
        elif "properties" in below:
            yield from _sections((*path, key), below)
        elif "properties" in (members := below.get("additionalProperties") or {}):
            yield from _sections((*path, key, "NAME"), members)


def _is_section(node: dict[str, Any]) -> bool:
    members = node.get("additionalProperties") or {}
    return "properties" in node or "properties" in members or "properties" in node.get("items", {})


def _heading(path: tuple[str, ...], node: dict[str, Any]) -> str:
    name = ".".join(path)
    return f"`[[{name}]]`" if node.get("list") else f"`[{name}]`"


def _default(key: str, node: dict[str, Any], required: tuple[str, ...]) -> str:
    if key in required:
        return "must be said"
    value = node.get("default")
    return "" if value is None else f"`{schema_text(value)}`"


def schema_text(value: Any) -> str:
    """Write a value as TOML has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(schema_text, value))}]"
    return "{}" if value == {} else f'"{value}"' if isinstance(value, str) else str(value)


def _meaning(node: dict[str, Any]) -> str:
    return str(node["description"]).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page())
