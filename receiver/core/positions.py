"""Positions in a configuration file, so that a fault points at line and column.

The parsers that read the values (tomllib, json) tell no positions; tree-sitter does, also for a file that is
not whole. Both agree on the paths, so a fault found in the values is looked up here by its path.
"""

import json
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import tree_sitter_json
import tree_sitter_toml
from tree_sitter import Language, Node, Parser

Path = tuple[str | int, ...]  # keys and indexes from the root, as the parsed values are nested

_JSON = Language(tree_sitter_json.language())
_TOML = Language(tree_sitter_toml.language())


class Positions:
    """The places of every key and value of one file."""

    def __init__(self, source: bytes) -> None:
        self._lines = source.split(b"\n")
        self._keys: dict[Path, Node] = {}
        self._values: dict[Path, Node] = {}

    def of(self, path: Sequence[str | int], *, key: bool = False) -> tuple[int, int]:
        """Return line and column of the value at `path`, both from 1, in characters.

        It is the value's place, or with `key` that of its key. Where nothing stands at `path` it is the place
        of the nearest thing above it; the start of the file for the root.
        """
        places = self._keys if key else self._values
        for end in range(len(path), 0, -1):
            above = tuple(path[:end])
            if above in places:
                return self._place(places[above])
        return 1, 1

    def _place(self, node: Node) -> tuple[int, int]:
        row, column = node.start_point
        return row + 1, len(self._lines[row][:column].decode("utf-8", errors="replace")) + 1

    def _note(self, path: Path, key: Node, value: Node) -> None:
        """Keep the first place of a path: the one that a reader of the file meets first."""
        self._keys.setdefault(path, key)
        self._values.setdefault(path, value)


def pointer_to(path: Iterable[str | int]) -> str:
    """Return the JSON Pointer (RFC 6901) of names and indexes, which `pointed_names` gives back."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def pointed_names(pointer: str) -> list[str]:
    """Return the names and indexes of a JSON Pointer (RFC 6901), as text."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def pointed_path(pointer: str, document: Any) -> Path:
    """Return the keys and indexes along a JSON Pointer, as far as they exist."""
    path: list[str | int] = []
    for name in pointed_names(pointer):
        key = int(name) if isinstance(document, list) and name.isdecimal() else name
        try:
            document = document[key]
        except (LookupError, TypeError):
            break
        path.append(key)
    return tuple(path)


def json_positions(source: bytes) -> Positions:
    """Read the positions of a JSON file; of a broken one those before the error."""
    positions = Positions(source)
    root = Parser(_JSON).parse(source).root_node
    waiting: list[tuple[Path, Node]] = [((), value) for value in _plain(root)]
    while waiting:
        path, node = waiting.pop()
        for step, key, value in _json_members(node):
            positions._note((*path, step), key, value)
            waiting.append(((*path, step), value))
    return positions


def _json_members(node: Node) -> Iterator[tuple[str | int, Node, Node]]:
    if node.type == "array":
        for index, item in enumerate(_plain(node)):
            yield index, item, item
    else:  # an object; in a text or a number are no pairs
        for pair in _plain(node):
            key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
            if key is not None and value is not None:
                yield _json_name(key), key, value


def _json_name(key: Node) -> str:
    try:
        return str(json.loads(_text(key)))
    except ValueError:  # the file is broken here: what is written serves as the name
        return _text(key)


def toml_positions(source: bytes) -> Positions:
    """Read the places of a TOML file; of a broken one as far as they can be told."""
    positions = Positions(source)
    counts: dict[Path, int] = {}  # tables of each `[[array]]` so far
    for node in Parser(_TOML).parse(source).root_node.named_children:
        if node.type == "pair":
            _toml_pair(positions, (), node)
        elif node.type in ("table", "table_array_element"):
            _toml_table(positions, counts, node)
    return positions


def _toml_table(positions: Positions, counts: dict[Path, int], table: Node) -> None:
    header, *pairs = _plain(table) or [table]
    keys = list(_toml_keys(header))
    path: Path = ()
    for number, (name, key) in enumerate(keys, start=1):
        path = (*path, name)
        positions._note(path, key, key)
        if table.type == "table_array_element" and number == len(keys):
            counts[path] = counts.get(path, 0) + 1
        if path in counts:
            path = (*path, counts[path] - 1)
            positions._note(path, key, key)
    for pair in pairs:
        _toml_pair(positions, path, pair)


def _toml_pair(positions: Positions, path: Path, pair: Node) -> None:
    children = _plain(pair)
    if pair.type != "pair" or len(children) != 2:
        return
    key, value = children
    for name, place in _toml_keys(key):
        path = (*path, name)
        positions._note(path, place, value)
    _toml_value(positions, path, value)


def _toml_value(positions: Positions, path: Path, value: Node) -> None:
    if value.type == "inline_table":
        for pair in _plain(value):
            _toml_pair(positions, path, pair)
    elif value.type == "array":
        for index, item in enumerate(_plain(value)):
            positions._note((*path, index), item, item)
            _toml_value(positions, (*path, index), item)


def _toml_keys(key: Node) -> Iterator[tuple[str, Node]]:
    """Yield the names of a key, `a."b c".d` has three, each with its place."""
    if key.type == "dotted_key":
        for child in key.named_children:
            yield from _toml_keys(child)
    elif key.type == "quoted_key":
        yield _toml_name(key), key
    else:
        yield _text(key), key


def _toml_name(key: Node) -> str:
    try:
        return next(iter(tomllib.loads(f"{_text(key)} = 0")))
    except (tomllib.TOMLDecodeError, StopIteration):
        return _text(key)


def _plain(node: Node) -> list[Node]:
    """Return what a node holds, without comments and without what could not be read."""
    return [child for child in node.named_children if child.type not in ("comment", "ERROR")]


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", errors="replace")
