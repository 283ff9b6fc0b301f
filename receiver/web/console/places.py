"""Where in its records a field stands: what differs if they are rendered with a slightly different value.

So it is found whatever the template does with it; a value that can be changed in no way that the schema takes is not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from receiver.delivery.context import Context
from receiver.store.entry import Entry
from receiver.web.console import showing

TRIES = 8  # other values of one field: each costs a rendering, some milliseconds


@dataclass(frozen=True, slots=True)
class Place:
    """A piece of one line of a record."""

    path: str
    line: int  # from 0
    start: int
    end: int


def places(context: Context, entry: Entry, name: str) -> list[Place]:
    """Return where in the records of a kept delivery a field stands. Raises Problem if it is kept no longer."""
    preview = showing.preview(context, entry)
    value = next((field.value for field in preview.every if field.name == name and field.single), "")
    for other in islice(_others(value), TRIES):
        changed = showing.preview(context, entry, {**preview.corrections, name: other})
        if changed.records and not changed.problem:
            return list(_differing(dict(preview.records), dict(changed.records)))
    return []


def _others(value: str) -> Iterator[str]:
    """Yield values of the same shape: a schema takes one of them as a rule."""
    for index in reversed(range(len(value))):
        character = value[index]
        if character.isdigit():
            yield value[:index] + ("1" if character != "1" else "2") + value[index + 1 :]
        elif character.isalpha():
            yield value[:index] + _letter(character) + value[index + 1 :]


def _letter(character: str) -> str:
    other = "x" if character.lower() != "x" else "y"
    return other.upper() if character.isupper() else other


def _differing(before: dict[str, str], after: dict[str, str]) -> Iterator[Place]:
    for path, text in before.items():
        old, new = text.split("\n"), after.get(path, "").split("\n")
        if len(old) == len(new):
            for number, (one, other) in enumerate(zip(old, new, strict=True)):
                if one != other:
                    yield Place(path, number, *_span(one, other))


def _span(one: str, other: str) -> tuple[int, int]:
    """Return the piece of a line that differs, and the whole word around it."""
    start = next(index for index in range(len(one) + 1) if one[: index + 1] != other[: index + 1])
    behind = 0
    while behind < min(len(one), len(other)) - start and one[-1 - behind] == other[-1 - behind]:
        behind += 1
    end = len(one) - behind
    while start > 0 and one[start - 1].isalnum():
        start -= 1
    while end < len(one) and one[end].isalnum():
        end += 1
    return start, end
