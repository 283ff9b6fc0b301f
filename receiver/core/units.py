"""Sizes, spans of time, moments and JSON as text."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from json import encoder
from typing import Any

SIZE = re.compile(r"([0-9]{1,15})(?: ?B)?|([0-9]{1,12}(?:\.[0-9]{1,3})?) ?([kMGT])B", re.IGNORECASE | re.ASCII)
SIZE_UNITS = {"k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}  # decimal, as disks and the SI count

DURATION = re.compile(r"([1-9][0-9]{0,4}) ?([hd])|([1-9][0-9]{0,3}) ?(w)|([1-9][0-9]?) ?(y)")
SHORT_DURATION = re.compile(r"([1-9][0-9]{0,4}) ?([mhd])")
DURATION_UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "y": timedelta(days=366),  # never shorter than a year of the calendar: retention is a promise
}


def size(text: str) -> int:
    """Return the bytes that "512 MB", "1.5 GB", "64 kB" or "1048576" mean.

    Raises ValueError.
    """
    found = SIZE.fullmatch(text.strip())
    if found is None:
        raise ValueError("not a size")
    plain, amount, unit = found.groups()
    return int(plain) if plain else int(Decimal(amount) * SIZE_UNITS[unit.lower()])


def size_text(count: int) -> str:
    """Write a number of bytes with the largest exact unit: 512000000 as "512 MB"."""
    for letter, unit in reversed(SIZE_UNITS.items()):
        if count and count % unit == 0:
            return f"{count // unit} {'k' if letter == 'k' else letter.upper()}B"
    return f"{count} B"


def duration(text: str) -> timedelta:
    """Return the span that "12h", "30d", "6w" or "7y" means, at most a few centuries.

    Raises ValueError.
    """
    found = DURATION.fullmatch(text.strip())
    if found is None:
        raise ValueError("not a span of time")
    amount, unit = filter(None, found.groups())
    return int(amount) * DURATION_UNITS[unit]


def short_duration(text: str) -> timedelta:
    """Return the span that "15m", "12h" or "1d" means. Raises ValueError."""
    found = SHORT_DURATION.fullmatch(text.strip())
    if found is None:
        raise ValueError("not a span of time")
    return int(found[1]) * DURATION_UNITS[found[2]]


def stamp(moment: datetime) -> str:
    """Write a moment in ISO 8601, UTC, with microseconds; texts sort as moments do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """Read what `stamp` wrote."""
    return datetime.fromisoformat(text)


def json_writer(options: json.JSONEncoder) -> Callable[[Any], str]:
    """Return what `options.encode` is, for many short texts without indentation.

    `encode` makes the encoder in C, which does the work, anew for each: most of the time of a text as short as ours.
    That encoder is not documented, but the same in Python 3.11 to 3.13; a test compares what both write.
    """
    write = encoder.c_make_encoder(  # type: ignore[attr-defined]
        None,  # no look for circles
        options.default,
        encoder.encode_basestring_ascii if options.ensure_ascii else encoder.encode_basestring,
        None,  # no indentation
        options.key_separator,
        options.item_separator,
        options.sort_keys,
        options.skipkeys,
        options.allow_nan,
    )
    return lambda value: "".join(write(value, 0))
