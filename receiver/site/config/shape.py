"""Judges a process.toml by its JSON Schema, with its own words for every fault."""

import re
from collections.abc import Callable, Iterator
from datetime import date, time
from difflib import get_close_matches
from functools import cache
from typing import Any, NamedTuple

from jsonschema_rs import Draft202012Validator, ValidationError

from receiver.core.faults import Fault, did_you_mean
from receiver.core.positions import Path
from receiver.site.config import schema
from receiver.site.config.source import Source
from receiver.site.config.wording import (
    FORMS,
    SECRET,
    TYPES,
    either,
    key_name,
    path_name,
    section_name,
    type_name,
    value_name,
)

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
    """Copy TOML values as JSON has them; a date becomes null, which no key accepts."""
    if isinstance(value, dict):
        return {_marked(key): _plain(below) for key, below in value.items()}
    if isinstance(value, list):
        return [_plain(below) for below in value]
    return None if isinstance(value, date | time) else value  # a datetime is a date


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


ANY = "any"

# What to do about a value of the wrong type, by what was expected and what was found.
TYPE_HINTS = {
    ("string", "integer"): "put it in quotes",
    ("string", "number"): "put it in quotes",
    ("string", "date"): "put it in quotes",
    ("boolean", "string"): "write true or false without quotes",
    ("string", "array"): "write one text in quotes, without [ ]",
    ("boolean", "integer"): "write true for 1, false for 0",
    ("number", "string"): "write the number without quotes",
    ("array", "string"): 'write ["…"], also for a single one',
    ("array", "object"): "write the heading with two brackets: [{name}]",
    ("object", "array"): "write the heading with single brackets: {name}",
    ("object", ANY): "write the heading {name}, and its keys below it",
}

SCHEMA_ENDINGS = (".json", ".xsd")

LIMITS = {
    "exclusiveMinimum": "must be more than {limit}",
    "minimum": "must be at least {limit}",
    "minLength": "is empty",
    "minItems": "is empty",
    "minProperties": "is empty",
    "uniqueItems": "names the same twice",
}

LIMIT_HINTS = {
    "uniqueItems": "leave one of them away",
    "minLength": "write what is meant, or leave the key out",
    "minItems": "write what is meant, or leave the key out",
    "minProperties": "write what is meant, or leave the key out",
}

Told = Iterator[tuple[Path, Fault]]


def faults(source: Source) -> Told:
    """Yield every fault with the path of what it spoils."""
    for broken in broken_rules(source.data):
        yield from TELLERS.get(broken.keyword, _value)(source, broken)


def _unknown(source: Source, broken: Broken) -> Told:
    for key in broken.keys:
        where = (*broken.path, key)
        message = f"unknown key {key_name(key)}{_in(broken.path)}"
        hint = _better_key(key, broken.node["properties"])
        yield where, source.fault("unknown-key", message, where, hint=hint, key=True)


def _in(path: Path) -> str:
    return f" in {section_name(path)}" if path else ""


def _better_key(key: str, known: dict[str, Any]) -> str:
    elsewhere = schema.homes().get(key)
    if elsewhere:
        return f"its place is {either(elsewhere)}"
    return did_you_mean(key, known) or f"known here: {', '.join(known)}"


def _missing(source: Source, broken: Broken) -> Told:
    for key in broken.keys:
        where = (*broken.path, key)
        wanted = broken.node["properties"][key]
        what = f"section [{key}]" if wanted.get("type") == "object" else f"key {key}"
        message = f"the {what} is missing{_in(broken.path)}"
        yield where, source.fault("missing-key", message, where, hint=_purpose(wanted))


def _purpose(wanted: schema.Node) -> str:
    """Say in one sentence what a key is for, and what it may be."""
    purpose = str(wanted.get("description", "")).split(". ")[0].removesuffix(".")
    return f"{purpose}: {_choices(wanted)}" if "enum" in wanted else purpose


def _choices(node: schema.Node) -> str:
    return either(value_name(choice) for choice in node["enum"])


def _type(source: Source, broken: Broken) -> Told:
    expected, found = broken.node["type"], type_name(broken.value)
    kinds = expected if isinstance(expected, list) else [expected]
    name = path_name(broken.path)
    message = f"{name} must be {either(TYPES[kind] for kind in kinds)}, not {TYPES[found]}"
    known = TYPE_HINTS.get((kinds[0], found)) or TYPE_HINTS.get((kinds[0], ANY), "")
    hint = known.format(name=section_name(broken.path)) or _purpose(broken.node)
    yield broken.path, source.fault("wrong-type", message, broken.path, hint=hint)


def _choice(source: Source, broken: Broken) -> Told:
    message = f"{path_name(broken.path)} is {value_name(broken.value)}, and must be {_choices(broken.node)}"
    near = did_you_mean(broken.value, broken.node["enum"]) if isinstance(broken.value, str) else ""
    hint = near or _described(broken.node) or "write one of these words"
    yield broken.path, source.fault("wrong-value", message, broken.path, hint=hint)


def _described(node: schema.Node) -> str:
    """Say what each choice of a key does, as its description has it."""
    return str(node.get("description", "")).removesuffix(".")


def _name(source: Source, broken: Broken) -> Told:
    form = FORMS[broken.node["format"]]
    for name in broken.keys:
        where = (*broken.path, name)
        yield where, source.fault(form.code, f"{value_name(name)} {form.message}", where, hint=form.hint, key=True)


def _value(source: Source, broken: Broken) -> Told:
    """Report a value that breaks a pattern or a limit."""
    name, form = path_name(broken.path), broken.node.get("format", "")
    if form in FORMS:
        shown = name if form in SECRET else f"{name} = {value_name(broken.value)}"
        code, message, hint = FORMS[form]
        hint = _better_ending(form, broken.value) or hint
        yield broken.path, source.fault(code, f"{shown} {message}", broken.path, hint=hint)
    else:
        message = f"{name} {LIMITS[broken.keyword].format(limit=broken.node.get(broken.keyword))}"
        hint = LIMIT_HINTS.get(broken.keyword) or _purpose(broken.node)
        yield broken.path, source.fault("wrong-value", message, broken.path, hint=hint)


def _better_ending(form: str, name: Any) -> str:
    """Report the schema's name that was meant, if only its ending is misspelt."""
    if FORMS[form].code != "schema-misfit" or not isinstance(name, str):
        return ""
    stem, dot, ending = name.rpartition(".")
    known = not stem or dot + ending in SCHEMA_ENDINGS
    near = [] if known else get_close_matches(dot + ending, SCHEMA_ENDINGS, n=1)
    return f'did you mean "{stem}{near[0]}"?' if near else ""


TELLERS: dict[str, Callable[[Source, Broken], Told]] = {
    "additionalProperties": _unknown,
    "required": _missing,
    "type": _type,
    "enum": _choice,
    "propertyNames": _name,
}
