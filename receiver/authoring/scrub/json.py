"""The values of metadata in JSON. xml.py has the same functions."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from receiver.schemas import json_text
from receiver.schemas.json_text import loads


def utf8(content: bytes, charset: str) -> bytes:
    """Return the document in UTF-8. Raises `MalformedError`."""
    return json_text.utf8(content, charset)


def values(content: bytes) -> list[str]:
    """Return the text of each value in order; true, false and null have none."""
    return [str(value) for value in _scalars(loads(content))]


def rewritten(content: bytes, texts: Sequence[str]) -> bytes:
    """Return the document with other texts as values; numbers stay so if possible."""
    return _written(_with(loads(content), iter(texts))).encode() + b"\n"


def _written(value: Any, start: str = "\n") -> str:
    """Write a document, numbers as they were written, one member a line."""
    inner = start + "  "
    if isinstance(value, dict) and value:
        members = (f"{json.dumps(name, ensure_ascii=False)}: {_written(each, inner)}" for name, each in value.items())
        return "{" + inner + f",{inner}".join(members) + start + "}"
    if isinstance(value, list) and value:
        return "[" + inner + f",{inner}".join(_written(each, inner) for each in value) + start + "]"
    return repr(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False)


def _scalars(value: Any) -> Iterator[str | int | float]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _scalars(each)
    elif isinstance(value, list):
        for each in value:
            yield from _scalars(each)
    elif _is_scalar(value):
        yield value


def _with(value: Any, texts: Iterator[str]) -> Any:
    if isinstance(value, dict):
        return {name: _with(each, texts) for name, each in value.items()}
    if isinstance(value, list):
        return [_with(each, texts) for each in value]
    return _typed(value, next(texts)) if _is_scalar(value) else value


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _typed(value: str | float, text: str) -> str | float:
    try:
        return type(value)(text)
    except ValueError:
        return text
