"""JSON Schemas that let in more than they say, or reject their own examples."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import jsonschema_rs

from receiver.authoring.check.shape import Member, Node, items
from receiver.authoring.check.site import Site
from receiver.core.faults import Fault, Severity, did_you_mean
from receiver.core.positions import Path, pointer_to
from receiver.schemas import json_check
from receiver.schemas.json_explain import message
from receiver.schemas.json_library import Library, SchemaFile

MIXED = re.compile(r"\[[^\]]*A-z")
WHOLE = re.compile(r"\{\d+(,\d*)?\}|[0-9A-Za-z\])][+*]")  # what counts its characters means the whole value
ANCHORED = re.compile(r"\^.*\$", re.DOTALL)


def patterns(site: Site) -> Iterator[Fault]:
    """Yield patterns of fields that cannot be meant."""
    for name in sorted({str(each.config.fields.schema) for each in site.processes if each.config.fields.schema}):
        shape = site.shape(name)
        for member in shape.members.values() if shape else ():
            for node in _of_member(member, site):
                if isinstance(node.schema.get("pattern"), str):
                    yield from _loose(node, node.schema["pattern"])


def required(site: Site) -> Iterator[Fault]:
    """Yield required names that are similar to members of the schema, but not equal."""
    for name in sorted({str(each.config.fields.schema) for each in site.processes if each.config.fields.schema}):
        document, shape = site.schema(name), site.shape(name)
        listed = document.contents.get("required", []) if document and isinstance(document.contents, dict) else []
        for index, each in enumerate(listed if document and shape and shape.members else ()):
            near = "" if shape is None or shape.knows(each) else did_you_mean(each, shape.members)
            if document and near:
                message = f'"{each}" is required, and none of the properties has this name'
                place = ("required", index)
                yield document.fault(place, "unknown-field", message, hint=near, severity=Severity.WARNING)


def _of_member(member: Member, site: Site) -> Iterator[Node]:
    yield from member.certain
    inner = items(member.node, site.library)
    if inner:
        yield inner


def _loose(node: Node, pattern: str) -> Iterator[Fault]:
    message = hint = ""
    if MIXED.search(pattern):
        message = "A-z takes [ \\ ] ^ _ and ` as well, which stand between Z and a"
        hint = "write A-Za-z"
    elif WHOLE.search(pattern) and not ANCHORED.fullmatch(pattern):
        message = "a pattern is looked for anywhere in the value: what stands before or behind it is not asked"
        hint = f"write ^{pattern.removeprefix('^').removesuffix('$')}$"
    if message:
        yield node.document.fault(
            (*node.path, "pattern"), "loose-pattern", message, hint=hint, severity=Severity.WARNING
        )


DATA = frozenset({"const", "default", "enum", "examples"})  # what stands below them is no schema


def examples(site: Site) -> Iterator[Fault]:
    """Yield the examples that break a rule of the schema which they stand in."""
    for name in sorted(site.compiled.schemas.used()):
        document = site.schema(name) if name.endswith(".json") else None
        for path, examples in _examples((), document.contents) if document else ():
            yield from _rejected(document, path, examples, site.library)


def _examples(path: Path, schema: Any) -> Iterator[tuple[Path, list[Any]]]:
    below = schema.items() if isinstance(schema, dict) else enumerate(schema) if isinstance(schema, list) else ()
    if isinstance(schema, dict) and isinstance(schema.get("examples"), list):
        yield path, schema["examples"]
    for step, inner in below:
        if step not in DATA or (path and path[-1] in ("properties", "$defs", "definitions")):
            yield from _examples((*path, step), inner)


def _rejected(document: SchemaFile | None, path: Path, examples: list[Any], library: Library) -> Iterator[Fault]:
    if document is None:
        return
    judge = jsonschema_rs.validator_for(
        {"$ref": f"{document.uri}#{_fragment(path)}"},
        validate_formats=True,
        retriever=library.contents,
        pattern_options=json_check.LINEAR,
    )
    for index, example in enumerate(examples):
        for error in judge.iter_errors(example):
            problem = f"the schema rejects its own example: it {message(error)}"
            place = (*path, "examples", index, *error.instance_path)
            hint = "correct the example, or the rule that rejects it"
            yield document.fault(place, "example-rejected", problem, hint=hint, severity=Severity.WARNING)
            break


def _fragment(path: Path) -> str:
    """Write a JSON Pointer as a URI has it (RFC 6901 §6)."""
    return quote(pointer_to(path))
