"""JSON, by path: `/patient/name`, as JSON Pointers are written (RFC 6901)."""

import json
from collections.abc import Iterator
from typing import Any

from receiver.formats import differences
from receiver.formats.differences import aligned
from receiver.schemas.json_explain import pointer


def compare(expected: str, got: str) -> Iterator[str]:
    """Yield the differences of two documents. Raises ValueError for what is none."""
    return _value((), json.loads(expected), json.loads(got))


def _value(path: tuple[str | int, ...], one: Any, other: Any) -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        yield from _object(path, one, other)
    elif isinstance(one, list) and isinstance(other, list):
        yield from _list(path, one, other)
    elif isinstance(one, str) and isinstance(other, str):
        if one != other:
            yield differences.values(_where(path), one, other)
    elif _text(one) != _text(other):
        yield differences.changed(_where(path), _short(one), _short(other))


def _object(path: tuple[str | int, ...], one: dict[str, Any], other: dict[str, Any]) -> Iterator[str]:
    for key in dict.fromkeys([*one, *other]):
        if key not in other:
            yield differences.missing(_where((*path, key)), _short(one[key]))
        elif key not in one:
            yield differences.surplus(_where((*path, key)), _short(other[key]))
        else:
            yield from _value((*path, key), one[key], other[key])


def _list(path: tuple[str | int, ...], one: list[Any], other: list[Any]) -> Iterator[str]:
    for a, b in aligned(one, other, _text, type):
        if a is not None and b is not None:
            yield from _value((*path, a), one[a], other[b])
        elif a is not None:
            yield differences.missing(_where((*path, a)), _short(one[a]))
        elif b is not None:
            yield differences.surplus(_where((*path, b)), _short(other[b]))


def _where(path: tuple[str | int, ...]) -> str:
    return pointer(path) or "/"


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= differences.LONGEST else text[: differences.LONGEST] + "…"
