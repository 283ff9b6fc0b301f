"""What the values of a field have in common: dates, numbers, codes.

Patterns tell the form, never a value.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from receiver.authoring.draft.reading import Seen
from receiver.authoring.draft.words import role
from receiver.formats.slot import Slot

DAY, MONTH, YEAR = "(0?[1-9]|[12][0-9]|3[01])", "(0?[1-9]|1[0-2])", "(19|20)[0-9]{2}"
DATES = {  # how a date is read → its pattern; of two that fit, the first is taken
    "%Y-%m-%d": f"{YEAR}-{MONTH}-{DAY}",
    "%m/%d/%Y": f"{MONTH}/{DAY}/{YEAR}",
    "%d/%m/%Y": f"{DAY}/{MONTH}/{YEAR}",
    "%d.%m.%Y": rf"{DAY}\.{MONTH}\.{YEAR}",
    "%m-%d-%Y": f"{MONTH}-{DAY}-{YEAR}",
    "%Y/%m/%d": f"{YEAR}/{MONTH}/{DAY}",
    "iso": f"{YEAR}-{MONTH}-{DAY}T00:00(:00(\\.0+)?)?(Z|[+-][0-9]{{2}}:[0-9]{{2}})?",  # .NET's DateTime of a day
    "%Y%m%d": "(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])",
}
COMPACT = "%Y%m%d"  # eight digits are a date only under a name that says so
SAYS_DATE = re.compile(r"date|dob|birth|day", re.IGNORECASE)
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
CODE = re.compile(r"(?=.*[0-9])[A-Za-z0-9./_-]{2,20}")
AGREE = 2  # different values that must have the same form: of a single one nobody knows what may change


@dataclass(frozen=True, slots=True)
class Kind:
    """What the values of one field are."""

    pattern: str | None = None  # without anchors
    date: str | None = None  # how it is read
    empty: bool = False  # it came empty
    other: str | None = None  # how else the dates could be read


def kind(name: str, values: Sequence[str]) -> Kind:
    """Return what all values of a field have in common."""
    filled = [value for value in values if value.strip()]
    empty = len(filled) < len(values)
    dates = [form for form in DATES if form != COMPACT or SAYS_DATE.search(name)]
    fitting = [form for form in dates if filled and all(_is_date(value, form) for value in filled)]
    if fitting:
        return Kind(DATES[fitting[0]], fitting[0], empty, next(iter(fitting[1:]), None))
    return Kind(_agreed(set(filled)), None, empty)


def _is_date(value: str, form: str) -> bool:
    if not re.fullmatch(DATES[form], value):
        return False
    try:
        datetime.strptime(*((value[:10], "%Y-%m-%d") if form == "iso" else (value, form)))  # noqa: DTZ007 (as written)
    except ValueError:
        return False
    return True


def _agreed(values: set[str]) -> str | None:
    if len(values) < AGREE:
        return None
    if all(NUMBER.fullmatch(value) for value in values):
        sign = "-?" if any(value.startswith("-") for value in values) else ""
        return "-?[0-9]+(\\.[0-9]+)?" if any("." in value for value in values) else f"{sign}[0-9]+"
    shapes = {_shape(value) for value in values}
    return shapes.pop() if len(shapes) == 1 and all(CODE.fullmatch(value) for value in values) else None


def _shape(value: str) -> str:
    """Write a value's form: "AB-1234" is `[A-Z]{2}-[0-9]{4}`."""
    written = ""
    for piece, letters in groupby(value, key=_piece):
        count = len(list(letters))
        written += piece + (f"{{{count}}}" if count > 1 else "")
    return written


def _piece(letter: str) -> str:
    if letter.isdigit():
        return "[0-9]"
    if letter.isalpha():
        return "[A-Z]" if letter.isupper() else "[a-z]"
    return re.escape(letter)


IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def slots(seen: Seen) -> Iterator[Slot]:
    """Yield what can be printed of a field: itself, or each part of an object."""
    expression = f"fields{_member(seen.name)}"
    if seen.values and all(isinstance(value, dict) for value in seen.values) and not seen.repeated:
        yield from _parts(seen, expression)
    else:
        yield _slot(seen.name, expression, seen, list(seen.values))


def left_out(seen: Seen) -> list[str]:
    """Return the parts of an object that no template prints: nested, or not in all."""
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
