"""Metadata in JSON; paths are JMESPath. xml.py has the same functions."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions

from receiver.core.faults import did_you_mean
from receiver.metadata.fields import Absent, Found, Known, Layout, WrongPathError, read_numbers
from receiver.schemas import json_text
from receiver.schemas.folder import Schemas
from receiver.schemas.json_explain import pointer
from receiver.schemas.json_schema import JsonSchema

NAME = "JSON"
parse = json_text.loads  # from the bytes of a part and its charset
SOURCE_ID = "sourceId"
EACH, FIELD_NAME, VALUE, CONFIDENCE = "fields", "name", "value", "confidence"
NO_CONFIDENCE = "`null`"  # the path of one that is never sent


@dataclass(frozen=True, slots=True)
class Path:
    """A compiled JMESPath; `keys` are its steps if it is only names: `document.id`."""

    expression: str
    keys: tuple[str, ...]
    _parsed: Any

    def find(self, item: Any) -> Any:
        """Return what stands there. Only a plain path can tell null from nothing."""
        if not self.keys:
            return self._search(item)
        for key in self.keys:
            if not isinstance(item, dict) or key not in item:
                return Absent.MISSING
            item = item[key]
        return item

    def find_each(self, items: Sequence[Any]) -> list[Any]:
        """Return what stands there in each item."""
        if not self.keys:
            return [self._search(item) for item in items]
        found: Iterable[Any] = items
        for key in self.keys:
            found = map(itemgetter(key), found)
        try:
            return list(found)
        except (KeyError, TypeError):  # in some nothing stands there
            return [self.find(item) for item in items]

    def _search(self, item: Any) -> Any:
        try:
            return self._parsed.search(item)
        except JMESPathError:  # a function was given what it does not take
            return Absent.MISSING


def path(expression: str) -> Path:
    """Compile a JMESPath. Raises `WrongPathError`."""
    try:
        parsed = jmespath.compile(expression)
    except JMESPathError as error:
        column = (getattr(error, "lex_position", None) or 0) + 1
        said = str(error).splitlines()[0].partition("expression: ")[2].strip(": ") or "it cannot be read"
        raise WrongPathError(f"not a JMESPath: {said[:1].lower()}{said[1:]}", column, _advice(expression)) from None
    for function in _functions(parsed.parsed):
        if function not in Functions.FUNCTION_TABLE:
            hint = did_you_mean(function, Functions.FUNCTION_TABLE) or "a path needs none: document.id"
            raise WrongPathError(f'JMESPath has no function "{function}"', expression.find(function) + 1, hint)
    return Path(expression, _keys(parsed.parsed), parsed)


def _advice(expression: str) -> str:
    """Return what to write instead of an invalid path.

    Most often it is a JSONPath, a JSON Pointer or an XPath.
    """
    plain = re.sub(r"^\$?[./]+|^\$", "", expression).replace("/", ".")
    quoted = re.sub(r"(?<![\w\"])(\w+(?:[- ]\w+)+)(?![\w\"])", r'"\1"', plain)
    try:
        jmespath.compile(quoted)
    except JMESPathError:
        return "steps are names joined by dots: document.id; [0] is the first of a list, [*] each of it"
    return f"write {quoted}" if quoted == plain else f"write it in single quotes: '{quoted}'"


def schema(schemas: Schemas, name: str) -> JsonSchema:
    """Return the schema of the metadata. Raises `ConfigurationError`."""
    return schemas.json(name)


def judged(document: Any) -> Any:
    """Return what the schema judges: the document itself."""
    return document


def source_id(document: Any, path: Path) -> Any:
    """Return the value at the path as text; whole numbers in decimal digits."""
    found = path.find(document)
    return str(found) if isinstance(found, int) and not isinstance(found, bool) else found


def fields(document: Any, layout: Layout, known: Known = None) -> Found | None:
    """Return every field; None if there is no list of them.

    An object is a list as well: each member is one field, with `key` and `value` for the paths to read. Names that
    are not `known` are called by their places.
    """
    found = layout.each.find(document)
    listed = _listed(found)
    if listed is None:
        return None
    by_name = isinstance(found, dict)

    def place_of(index: int) -> str:
        step = _shown(listed[index]["key"], index, known) if by_name else index
        return place(document, layout.each) + pointer([step])

    return Found(listed, place_of)


def rows(item: Any, path: Any) -> list[Any] | None:
    """Return every row; None if there is no list of them.

    An object is a list of one: so converters of XML write a row that comes alone.
    """
    found = path.find(item)
    if found is None or found is Absent.MISSING:
        return []
    return [found] if isinstance(found, dict) else _listed(found)


def cells(row: Any, path: Any) -> list[Any] | None:
    """Return every cell of a row, found as fields are; None if there is no list."""
    found = path.find(row)
    return [] if found is None or found is Absent.MISSING else _listed(found)


def _listed(found: Any) -> list[Any] | None:
    if isinstance(found, dict):
        return [{"key": key, "value": value} for key, value in found.items()]
    return found if isinstance(found, list) else None


def numbers(item: Any, path: Any) -> Iterator[float]:
    """Yield the numbers at a path, in order; none if anything else is there."""
    return read_numbers([path.find(item)])


def top(document: Any) -> Any:
    """Return what paths into the whole document are looked up from."""
    return document


def place(_document: Any, path: Any, _known: Known = None) -> str:
    """Return a path for people: a JSON Pointer if it is plain, else the JMESPath."""
    return pointer(path.keys) if path.keys else f"/{path.expression}"


def _shown(key: str, index: int, known: Known) -> str:
    return key if known is None or key in known else f"(property {index + 1})"


def as_names(document: Any) -> Any:
    """Return what templates see as `metadata`: the document itself."""
    return document


def _keys(node: Any) -> tuple[str, ...]:
    """Return the steps of a path of plain names, as JMESPath parsed it; else ()."""
    if node["type"] == "field":
        return (node["value"],)
    if node["type"] != "subexpression":
        return ()
    steps = [_keys(child) for child in node["children"]]
    return tuple(key for step in steps for key in step) if all(steps) else ()


def _functions(node: Any) -> Iterator[str]:
    if node["type"] == "function_expression":
        yield node["value"]
    for child in node["children"]:
        if isinstance(child, dict):
            yield from _functions(child)
