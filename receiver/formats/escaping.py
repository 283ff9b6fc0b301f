"""The record formats: sibling modules with the same functions.

A format reads the literal text of a template from `START` on, and knows at each place how a value is escaped there:

- `advance(state, text)`: the place after some literal text
- `escaper(state, mark)`: the function that prints a value at a place; the mark is one of `MARKS`, a filter's name
- `after(state)`: the place once a value was printed
- `merge(one, other)`: the place where two branches go on together, or None
- `resume(state)`: the start of the next line, where reading goes on after a fault, or None if that is not sure
- `describe(state)`: the place in words
- `finish(text)`: the record as a whole: line ends

`advance` and `escaper` raise `MisplacedError`. `STRUCTURE` names the characters that are structure outside of values.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from receiver.formats import path, plain
from receiver.formats.csv import escape as csv
from receiver.formats.errors import MisplacedError
from receiver.formats.hl7 import escape as hl7
from receiver.formats.json import escape as json
from receiver.formats.text import escape as text
from receiver.formats.xml import escape as xml

State = Any  # each format's own


class Format(Protocol):
    """What a format's module has."""

    START: State
    STRUCTURE: str
    MARKS: frozenset[str]

    def advance(self, state: State, text: str, /) -> State: ...
    def escaper(self, state: State, mark: str | None, /) -> Callable[[object], str]: ...
    def after(self, state: State, /) -> State: ...
    def merge(self, one: State, other: State, /) -> State | None: ...
    def resume(self, state: State, /) -> State | None: ...
    def describe(self, state: State, /) -> str: ...
    def finish(self, text: str, /) -> str: ...


FORMATS: dict[str, Format] = {"hl7": hl7, "json": json, "xml": xml, "csv": csv, "text": text, "path": path}


class OutputContext(NamedTuple):
    """A place in a record where text or a value may stand."""

    format: Format
    state: State
    lost: bool = False  # after a fault: nothing is judged before the next line

    def plain(self) -> "OutputContext":
        """Return the context of text that is put together first and escaped when printed."""
        return self if self.format is plain else OutputContext(plain, self.format.STRUCTURE)

    def advance(self, text: str) -> "OutputContext":
        """Return the place after some literal text. Raises `MisplacedError`."""
        if not self.lost:
            return OutputContext(self.format, self.format.advance(self.state, text))
        rest = text.find("\n") + 1
        state = self.format.resume(self.state) if rest else None
        try:
            return self if state is None else OutputContext(self.format, state).advance(text[rest:])
        except MisplacedError as error:
            error.offset += rest
            raise

    def after(self) -> "OutputContext":
        """Return the place once a value was printed."""
        return self if self.lost else OutputContext(self.format, self.format.after(self.state))

    def merge(self, other: "OutputContext") -> "OutputContext | None":
        """Return the place where two ways go on together, or None if they cannot."""
        if self.lost or other.lost:
            return self._replace(lost=True)
        state = self.format.merge(self.state, other.state)
        return None if state is None else OutputContext(self.format, state)
