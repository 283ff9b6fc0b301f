"""The plain text of a value, before it is escaped for its place."""

import math
from datetime import date, time
from decimal import Decimal

from jinja2.runtime import Undefined

from receiver.formats.errors import RefusedError
from receiver.metadata.xml_names import Names

SEVERAL = "is several elements: say which one, [0], or go through them in a loop"


def text(value: object) -> str:
    """Return a value's text: nothing for null, true and false, plain digits, ISO-8601 for dates.

    A list or an object has no text: it raises `RefusedError`.
    """
    if isinstance(value, str):
        return str(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return number(value)
    if isinstance(value, date | time):  # a datetime is a date
        return value.isoformat()
    if isinstance(value, Undefined):
        return str(value)  # raises MissingNameError
    if isinstance(value, Names):
        return _element(value)
    raise RefusedError(f"is {kind(value)}, not a single value (print its items in a loop, or use `join`)")


def _element(names: Names) -> str:
    try:
        return str(names)
    except ValueError:
        raise RefusedError(SEVERAL) from None


def number(value: float | Decimal) -> str:
    """Return the digits of a finite number. Raises `RefusedError` for NaN and the infinities."""
    if isinstance(value, int):
        return str(int(value))
    if not math.isfinite(value):
        raise RefusedError("is not a finite number")
    return format(value, "f") if isinstance(value, Decimal) else repr(value)


def kind(value: object) -> str:
    """Name the kind of a value that is not a single one."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    return "not a text or number"
