"""Fields: their paths, values, repeats and confidences, as templates see them."""

import math
import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple, Protocol

from receiver.core.delivery import Cell
from receiver.core.problems import Violation
from receiver.schemas import json_text, words
from receiver.schemas.encodings import MalformedError
from receiver.schemas.json_explain import pointer

MAX_FIELDS = 5_000  # fields of one document: a form has a hundred; reading five thousand takes a tenth of a second
MAX_NAME = 200  # characters of a field's name: a customer chooses it in a form field
MAX_VIOLATIONS = 100  # violations reported for one document: more than anyone repairs in one go
MAX_SOURCE_ID = 256  # characters of a sourceId: every system's ids fit, and a ledger row stays small

_NUMBER = re.compile(r"\s*[+-]?(?:[0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(?:[eE][+-]?[0-9]{1,2})?\s*", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

Known = Container[str] | None  # names that may be reported, for a schema holds them; None: all


class Absent(Enum):
    """Why a path yields no value."""

    MISSING = "nothing stands at"
    SEVERAL = "more than one thing stands at"


class WrongPathError(ValueError):
    """An expression that is no path of its language."""

    def __init__(self, message: str, column: int, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint  # what to write
        self.column = column  # from 1, in the expression


class WrongConfidenceError(ValueError):
    """What stands where a confidence is looked for is none."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message  # never the value


class Path(Protocol):
    """A compiled JMESPath or XPath."""

    @property
    def expression(self) -> str:
        """The path as it is configured."""
        ...

    def find(self, item: Any) -> Any:
        """Return the value at a path seen from an item, or why there is none: `Absent`."""
        ...

    def find_each(self, items: Sequence[Any]) -> list[Any]:
        """Return what `find` does, for each of some items."""
        ...


@dataclass(frozen=True, slots=True)
class Placing:
    """The paths to where on a page something was read."""

    page: Path  # from it: its page, counted from 1
    box: Path  # from it: left, top, right, bottom, or the corners of a polygon
    size: Path | None  # from the document: width and height of each page in the box's unit; None: boxes are fractions


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the fields are: `each` from the document, the others from each field."""

    each: Path
    name: Path
    value: Path
    confidence: Path

    def read(self, items: Sequence[Any]) -> Iterator[tuple[Any, Any, Any]]:
        """Return name, value and confidence of each field as they are, not judged yet."""
        return zip(*(path.find_each(items) for path in (self.name, self.value, self.confidence)), strict=True)


class Found(NamedTuple):
    """Every field of a document."""

    items: Sequence[Any]  # what each is read from
    place: Callable[[int], str]  # its JSON Pointer or XPath by its index: asked for only if something is wrong


class Rules(NamedTuple):
    """What the process says about its fields."""

    repeated: frozenset[str]  # their values are lists, also when they come once
    names: Mapping[str, str]  # a sound name that the configuration holds → the name that counts: aliases differ
    scale: float  # what the platform's full confidence is written as


@dataclass(slots=True)
class Gathered:
    """The fields of one document, and what is wrong with them."""

    place: Callable[[int], str]  # of a field by its index
    fields: dict[str, Any] = field(default_factory=dict)
    confidence: dict[str, float] = field(default_factory=dict)
    firsts: dict[str, int] = field(default_factory=dict)  # the index at which each name comes first
    violations: list[Violation] = field(default_factory=list)
    surplus: int = 0  # violations beyond the hundredth

    def refuse(self, index: int | None, rule: str, message: str) -> None:
        """Note a violation of a field, or of all; from the hundredth on only count it.

        Finding its place takes time.
        """
        if len(self.violations) < MAX_VIOLATIONS:
            self.violations.append(Violation("/" if index is None else self.place(index), rule, message))
        else:
            self.surplus += 1

    def place_of(self, name: str) -> str | None:
        """Return where a name stands first."""
        return self.place(self.firsts[name]) if name in self.firsts else None


def gather(found: Found, layout: Layout, rules: Rules) -> Gathered:
    """Read every field; one that cannot be read is a violation and is left out.

    One without a value, or with null, is as if it had not come: .NET writes all that it has no value for as null.
    """
    gathered = Gathered(found.place)
    fields, firsts, confidences = gathered.fields, gathered.firsts, gathered.confidence
    repeated, names, scale = rules
    for index, (given, value, sure) in enumerate(layout.read(found.items[:MAX_FIELDS])):
        try:
            name: str | None = names[given]
        except (KeyError, TypeError):
            name = _unknown(gathered, index, given, layout.name)
        if type(sure) is float and 0 <= sure <= scale:  # as nearly always
            confidence: float | None = sure / scale
        else:
            confidence = _confidence(gathered, index, sure, scale)
        if name is None or value is None or type(value) is Absent:
            if value is Absent.SEVERAL:
                gathered.refuse(index, "value", f"{value.value} {words.rule(layout.value.expression)}")
        elif name in fields:
            _add(gathered, rules, index, name, value, confidence)
        else:
            fields[name] = [value] if name in repeated else value
            firsts[name] = index
            if confidence is not None:
                confidences[name] = confidence
    if len(found.items) > MAX_FIELDS:
        gathered.refuse(None, "more", f"has more than {MAX_FIELDS:,} fields")
    if gathered.surplus:
        gathered.violations.append(Violation("/", "more", f"{gathered.surplus} more"))
    return gathered


def _unknown(gathered: Gathered, index: int, given: Any, path: Path) -> str | None:
    """Return a name that the configuration does not hold; None if it is none."""
    if fault := name_fault(given, path):
        gathered.refuse(index, "name", fault)
        return None
    return str(given)


def _confidence(gathered: Gathered, index: int, given: Any, scale: float) -> float | None:
    try:
        return read_confidence(given, scale)
    except WrongConfidenceError as error:
        gathered.refuse(index, "confidence", error.message)
        return None


def _add(gathered: Gathered, rules: Rules, index: int, name: str, value: Any, confidence: float | None) -> None:
    """Add a value to a field that has come before."""
    if name not in rules.repeated:
        gathered.refuse(index, "repeated", "the field comes more than once")
        return
    gathered.fields[name].append(value)
    if confidence is not None:
        gathered.confidence[name] = min(confidence, gathered.confidence.get(name, 1.0))


def name_fault(name: Any, path: Path) -> str:
    """Return what is wrong with a value as a field's or cell's name, or ""."""
    if isinstance(name, Absent):
        return f"{name.value} {words.rule(path.expression)}"
    if not isinstance(name, str) or not name.strip():
        return "the field's name must be text that is not empty"
    if len(name) > MAX_NAME or _CONTROL.search(name):
        return f"the field's name must have at most {MAX_NAME} characters, none of them control"
    return ""


def read_confidence(given: Any, scale: float) -> float | None:
    """Return the confidence from 0 to 1; None if there is none.

    Raises `WrongConfidenceError`.
    """
    if isinstance(given, str) and _NUMBER.fullmatch(given):
        number = float(given)
    elif given is None or given is Absent.MISSING or given == "":
        return None
    elif isinstance(given, bool) or not isinstance(given, int | float):
        raise WrongConfidenceError("the confidence must be a number")
    else:
        number = given
    if not 0 <= number <= scale:
        raise WrongConfidenceError(f"the confidence must be from 0 to {scale:g}")
    return number / scale


def source_id_fault(found: Any) -> str:
    """Return what is wrong with a source id, or ""."""
    if isinstance(found, Absent) or found is None:
        return "the document has no source id"
    if not isinstance(found, str):
        return "the source id must be text or a whole number"
    if not found.strip():
        return "the source id is empty"
    if len(found) > MAX_SOURCE_ID:
        return f"the source id must have at most {MAX_SOURCE_ID} characters"
    return "the source id must have no control characters" if _CONTROL.search(found) else ""


def below_minimum(
    confidence: Mapping[str, float | None], minimum: float, per_field: Mapping[str, float], known: Known = None
) -> list[Violation]:
    """Return a violation for each field below its minimum.

    A field that is not `known` is called by its number.

    Of a field without confidence, which is None, nothing was measured: it is below every minimum but 0.
    """
    violations = []
    for number, (name, value) in enumerate(confidence.items(), start=1):
        least = per_field.get(name, minimum)
        if (0 if value is None else value) < least:
            shown = name if known is None or name in known else f"(field {number})"
            violations.append(Violation(f"fields{pointer([shown])}", "confidence", _too_low(value, least)))
    return violations


def cells_below_minimum(
    cells: Iterable[Cell], minimum: float, per_column: Mapping[str, float], *, accept_unknown: bool
) -> list[Violation]:
    """Return a violation for each cell below its minimum.

    The first hundred, and how many more there are.
    """
    measured = (cell for cell in cells if not (accept_unknown and cell.confidence is None))
    found = [(cell, low) for cell in measured if (low := _too_low(cell.confidence, per_column.get(cell.name, minimum)))]
    violations = [
        Violation(pointer((*cell.steps[:-1], cell.shown))[1:], "confidence", low)
        for cell, low in found[:MAX_VIOLATIONS]
    ]
    if len(found) > MAX_VIOLATIONS:
        violations.append(Violation("tables", "more", f"{len(found) - MAX_VIOLATIONS} more"))
    return violations


def _too_low(confidence: float | None, minimum: float) -> str:
    """Return what is wrong with a confidence, or ""."""
    if (0 if confidence is None else confidence) >= minimum:
        return ""
    if confidence is None:
        return f"there is no confidence, and its minimum is {minimum:g}"
    return f"the confidence is below {minimum:g}"


def typed(text: str, before: object) -> object:
    """Return a correction as a number if the platform's value is one, for the schema."""
    if isinstance(before, int | float) and not isinstance(before, bool):
        with suppress(MalformedError):
            number = json_text.loads(text.encode())
            if isinstance(number, int | float) and not isinstance(number, bool):
                return number
    return text


def read_numbers(values: Iterable[Any]) -> Iterator[float]:
    """Yield the numbers that stand there, also in lists; none unless all are."""
    try:
        found = list(_numbers(values))
    except (ValueError, OverflowError):
        return
    if all(map(math.isfinite, found)):
        yield from found


def _numbers(values: Iterable[Any]) -> Iterator[float]:
    for value in values:
        if isinstance(value, list):
            yield from _numbers(value)
        elif isinstance(value, str):
            yield from map(float, value.replace(",", " ").replace(";", " ").split())
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield float(value)
        elif value is not None and not isinstance(value, Absent):
            raise ValueError
