"""How paths, values and types of process.toml are called in a message."""

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from math import isfinite
from typing import Any

SHOWN = 60  # characters of a value in a message: enough to recognise it, and still one line

TYPES = {
    "string": "text in quotes",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list in [ ]",
    "object": "a section",
    "date": "a date",
    "not finite": "nan or inf",
}


def path_name(path: Sequence[str | int]) -> str:
    """Write a path as its keys with dots, without the numbers of list entries: a fault has its line."""
    name = ".".join(key_name(step) for step in path if isinstance(step, str))
    return f"an entry of {name}" if path and isinstance(path[-1], int) else name


def key_name(key: str) -> str:
    """Write a key as TOML wants it, in quotes where it needs them."""
    plain = key and all(letter.isascii() and (letter.isalnum() or letter in "_-") for letter in key)
    return key if plain else json.dumps(key, ensure_ascii=False)


def section_name(path: Sequence[str | int]) -> str:
    """Write the heading of a section."""
    name = ".".join(key_name(step) for step in path if isinstance(step, str))
    return f"[[{name}]]" if isinstance(path[-1], int) else f"[{name}]"


def value_name(value: Any) -> str:
    """Write a value, shortened."""
    written = json.dumps(value, ensure_ascii=False, default=str)
    return written if len(written) <= SHOWN else f"{written[: SHOWN - 1]}…"


def type_name(value: Any) -> str:
    """Return the schema's word for what a TOML value is, or one of ours where JSON has no such value."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, date | datetime | time):
        return "date"
    if isinstance(value, float) and not isfinite(value):
        return "not finite"
    names = {str: "string", int: "integer", float: "number", list: "array", dict: "object"}
    return names[type(value)]


def either(choices: Iterable[str]) -> str:
    """Join choices: "refuse, hold or publish"."""
    *first, last = choices
    return f"{', '.join(first)} or {last}" if first else last
