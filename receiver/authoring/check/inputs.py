"""Inputs made from the fields schema of a process.

What a sample has, and every way in which a field may differ.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from receiver.authoring.check.shape import Shape
from receiver.authoring.check.values import MAX_LISTED, Value, values
from receiver.core.delivery import Part, Role
from receiver.delivery.parts import SUFFIXES
from receiver.schemas.json_library import Library
from receiver.schemas.json_schema import JsonSchema
from receiver.site.config.model import PartConfig

MAX_INPUTS = 400  # of one process: a form of twenty fields has about two hundred

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Input:
    """The fields of one made-up delivery, and how they differ from those of a sample."""

    fields: Fields
    what: str  # "gender is empty"
    exact: bool = True  # no filter should refuse it


def inputs(
    shape: Shape,
    schema: JsonSchema,
    samples: Sequence[Fields],
    read: Container[str],
    decisive: Container[str],
    keys: Mapping[str, list[str]],
    library: Library,
) -> list[Input]:
    """Return inputs that satisfy the schema, made from the fields of samples.

    Only fields that are `read` differ. Those that are `decisive` for a record to be written differ alone as well.
    `keys` are those of the code tables that a field is looked up in.
    """
    known = [name for name in shape.members if name in read]
    choices = {
        name: list(values(shape.members[name].node, library, tuple(each[name] for each in samples if name in each)))
        for name in known
    }
    for name in choices:
        sought = keys.get(name, [])[:MAX_LISTED]
        choices[name] += [Value(key, f'"{key}", as it is looked up or compared') for key in sought]
    whole = _whole(dict(samples[0]), samples, choices, schema)
    bare = {name: value for name, value in whole.items() if name in shape.required or name not in shape.members}
    deciding = {name: options for name, options in choices.items() if name in decisive}
    made = [
        Input(whole, "every field is there"),
        *_differing(whole, choices, shape),
        *_alone(bare, whole, known),
        *_differing(bare, deciding, shape, ", and nothing else that may be absent is there"),
    ]
    return list(_distinct(each for each in made if not schema.violations(each.fields)))[:MAX_INPUTS]


def _whole(
    fields: dict[str, Any], samples: Sequence[Fields], choices: Mapping[str, list[Value]], schema: JsonSchema
) -> dict[str, Any]:
    """Fill each missing or empty field from another sample, or from the schema."""
    for name, options in choices.items():
        if not fields.get(name):
            seen = [each[name] for each in samples if each.get(name)]
            made = [option.value for option in options if option.value and option.exact]
            tried = ({**fields, name: value} for value in [*seen, *made])
            fields = next((each for each in tried if not schema.violations(each)), fields)
    return fields


def documents(rules: Sequence[PartConfig], parts: Sequence[Part]) -> Iterator[tuple[str, list[Part]]]:
    """Yield a sample's parts as a process allows them: each type, several, none."""
    own = [rule for rule in rules if rule.role is Role.DOCUMENT]
    found = [part for part in parts if part.role is Role.DOCUMENT]
    rest = [part for part in parts if part.role is not Role.DOCUMENT]
    for rule in own if found else ():
        for kind in rule.types if not rule.convert else ():
            first = found[0]._replace(type=kind, suffix=SUFFIXES.get(kind, found[0].suffix))
            yield f"the document is {kind}", [first, *found[1:], *rest]
        if rule.many:
            yield "two documents come", [found[0], found[0]._replace(name=rule.name.replace("*", "2")), *rest]
    if own and not any(rule.required for rule in own):
        yield "no document comes", rest


def _differing(whole: Fields, choices: Mapping[str, list[Value]], shape: Shape, besides: str = "") -> Iterator[Input]:
    for name, options in choices.items():
        for option in options:
            yield Input({**whole, name: option.value}, f'"{name}" is {option.what}{besides}', option.exact)
        if name not in shape.required:
            yield Input({other: value for other, value in whole.items() if other != name}, f'"{name}" is absent')


def _alone(bare: Fields, whole: Fields, known: list[str]) -> Iterator[Input]:
    yield Input(bare, "no field is there that may be absent")
    for name in known:
        if name in whole and name not in bare:
            yield Input({**bare, name: whole[name]}, f'of the fields that may be absent only "{name}" is there')


def _distinct(made: Iterable[Input]) -> Iterator[Input]:
    seen: list[Fields] = []
    for each in made:
        if each.fields not in seen:
            seen.append(each.fields)
            yield each
