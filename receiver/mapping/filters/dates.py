"""Dates: read by the formats that the author lists, nothing guessed."""

import datetime as clock
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from receiver.mapping import budget, values
from receiver.mapping.errors import Refused

MAX_DATE = 100  # characters: the longest way to write a date has half of that


def date(value: object, read: str | Sequence[str], write: str) -> str:
    """Read a date by one of the listed formats and write it by another: `date("%m/%d/%Y", "%Y%m%d")`.

    The formats are Python's: https://docs.python.org/3/library/datetime.html#format-codes.
    A list is tried in its order.
    Raises `Refused` for what none of them reads.
    """
    if isinstance(value, clock.date):
        return budget.made(value.strftime(write))
    formats = [read] if isinstance(read, str) else list(read)
    plain = values.text(value).strip()
    for each in formats:
        try:
            if len(plain) <= MAX_DATE:
                return budget.made(datetime.strptime(plain, each).strftime(write))  # noqa: DTZ007 (a date as written)
        except ValueError:
            continue
    raise Refused(f"is not a date written as {' or '.join(formats)}", "date")


def check(arguments: list[Any]) -> str:
    """Return what is wrong with constant formats, or ""."""
    for argument in arguments[:2]:
        for each in [argument] if isinstance(argument, str) else argument if isinstance(argument, list) else []:
            try:
                datetime.strptime("", str(each))  # noqa: DTZ007
            except ValueError as error:
                if "bad directive" in str(error) or "stray" in str(error):
                    return f'"{each}" is not a date format'
    return ""


def hl7_ts(value: object) -> str:
    """Write a time as HL7 does: YYYYMMDDHHMMSS, with +ZZZZ where the time zone is known (HL7 v2.5.1 §2.A.22).

    Takes the times of `delivery` and ISO-8601 texts; a day alone becomes YYYYMMDD. Raises `Refused` for anything else.
    """
    if isinstance(value, datetime):
        return _seconds(value)
    if isinstance(value, clock.date):
        return value.isoformat().replace("-", "")
    plain = values.text(value).strip()
    try:
        when = datetime.fromisoformat(plain[:MAX_DATE])
    except ValueError:
        raise Refused("is not an ISO-8601 time (read another one with `date`)", "hl7_ts") from None
    return _seconds(when) if len(plain) > len("2026-11-23") else when.date().isoformat().replace("-", "")


def _seconds(when: datetime) -> str:
    plain = when.replace(tzinfo=None).isoformat(timespec="seconds")
    return plain.replace("-", "").replace(":", "").replace("T", "") + when.strftime("%z")[:5]


# The first call imports a module, which is not safe among threads.
datetime.strptime("", "")  # noqa: DTZ007
