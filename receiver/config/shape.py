"""Judges a process.toml by its JSON Schema, and tells every fault in words of its own."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationError

from receiver.config import schema
from receiver.config.forms import FORMS, SECRET
from receiver.config.source import Source
from receiver.config.words import TYPES, either, key_name, path_name, section_name, type_name, value_name
from receiver.faults import Fault, did_you_mean
from receiver.positions import Path

# What to do about a value of the wrong type, by what was expected and what was found.
TYPE_HINTS = {
    ("string", "integer"): "put it in quotes",
    ("string", "number"): "put it in quotes",
    ("string", "date"): "put it in quotes",
    ("boolean", "string"): "write true or false without quotes",
    ("number", "string"): "write the number without quotes",
    ("array", "string"): 'write ["…"], also for a single one',
    ("array", "object"): "write the heading with two brackets: [[{name}]]",
    ("object", "array"): "write the heading with single brackets: [{name}]",
}

LIMITS = {
    "minimum": "must be at least {limit}",
    "maximum": "must be at most {limit}",
    "exclusiveMinimum": "must be more than {limit}",
    "minLength": "is empty",
    "minItems": "is empty",
    "minProperties": "is empty",
    "uniqueItems": "names the same twice",
}


def faults(source: Source) -> Iterator[tuple[Path, Fault]]:
    """Yield every fault with the path of what it spoils."""
    for error in _validator().iter_errors(_plain(source.data)):
        path = tuple(error.instance_path)
        yield from TELLERS.get(error.kind.name, _value)(source, path, error)


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(schema.schema())


def _plain(value: Any) -> Any:
    """Copy TOML values as JSON has them; a date or nan, which JSON lacks, becomes null: no key takes it."""
    if isinstance(value, dict):
        return {key: _plain(below) for key, below in value.items()}
    if isinstance(value, list):
        return [_plain(below) for below in value]
    return None if type_name(value) in ("date", "not finite") else value


def _unknown(source: Source, path: Path, error: ValidationError) -> Iterator[tuple[Path, Fault]]:
    known = schema.node(error.schema_path[:-1])["properties"]
    for key in error.kind.as_dict()["unexpected"]:
        where = (*path, key)
        message = f"unknown key {key_name(key)}{_in(path)}"
        hint = _better_key(key, known)
        yield where, source.fault("unknown-key", message, where, hint=hint, key=True)


def _in(path: Path) -> str:
    return f" in {section_name(path)}" if path else ""


def _better_key(key: str, known: dict[str, Any]) -> str:
    elsewhere = schema.homes().get(key)
    if elsewhere:
        return f"its place is {either(elsewhere)}"
    return did_you_mean(key, known) or f"known here: {', '.join(known)}"


def _missing(source: Source, path: Path, error: ValidationError) -> Iterator[tuple[Path, Fault]]:
    key = error.kind.as_dict()["property"]
    wanted = schema.node(error.schema_path[:-1])["properties"][key]
    what = f"section [{key}]" if wanted.get("type") == "object" else f"key {key}"
    message = f"the {what} is missing{_in(path)}"
    where = (*path, key)
    yield where, source.fault("missing-key", message, where, hint=_purpose(wanted))


def _purpose(wanted: schema.Node) -> str:
    purpose = str(wanted["description"]).split(". ")[0].removesuffix(".")
    return f"{purpose}: {either(value_name(one) for one in wanted['enum'])}" if "enum" in wanted else purpose


def _type(source: Source, path: Path, error: ValidationError) -> Iterator[tuple[Path, Fault]]:
    expected = sorted(error.kind.as_dict()["types"], reverse=True)
    found = type_name(_at(source.data, path))
    message = f"{path_name(path)} must be {either(TYPES[name] for name in expected)}, not {TYPES[found]}"
    hint = TYPE_HINTS.get((expected[0], found), "").format(name=path_name(path))
    yield path, source.fault("wrong-type", message, path, hint=hint)


def _choice(source: Source, path: Path, error: ValidationError) -> Iterator[tuple[Path, Fault]]:
    value, choices = _at(source.data, path), schema.node(error.schema_path[:-1])["enum"]
    message = f"{path_name(path)} is {value_name(value)}, and must be {either(value_name(one) for one in choices)}"
    hint = did_you_mean(value, choices) if isinstance(value, str) else ""
    yield path, source.fault("wrong-value", message, path, hint=hint)


def _name(source: Source, path: Path, error: ValidationError) -> Iterator[tuple[Path, Fault]]:
    name = error.kind.as_dict()["error"].instance
    form = FORMS[schema.node(error.schema_path[:-1])["format"]]
    where = (*path, name)
    message = f"{value_name(name)} {form.message}"
    yield where, source.fault(form.code, message, where, hint=form.hint, key=True)


def _value(source: Source, path: Path, error: ValidationError) -> Iterator[tuple[Path, Fault]]:
    """Tell of a value that breaks a pattern or a limit."""
    judged = schema.node(error.schema_path[:-1])
    value = _at(source.data, path)
    shown = path_name(path) if judged.get("format") in SECRET else f"{path_name(path)} = {value_name(value)}"
    form = FORMS.get(judged.get("format", ""))
    if form:
        yield path, source.fault(form.code, f"{shown} {form.message}", path, hint=form.hint)
    else:
        message = LIMITS[error.kind.name].format(limit=error.kind.value)
        yield path, source.fault("wrong-value", f"{path_name(path)} {message}", path)


def _at(data: Any, path: Path) -> Any:
    for step in path:
        data = data[step]
    return data


TELLERS: dict[str, Callable[[Source, Path, ValidationError], Iterator[tuple[Path, Fault]]]] = {
    "additionalProperties": _unknown,
    "required": _missing,
    "type": _type,
    "enum": _choice,
    "propertyNames": _name,
}
