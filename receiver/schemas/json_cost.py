"""What a JSON Schema costs: how often schemas are applied to one value, which references multiply.

Twenty definitions that each refer twice to the next one judge a value a million times, in a file of 2 KB.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from referencing._core import Resolver
from referencing.exceptions import Unresolvable

from receiver.schemas.json_library import dialect

MOST = 10_000  # times that one value is judged: some ten milliseconds; the largest public schemas take some hundred

ONE = ("not", "if", "then", "else")
LISTED = ("allOf", "anyOf", "oneOf")
NAMED = ("dependentSchemas", "dependencies")
REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")

Counted = dict[int, int]  # by the identity of the schema


def judgements(schema: Any, resolver: Resolver[Any], counted: Counted) -> int:
    """Return how often one value is judged by a schema and all that it applies to the same value."""
    if not isinstance(schema, dict):
        return 1
    if id(schema) not in counted:
        counted[id(schema)] = 0  # meanwhile: whoever judges does not go in circles
        counted[id(schema)] = 1 + sum(judgements(*inner, counted) for inner in _applied(schema, resolver))
    return counted[id(schema)]


def _applied(schema: dict[str, Any], resolver: Resolver[Any]) -> Iterator[tuple[Any, Resolver[Any]]]:
    """Yield the schemas that are applied to the same value."""
    below = [schema[keyword] for keyword in ONE if keyword in schema]
    for keyword in LISTED:
        below += schema.get(keyword, ())
    for keyword in NAMED:
        below += schema.get(keyword, {}).values()
    for inner in below:
        if isinstance(inner, dict):
            yield inner, resolver.in_subresource(dialect(inner).create_resource(inner))
    for keyword in REFERENCES:
        if isinstance(schema.get(keyword), str):
            with suppress(Unresolvable):
                found = resolver.lookup(schema[keyword])
                yield found.contents, found.resolver
