"""The record formats: sibling modules with the same functions.

A format reads the literal text of a template from `START` on, and knows at each place how a value is escaped there:

- `advance(state, text)`: the place after some literal text
- `escaper(state, mark)`: the function that prints a value at a place; the mark is one of `MARKS`, a filter's name
- `after(state)`: the place once a value was printed
- `meet(one, other)`: the place where two branches go on together, or None
- `describe(state)`: the place in words
- `finish(text)`: the record as a whole: line ends

`advance` and `escaper` raise `Misplaced`. `STRUCTURE` names the characters that are structure outside of values.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from receiver.mapping.formats import csv, hl7, json, path, plain, text, xml

State = Any  # each format's own


class Format(Protocol):
    """What a format's module has."""

    START: State
    STRUCTURE: str
    MARKS: frozenset[str]

    def advance(self, state: State, text: str, /) -> State: ...
    def escaper(self, state: State, mark: str | None, /) -> Callable[[object], str]: ...
    def after(self, state: State, /) -> State: ...
    def meet(self, one: State, other: State, /) -> State | None: ...
    def describe(self, state: State, /) -> str: ...
    def finish(self, text: str, /) -> str: ...


FORMATS: dict[str, Format] = {"hl7": hl7, "json": json, "xml": xml, "csv": csv, "text": text, "path": path}


class Spot(NamedTuple):
    """A place in a record where text or a value may stand."""

    format: Format
    state: State

    def plain(self) -> "Spot":
        """Return the place of a text that is put together first and escaped where it is printed."""
        return self if self.format is plain else Spot(plain, self.format.STRUCTURE)
