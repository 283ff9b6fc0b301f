"""The fields as templates see them: how each is written in an expression, and what it may be."""

import json
import re
from collections.abc import Iterator
from typing import Any

from receiver.authoring.draft.kinds import kind
from receiver.authoring.draft.reading import Seen
from receiver.authoring.draft.words import role
from receiver.formats.slot import Slot

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def slots(seen: Seen) -> Iterator[Slot]:
    """Yield what can be printed of a field: itself, or each part of an object."""
    expression = f"fields{_member(seen.name)}"
    if seen.values and all(isinstance(value, dict) for value in seen.values) and not seen.repeated:
        yield from _parts(seen, expression)
    else:
        yield _slot(seen.name, expression, seen, list(seen.values))


def left_out(seen: Seen) -> list[str]:
    """Return the parts of an object that no template prints: what is nested, or is not always there."""
    printed = {slot.name for slot in slots(seen)}
    keys = dict.fromkeys(key for value in seen.values if isinstance(value, dict) for key in value)
    whole = seen.name in printed
    return [] if whole else [f"{seen.name}.{key}" for key in keys if f"{seen.name}.{key}" not in printed]


def _parts(seen: Seen, expression: str) -> Iterator[Slot]:
    keys = dict.fromkeys(key for value in seen.values for key in value)
    for key in keys:
        values = [value[key] for value in seen.values if key in value]
        everywhere = len(values) == len(seen.values)
        if seen.always and everywhere and not any(isinstance(value, dict) for value in values):
            yield _slot(f"{seen.name}.{key}", expression + _member(key), seen, values)


def _slot(name: str, expression: str, seen: Seen, values: list[Any]) -> Slot:
    many = seen.repeated or any(isinstance(value, list) for value in values)
    texts = [value for value in values if isinstance(value, str)]
    found = kind(name, texts) if len(texts) == len(values) else kind(name, ())
    empty = found.empty or any(value is None for value in values)
    breaks = any(not text.isprintable() for text in texts)
    return Slot(name, expression, not seen.always, many, None if many else found.date, empty, breaks, role(name))


def _member(name: str) -> str:
    return f".{name}" if IDENTIFIER.fullmatch(name) else f"[{json.dumps(name, ensure_ascii=False)}]"
