"""What a JSON Schema says of an object's members: names, types, if required."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import unquote, urldefrag, urljoin

from referencing._core import Resolver
from referencing.exceptions import Unresolvable

from receiver.core.positions import Path, pointed_names, pointed_path
from receiver.schemas.json_library import Library, SchemaFile

Names = frozenset[str]
NONE: Names = frozenset()
SIDE_BY_SIDE = ("anyOf", "oneOf")  # one of them holds, and nobody knows which
CONDITIONAL = ("if", "then", "else")


class Node(NamedTuple):
    """One schema object, and where it stands."""

    schema: dict[str, Any]
    document: SchemaFile
    path: Path
    resolver: Resolver[Any]


@dataclass(frozen=True, slots=True)
class Member:
    """One property."""

    node: Node  # its schema
    types: Names  # JSON Schema's words; empty: any
    listed: bool  # its values are enumerated
    certain: tuple["Node", ...] = ()  # every schema that holds for it


@dataclass(frozen=True, slots=True)
class Shape:
    """The members of an object."""

    members: dict[str, Member]
    patterns: tuple[str, ...]  # of names
    required: Names
    closed: bool  # no other member is let through

    def knows(self, name: str) -> bool:
        """Return whether the schema speaks of a member."""
        return name in self.members or any(_matches(pattern, name) for pattern in self.patterns)


def root(document: SchemaFile, library: Library) -> Node:
    """Return the top of a schema file."""
    registry = library.registry().with_resource(document.uri, document.resource())
    return Node(document.contents, document, (), registry.resolver(document.uri))


def of(top: Node, library: Library) -> Shape:
    """Return the shape of the objects that a schema describes."""
    members: dict[str, Member] = {}
    patterns: list[str] = []
    for node in possible(top, library):
        patterns += _mapping(node, "patternProperties")
        for name in _mapping(node, "properties"):
            inner = _below(node, "properties", name)
            members.setdefault(name, _member(inner, library))
    surely = list(certain(top, library))
    closed = any(
        node.schema.get(key) is False for node in surely for key in ("additionalProperties", "unevaluatedProperties")
    )
    return Shape(members, tuple(patterns), _required(top, library), closed)


def items(top: Node, library: Library) -> Node | None:
    """Return the schema of a list's items, if one schema holds for all of them."""
    found = (node for node in certain(top, library) if isinstance(node.schema.get("items"), dict))
    return next((_below(node, "items") for node in found), None)


def _member(node: Node, library: Library) -> Member:
    surely = list(certain(node, library))
    types = [_types(each.schema) for each in surely if _types(each.schema)]
    listed = any("enum" in each.schema or "const" in each.schema for each in surely)
    return Member(node, frozenset.intersection(*types) if types else NONE, listed, tuple(surely))


def _types(schema: dict[str, Any]) -> Names:
    declared = schema.get("type", [])
    return frozenset([declared] if isinstance(declared, str) else declared)


def certain(node: Node, library: Library) -> Iterator[Node]:
    """Yield every schema that holds for the value, whatever it is."""
    yield from _walk(node, library, ("allOf",), set())


def possible(node: Node, library: Library) -> Iterator[Node]:
    """Yield every schema that may hold for the value."""
    yield from _walk(node, library, ("allOf", *SIDE_BY_SIDE, *CONDITIONAL, "dependentSchemas"), set())


def _walk(node: Node, library: Library, keywords: tuple[str, ...], seen: set[int]) -> Iterator[Node]:
    if not isinstance(node.schema, dict) or id(node.schema) in seen:
        return
    seen.add(id(node.schema))
    yield node
    referred = _referred(node, library)
    below = [referred] if referred else []
    below += [each for keyword in keywords for each in _each(node, keyword)]
    for inner in below:
        yield from _walk(inner, library, keywords, seen)


def _each(node: Node, keyword: str) -> list[Node]:
    value = node.schema.get(keyword)
    if isinstance(value, list):
        return [_below(node, keyword, index) for index in range(len(value))]
    if keyword in CONDITIONAL:
        return [_below(node, keyword)] if keyword in node.schema else []
    return [_below(node, keyword, name) for name in _mapping(node, keyword)]


def _required(node: Node, library: Library) -> Names:
    """Return the members that are there in every object that satisfies the schema."""
    found = NONE
    for each in certain(node, library):
        found |= frozenset(each.schema.get("required", ()))
        for keyword in SIDE_BY_SIDE:
            if branches := _each(each, keyword):
                found |= frozenset.intersection(*(_required(branch, library) for branch in branches))
        if "if" in each.schema and "then" in each.schema and "else" in each.schema:
            then, other = (_required(_below(each, keyword), library) for keyword in ("then", "else"))
            found |= then & other
    return found


def _referred(node: Node, library: Library) -> Node | None:
    reference = node.schema.get("$ref")
    if not isinstance(reference, str):
        return None
    try:
        resolved = node.resolver.lookup(reference)
    except Unresolvable:
        return None
    uri, fragment = urldefrag(urljoin(node.document.uri, reference))
    document = library.documents.get(uri, node.document)
    path = _pointed(document.contents, fragment, resolved.contents)
    if path is None:  # an anchor, or an $id within a file: the reference itself is a place as well
        document, path = node.document, (*node.path, "$ref")
    return Node(resolved.contents, document, path, resolved.resolver)


def _pointed(contents: Any, fragment: str, wanted: Any) -> Path | None:
    """Return the path that a JSON Pointer spells, if it leads to what is wanted."""
    pointer = unquote(fragment)
    path = pointed_path(pointer, contents)
    for key in path:
        contents = contents[key]
    return path if contents is wanted and len(path) == len(pointed_names(pointer)) else None


def _below(node: Node, *steps: str | int) -> Node:
    schema: Any = node.schema
    for step in steps:
        schema = schema[step]
    return Node(schema, node.document, (*node.path, *steps), node.resolver)


def _mapping(node: Node, keyword: str) -> dict[str, Any]:
    value = node.schema.get(keyword)
    return value if isinstance(value, dict) else {}


def _matches(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:  # the syntax is ECMA-262's, and differs a little
        return True
