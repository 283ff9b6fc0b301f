"""Points in time as they are written: what of year, month, day, hour, minute, second and zone is known, and no more."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import NamedTuple

from receiver.formats.errors import Refused
from receiver.templates.filters import patterns
from receiver.templates.filters.patterns import CACHED, OFFSET
from receiver.templates.filters.patterns import offset as offset_of

STEPS = ("year", "month", "day", "hour", "minute", "second", "fraction")  # each finer than the one before
FILLERS = dict(zip(STEPS, (1, 1, 1, 0, 0, 0), strict=False))  # what stands in a datetime for what is not known
ZONE = "zone"
MAX_WRITTEN = 100  # characters: the longest way to write a date has half of that

# What Python's format codes tell. Codes that are not here depend on the machine's language, or tell nothing.
DIRECTIVES: dict[str, frozenset[str]] = {
    "y": frozenset({"year"}),
    "Y": frozenset({"year"}),
    "m": frozenset({"month"}),
    "b": frozenset({"month"}),
    "B": frozenset({"month"}),
    "d": frozenset({"day"}),
    "j": frozenset({"month", "day"}),
    "a": frozenset({"year", "month", "day"}),
    "A": frozenset({"year", "month", "day"}),
    "H": frozenset({"hour"}),
    "I": frozenset({"hour"}),
    "p": frozenset({"hour"}),
    "M": frozenset({"minute"}),
    "S": frozenset({"second"}),
    "f": frozenset({"fraction"}),
    "z": frozenset({ZONE}),
    "%": frozenset(),
}
HALVES = frozenset("Ip")  # read, neither tells the hour without the other
WEEKDAYS = frozenset("aA")  # read, they tell nothing: 1/2/2026 is no Sunday because somebody wrote so
_ZONE = rf"(?: ?(?P<zone>{OFFSET}))?"
_CLOCK = r"(?P<hour>\d\d)({0}(?P<minute>\d\d)({0}(?P<second>\d\d)([.,](?P<fraction>\d+))?)?)?"
_DAY = r"(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)([Tt ]"
ISO = (  # ISO 8601 in its extended form, and its basic one, which is not mixed with the other
    re.compile(_DAY + _CLOCK.format(":") + _ZONE + ")?)?)?", re.ASCII),
    re.compile(r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)([Tt]" + _CLOCK.format("") + _ZONE + ")?", re.ASCII),
)
CODE = re.compile(r"%(.?)", re.DOTALL)


class Moment(NamedTuple):
    """A point in time, and which parts of it are known; the others are only fillers."""

    when: datetime
    known: frozenset[str]

    def depth(self) -> int:
        """Return how many of STEPS are known without a gap, from the year on."""
        return next((index for index, step in enumerate(STEPS) if step not in self.known), len(STEPS))


def of(value: date) -> Moment:
    """Return the moment of a day, or to the second of a time."""
    if not isinstance(value, datetime):
        return Moment(datetime(value.year, value.month, value.day), frozenset(STEPS[:3]))  # noqa: DTZ001 (a day)
    return Moment(value.replace(microsecond=0), _known(STEPS[:6], value))


def iso(text: str) -> Moment | None:
    """Read ISO 8601: a year, a month, a day, or a time to any precision; None for what is not written so.

    Raises `ValueError` for a day or time that there is not; 24:00 and leap seconds, which no clock here can
    tell, are such.
    """
    found = next(filter(None, (pattern.fullmatch(text[:MAX_WRITTEN]) for pattern in ISO)), None)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(found[step] or filler) for step, filler in FILLERS.items())
    micro = int((found["fraction"] or "").ljust(6, "0")[:6])
    zone = offset_of(found[ZONE]) if found[ZONE] else None
    when = datetime(year, month, day, hour, minute, second, micro, zone)
    return Moment(when, _known((step for step in STEPS if found[step]), when))


def read(text: str, written: str) -> Moment | None:
    """Read a text by one of Python's formats, or by "iso"; None where it is not written so.

    Raises `ValueError` for a day or time that there is not.
    """
    if written == "iso":
        return iso(text)
    when = patterns.read(text, written)
    return None if when is None else Moment(when, _known(codes_known(written, reading=True), when))


def _known(steps: Iterable[str], when: datetime) -> frozenset[str]:
    return frozenset(steps) | ({ZONE} if when.tzinfo else frozenset())


@lru_cache(CACHED)
def codes_known(written: str, *, reading: bool = False) -> frozenset[str]:
    """Return what a format's codes tell of a moment, or need to know of it."""
    codes = [code for code in CODE.findall(written) if not (reading and code in WEEKDAYS)]
    if reading and "H" not in codes and not {"I", "p"} <= set(codes):
        codes = [code for code in codes if code not in HALVES]
    return frozenset[str]().union(*(DIRECTIVES.get(code, frozenset()) for code in codes))


def written_iso(moment: Moment) -> str:
    """Write a moment in ISO 8601, as precisely as it is known. Raises `Refused` where not even the year is."""
    depth = moment.depth()
    if not depth:
        raise Refused("tells no year", "date")
    if depth < 4:
        return moment.when.date().isoformat()[: (4, 7, 10)[depth - 1]]
    spec = {4: "hours", 5: "minutes", 6: "seconds", 7: "microseconds"}[depth]
    plain = moment.when.replace(tzinfo=None).isoformat(timespec=spec)
    return (plain.rstrip("0").rstrip(".") if depth == 7 else plain) + offset(moment.when)


def offset(when: datetime, between: str = ":") -> str:
    """Write the offset from UTC, +05:30; "" where there is none. Seconds, as before 1900, are left away."""
    if when.tzinfo is UTC:  # what `delivery` tells
        return f"+00{between}00"
    plain = when.strftime("%z")[:5]
    return plain and f"{plain[:3]}{between}{plain[3:]}"
