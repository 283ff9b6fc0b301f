"""Where the fields stand in the metadata, and what was found there: the words that json.py and xml.py share."""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple, Protocol

Known = Container[str] | None  # names that may be told, for a schema holds them; None: all


class Absent(Enum):
    """Why a path yields no value."""

    MISSING = "nothing stands at"
    SEVERAL = "more than one thing stands at"


class WrongPath(ValueError):  # noqa: N818 (a state, told in two words)
    """An expression that is no path of its language."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(message)
        self.message = message
        self.column = column  # from 1, in the expression


class Path(Protocol):
    """A compiled JMESPath or XPath."""

    @property
    def expression(self) -> str:
        """The path as it is configured."""
        ...

    def find(self, item: Any) -> Any:
        """Return what stands there, seen from an item of the document, or why there is nothing: `Absent`."""
        ...


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the fields are: `each` from the document, the others from each field."""

    each: Path
    name: Path
    value: Path
    confidence: Path

    def read(self, item: Any) -> tuple[Any, Any, Any]:
        """Return name, value and confidence of a field as they stand there, nothing judged yet."""
        return self.name.find(item), self.value.find(item), self.confidence.find(item)


class Found(NamedTuple):
    """Every field of a document."""

    items: Sequence[Any]  # what each is read from
    place: Callable[[int], str]  # its JSON Pointer or XPath by its index: asked for only where something is wrong
