"""Runs a process.toml's values through its JSON Schema: which rule is broken, where, and by what."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from jsonschema_rs import Draft202012Validator, ValidationError

from receiver.core.positions import Path
from receiver.site.config import schema
from receiver.site.config.words import type_name

# jsonschema-rs writes names that look like numbers as numbers in its paths, and leaves empty names out: both are
# marked before and unmarked after. Unicode keeps the mark from ever being a character; an empty name, which no
# rule of the schema admits, gets a control beside it, which none admits either.
NUMERIC = re.compile(r"\+?[0-9]+")
MARK = "\ufdd0"
EMPTY = f"{MARK}\x7f"


class Broken(NamedTuple):
    """One broken rule."""

    path: Path  # of the value that breaks it
    keyword: str  # of the rule in the schema
    node: schema.Node  # what the schema says of that value
    value: Any
    keys: tuple[str, ...]  # that are unknown, missing or badly named


def broken_rules(data: dict[str, Any]) -> Iterator[Broken]:
    """Yield every rule of the schema that the values break."""
    for error in _validator().iter_errors(_plain(data)):
        path = tuple(_unmarked(step) if isinstance(step, str) else step for step in error.instance_path)
        node = schema.node(error.schema_path[:-1])
        yield Broken(path, error.kind.name, node, _at(data, path), _keys(error))


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(schema.schema())


def _keys(error: ValidationError) -> tuple[str, ...]:
    detail = error.kind.as_dict()
    if error.kind.name == "propertyNames":
        found = [detail["error"].instance]
    else:
        found = [detail["property"]] if "property" in detail else detail.get("unexpected", [])
    return tuple(map(_unmarked, found))


def _plain(value: Any) -> Any:
    """Copy TOML values as JSON has them; a date, which JSON lacks, becomes null: no key takes it."""
    if isinstance(value, dict):
        return {_marked(key): _plain(below) for key, below in value.items()}
    if isinstance(value, list):
        return [_plain(below) for below in value]
    return None if type_name(value) == "date" else value


def _marked(key: str) -> str:
    if not key:
        return EMPTY
    return MARK + key if NUMERIC.fullmatch(key) else key


def _unmarked(key: str) -> str:
    return "" if key == EMPTY else key.removeprefix(MARK)


def _at(data: Any, path: Path) -> Any:
    for step in path:
        data = data[step]
    return data
