"""A JSON Schema, compiled once; judges, and explains without the refused value.

jsonschema-rs does both. Its verdict on twenty fields takes 5 µs where jsonschema takes 750; its patterns run on
finite automata, so no pattern can stall a worker; and as it explains what it decided, verdict and explanation
cannot differ. jsonschema judges the schemas themselves (`json_check`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jsonschema_rs

from receiver.core.faults import ConfigurationError, Fault, Severity
from receiver.core.problems import Violation
from receiver.schemas import json_check, words
from receiver.schemas.json_explain import Places, pointer, subjects, violation
from receiver.schemas.json_library import Library, SchemaFile
from receiver.schemas.json_text import exact

MAX_VIOLATIONS = 100  # reported at once: more than anyone repairs in one go


@dataclass(frozen=True, slots=True)
class JsonSchema:
    """A schema that is ready to judge."""

    file: str  # below schemas/
    warnings: tuple[Fault, ...]  # what JSON Schema would pass over in silence
    known: frozenset[str]  # names in it, which may be shown
    properties: tuple[str, ...]  # of its object, as the schema lists them
    _validator: jsonschema_rs.Validator
    _names: Mapping[str, str]  # URI → file below schemas/
    _descriptions: Mapping[str, str]  # of patterns, by where they stand: what a person understands of them

    @property
    def files(self) -> set[str]:
        """The file and all that it refers to, below schemas/."""
        return set(self._names.values())

    def violations(
        self, instance: Any, where: str = "", others: Callable[[str], str | None] = lambda _: None
    ) -> tuple[Violation, ...]:
        """Return every rule that the instance breaks, at most a hundred; () if valid.

        `where` comes before the JSON Pointers. The instance is what json.loads makes of JSON. `others` tells where
        its properties come from, for those whose names are not known.
        """
        instance = exact(instance)  # jsonschema-rs takes a number that is no plain float for no number, silently
        if self._validator.is_valid(instance):
            return ()
        places = Places(instance, self.known, where, others)
        errors = [(error, name) for error in self._validator.iter_errors(instance) for name in subjects(error)]
        found = tuple(self._described(violation(*error, places, self._names)) for error in errors[:MAX_VIOLATIONS])
        if len(errors) > MAX_VIOLATIONS:
            found += (Violation(where or "/", "more", f"{len(errors) - MAX_VIOLATIONS} more", self.file),)
        return found or (Violation(where or "/", "schema", "does not satisfy the schema", self.file),)

    def _described(self, found: Violation) -> Violation:
        """Add to a pattern what the schema says of it in words."""
        words = self._descriptions.get(str(found.schema))
        return replace(found, message=f"{found.message} ({words})") if words else found


def compile(path: Path, folder: Path, site: Path) -> JsonSchema:  # noqa: A001 (as re.compile)
    """Compile a schema file of `folder`, with all that it refers to there.

    Raises `ConfigurationError`.
    """
    library = Library(folder, site)
    root = library.add(path)
    faults = list(dict.fromkeys([*_all_faults(library), *library.faults]))
    if root is None or any(fault.severity is Severity.ERROR for fault in faults):
        raise ConfigurationError(faults)
    validator = _validator(root, library)
    known = frozenset(name for document in library.documents.values() for name in _names(document.contents))
    descriptions = {
        f"{document.name()}#{place}": text
        for document in library.documents.values()
        for place, text in _descriptions(document.contents, "")
    }
    properties = tuple(root.contents.get("properties", ())) if isinstance(root.contents, dict) else ()
    return JsonSchema(root.name(), tuple(faults), known, properties, validator, library.names(), descriptions)


def _descriptions(schema: Any, place: str) -> Iterator[tuple[str, str]]:
    """Yield the description of each pattern, and the JSON Pointer to that."""
    if isinstance(schema, dict) and "pattern" in schema and isinstance(schema.get("description"), str):
        yield f"{place}/pattern", words.rule(schema["description"])
    below = schema.items() if isinstance(schema, dict) else enumerate(schema) if isinstance(schema, list) else ()
    for step, inner in below:
        yield from _descriptions(inner, place + pointer([step]))


def _names(schema: Any) -> Iterator[str]:
    """Yield the property names in a schema, and the patterns that allow names."""
    if isinstance(schema, list):
        for each in schema:
            yield from _names(each)
    if isinstance(schema, dict):
        for keyword in ("properties", "required", "enum"):
            words = schema.get(keyword)
            yield from (word for word in (words if isinstance(words, dict | list) else ()) if isinstance(word, str))
        for each in schema.values():
            yield from _names(each)


def _all_faults(library: Library) -> list[Fault]:
    """Judge every document, also those that come in while the first ones are judged."""
    faults: list[Fault] = []
    judged = 0
    while judged < len(library.documents):
        faults += json_check.faults(list(library.documents.values())[judged], library)
        judged += 1
    return faults


def _validator(root: SchemaFile, library: Library) -> jsonschema_rs.Validator:
    try:
        return jsonschema_rs.validator_for(
            root.contents,
            validate_formats=True,
            retriever=library.contents,
            base_uri=root.uri,
            pattern_options=json_check.LINEAR,
            mask="the value",
        )
    except ValueError as error:  # a ValidationError is one
        message = words.rule(getattr(error, "message", str(error)))
        raise ConfigurationError([root.fault((), "invalid-schema", message)]) from None
