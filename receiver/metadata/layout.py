"""Where the fields stand in the metadata, and what was found there: the words that json.py and xml.py share."""

from collections.abc import Callable, Container
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

    def __init__(self, message: str, column: int = 1) -> None:
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


class Raw(NamedTuple):
    """One field as it was found, nothing judged yet."""

    where: Callable[[], str]  # its JSON Pointer or XPath, asked for only where something is wrong
    name: Any
    value: Any
    confidence: Any


def raw(where: Callable[[], str], item: Any, layout: Layout) -> Raw:
    """Read one field."""
    return Raw(where, layout.name.find(item), layout.value.find(item), layout.confidence.find(item))
