"""Days and times moved by a span, and the spans between them.

A month later is the same day of the next month, or its last day if it has no such day: January 31st and a month is
February 28th or 29th. A year later is twelve months later.
"""

import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from receiver.formats import budget, values
from receiver.formats.errors import RefusedError
from receiver.templates.filters import times
from receiver.templates.filters.dates import read_moment
from receiver.templates.filters.objection import NONE, Objection
from receiver.templates.filters.times import Moment

SPAN = re.compile(r"(?P<sign>[+-]?)(?P<count>[0-9]{1,6}) ?(?P<unit>y|mo|w|d|h|min)", re.ASCII)
MONTHS = {"y": 12, "mo": 1}
STEPS: Mapping[str, tuple[str, timedelta]] = {  # what must be known of a time to be moved by it, and its length
    "y": ("year", timedelta()),
    "mo": ("month", timedelta()),
    "w": ("day", timedelta(weeks=1)),
    "d": ("day", timedelta(days=1)),
    "h": ("hour", timedelta(hours=1)),
    "min": ("minute", timedelta(minutes=1)),
}
WRITTEN = 'a span is written "30d", "-2w", "6mo", "1y", "12h" or "15min"'
UNITS = ("years", "months")


def plus(value: object, span: str) -> str:
    """Move a day or time: `plus("30d")`, `plus("-6mo")`; as precise as it was.

    Takes the times of `delivery` and ISO-8601 texts. Raises `RefusedError` for anything else.
    """
    found = SPAN.fullmatch(values.text(span).strip())
    if found is None:
        raise RefusedError(f"is moved by what is no span: {WRITTEN}", "argument")
    count = int(found["sign"] + found["count"])
    step, length = STEPS[found["unit"]]
    begun = read_moment(value, "plus")
    if step not in begun.known:
        raise RefusedError(f"does not tell the {step}", "plus")
    try:
        when = _months_later(begun.when, MONTHS.get(found["unit"], 0) * count) + length * count
    except (OverflowError, ValueError):
        raise RefusedError("is moved out of the calendar", "plus") from None
    return budget.made(times.written_iso(begun._replace(when=when)))


def _months_later(when: datetime, months: int) -> datetime:
    """Return the same day some months later, or the last day of that month."""
    year, month = divmod(when.year * 12 + when.month - 1 + months, 12)
    return when.replace(year=year, month=month + 1, day=min(when.day, monthrange(year, month + 1)[1]))


def age(value: object, at: object, unit: str = "years") -> int:
    """Return the age in whole years, or months, on a day of someone born on another.

    Who was born on February 29th is a year older on March 1st. Raises `RefusedError` for a day of birth after `at`.
    """
    if unit not in UNITS:
        raise RefusedError("is asked for an age in years or months", "argument")
    born, day = _day(value, "age"), _day(at, "age")
    if born > day:
        raise RefusedError("is after the day of which the age is asked for", "age")
    months = (day.year - born.year) * 12 + day.month - born.month - (day.day < born.day)
    return months // 12 if unit == "years" else months


def days_between(value: object, other: object) -> int:
    """Return how many days another day is later; fewer than none if it is earlier."""
    return (_day(other, "days_between") - _day(value, "days_between")).days


def _day(value: object, rule: str) -> date:
    found: Moment = read_moment(value, rule)
    if "day" not in found.known:
        raise RefusedError("does not tell the day", rule)
    return found.when.date()


def check_plus(arguments: Mapping[str, Any]) -> Objection:
    """Return what is wrong with constant arguments of `plus`."""
    span = arguments.get("span")
    if not isinstance(span, str) or SPAN.fullmatch(span.strip()):
        return NONE
    return Objection(f'"{span}" is no span', WRITTEN)


def check_age(arguments: Mapping[str, Any]) -> Objection:
    """Return what is wrong with constant arguments of `age`."""
    unit = arguments.get("unit")
    if not isinstance(unit, str) or unit in UNITS:
        return NONE
    return Objection("an age is in years or months", 'write age("years") or age("months")')
