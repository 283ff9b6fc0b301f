"""Explains why a JSON Schema refuses an instance, without the refused value.

jsonschema-rs gives of each error its place, its keyword and the keyword's own value. That is all that is used;
its message, which may quote the instance, is not. A name that the schema does not hold may be data as well: it is
told by its place.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from jsonschema_rs import ValidationError

from receiver.core.faults import did_you_mean
from receiver.core.positions import pointed_names, pointer_to
from receiver.core.problems import Violation
from receiver.schemas import words

MAX_ALTERNATIVES = 5  # explained of an anyOf or oneOf: more than a reader compares
MAX_EXPLANATION = 500  # characters of them together

EXAMPLES = {
    "date": "2026-01-31",
    "time": "13:45:00Z",
    "date-time": "2026-01-31T13:45:00Z",
    "duration": "P1DT2H",
    "email": "name@example.org",
    "hostname": "host.example.org",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.org/path",
    "uuid": "123e4567-e89b-12d3-a456-426614174000",
}
TYPES = {"object": "an object", "array": "an array", "integer": "an integer", "null": "null"}

_MESSAGES: dict[str, Callable[[Any], str]] = {
    "additionalItems": lambda kind: f"must have at most {_count(kind.limit, 'item')}",
    "additionalProperties": lambda _: "must have no properties but those that the schema knows",
    "anyOf": lambda kind: f"must satisfy at least one of these: {_alternatives(kind.context)}",
    "const": lambda kind: f"must be {words.value(kind.expected_value)}",
    "contains": lambda _: 'must have an item as "contains" describes it',
    "contentEncoding": lambda kind: f"must be encoded in {words.rule(kind.content_encoding)}",
    "contentMediaType": lambda kind: f"must be {words.rule(kind.content_media_type)}",
    "enum": lambda kind: f"must be one of {words.listed(map(words.value, kind.options))}",
    "exclusiveMaximum": lambda kind: f"must be less than {words.value(kind.limit)}",
    "exclusiveMinimum": lambda kind: f"must be more than {words.value(kind.limit)}",
    "falseSchema": lambda _: "must not be here: the schema allows nothing in this place",
    "format": lambda kind: _format(kind.format),
    "maxItems": lambda kind: f"must have at most {_count(kind.limit, 'item')}",
    "maxLength": lambda kind: f"must have at most {_count(kind.limit, 'character')}",
    "maxProperties": lambda kind: f"must have at most {_count(kind.limit, 'property', 'properties')}",
    "maximum": lambda kind: f"must be at most {words.value(kind.limit)}",
    "minItems": lambda kind: f"must have at least {_count(kind.limit, 'item')}",
    "minLength": lambda kind: f"must have at least {_count(kind.limit, 'character')}",
    "minProperties": lambda kind: f"must have at least {_count(kind.limit, 'property', 'properties')}",
    "minimum": lambda kind: f"must be at least {words.value(kind.limit)}",
    "multipleOf": lambda kind: f"must be a multiple of {words.value(kind.multiple_of)}",
    "not": lambda _: 'must not be as "not" describes it',
    "oneOf": lambda kind: f"must satisfy exactly one of these: {_alternatives(kind.context)}",
    "pattern": lambda kind: f"must match {words.rule(kind.pattern)}",
    "propertyNames": lambda kind: f"the name of each property {message(kind.error)}",
    "required": lambda kind: f"the property {words.name(kind.property)} is missing",
    "type": lambda kind: f"must be {' or '.join(_type(each) for each in sorted(kind.types))}",
    "unevaluatedItems": lambda _: "has more items than the schema knows",
    "unevaluatedProperties": lambda _: "must have no properties but those that the schema knows",
    "uniqueItems": lambda _: "must not have the same item twice",
}


@dataclass(frozen=True, slots=True)
class Places:
    """Finds the place of a value in an instance."""

    instance: Any
    known: frozenset[str]  # names that may be shown
    top: str = ""  # what comes before the JSON Pointers
    others: Callable[[str], str | None] = lambda _: None  # where else an unknown name stands

    def of(self, path: Iterable[str | int]) -> str:
        """Return the JSON Pointer to `path`; an unknown name becomes its number."""
        told, here = self.top, self.instance
        for depth, step in enumerate(path):
            if isinstance(step, int) or step in self.known:
                told += pointer([step])
            elif depth == 0 and (other := self.others(step)):
                told = other
            else:
                told += f"/(property {list(here).index(step) + 1})"
            here = here[step]
        return told or "/"


def subjects(error: ValidationError) -> list[str] | list[None]:
    """Return the properties that the schema does not know; [None] for other errors."""
    kind: Any = error.kind
    return list(kind.unexpected) if kind.name in ("additionalProperties", "unevaluatedProperties") else [None]


def violation(error: ValidationError, name: str | None, places: Places, names: Mapping[str, str]) -> Violation:
    """Describe one error, or one of its surplus properties.

    `names` has a file for each URI in it.
    """
    path = [*error.instance_path, *([] if name is None else [name])]
    return Violation(
        where=places.of(path),
        rule=_keyword(error),
        message=message(error) if name is None else _unknown(name, places.known),
        schema=_location(error, names),
    )


def message(error: ValidationError) -> str:
    """Say what was expected."""
    if error.kind.name == "falseSchema" and _keyword(error) == "additionalProperties":
        return "must have no properties"
    say = _MESSAGES.get(error.kind.name)
    return say(error.kind) if say else f"must satisfy {words.name(_keyword(error))}"


def pointer(path: Iterable[str | int]) -> str:
    """Write a JSON Pointer (RFC 6901), names bounded and without control characters."""
    return pointer_to(words.name(str(step))[1:-1] for step in path)


def _keyword(error: ValidationError) -> str:
    keywords = [step for step in error.schema_path if isinstance(step, str)]
    return keywords[-1] if error.kind.name == "falseSchema" and keywords else error.kind.name


def _location(error: ValidationError, names: Mapping[str, str]) -> str:
    """Return the rule's file and JSON Pointer.

    The library gives names as a URI has them (RFC 6901 §6).
    """
    uri, _, fragment = str(error.absolute_keyword_location).partition("#")
    return f"{names.get(uri, uri)}#{pointer(pointed_names(unquote(fragment)))}"


def _alternatives(branches: list[list[ValidationError]]) -> str:
    if not all(branches):  # oneOf: those without an error fit
        return "only one may fit, and more do"
    shown = [f"({number}) {message(branch[0])}" for number, branch in enumerate(branches, start=1)]
    return words.rule("; ".join(shown[:MAX_ALTERNATIVES]), MAX_EXPLANATION)


def _unknown(name: str, known: Iterable[str]) -> str:
    near = did_you_mean(name, known) if len(name) <= words.MAX_NAME else ""
    return f"the schema knows no property of this name; {near}" if near else "the schema knows no property of this name"


def _format(name: str) -> str:
    example = f", such as {EXAMPLES[name]}" if name in EXAMPLES else ""
    article = "an" if name[:1] in "aei" else "a"  # "a uri"
    return f"must be {article} {words.rule(name)}{example}"


def _type(name: str) -> str:
    return TYPES.get(name, f"a {name}")


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
