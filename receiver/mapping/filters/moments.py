"""Points in time as they are written: what of year, month, day, hour, minute, second and zone is known, and no more."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from typing import NamedTuple

from receiver.mapping.errors import Refused

STEPS = ("year", "month", "day", "hour", "minute", "second", "fraction")  # each finer than the one before
FILLERS = dict(zip(STEPS, (1, 1, 1, 0, 0, 0), strict=False))  # what stands in a datetime for what is not known
ZONE = "zone"
CACHED = 64  # formats: a site has a dozen, and one out of a field must not fill the memory
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
WEEKDAYS = frozenset("aA")  # read, they tell nothing: 1/2/2026 is no Sunday because somebody wrote so
ISO = re.compile(
    r"(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)([T ](?P<hour>\d\d)(:(?P<minute>\d\d)(:(?P<second>\d\d)"
    r"([.,](?P<fraction>\d{1,9}))?)?)?(?P<zone>Z|[+-]\d\d:?\d\d)?)?)?)?",
    re.ASCII,
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
    """Read ISO 8601: a year, a month, a day, or a time to any precision; None for anything else."""
    found = ISO.fullmatch(text[:MAX_WRITTEN])
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(found[step] or filler) for step, filler in FILLERS.items())
    micro = int((found["fraction"] or "").ljust(6, "0")[:6])
    try:
        when = datetime(year, month, day, hour, minute, second, micro, _offset(found[ZONE]))
    except ValueError:
        return None
    return Moment(when, _known((step for step in STEPS if found[step]), when))


def _offset(written: str | None) -> timezone | None:
    if not written:
        return None
    if written == "Z":
        return UTC
    hours, minutes = int(written[1:3]), int(written[-2:])
    span = timedelta(hours=hours, minutes=minutes)
    return timezone(-span if written[0] == "-" else span)


def read(text: str, written: str) -> Moment | None:
    """Read a text by one of Python's formats, or by "iso"; None where it is not written so."""
    if written == "iso":
        return iso(text)
    try:
        when = datetime.strptime(text[:MAX_WRITTEN], written)  # noqa: DTZ007 (as it is written)
    except ValueError:
        return None
    return Moment(when, _known(codes_known(written, reading=True), when))


def _known(steps: Iterable[str], when: datetime) -> frozenset[str]:
    return frozenset(steps) | ({ZONE} if when.tzinfo else frozenset())


@lru_cache(CACHED)
def codes_known(written: str, *, reading: bool = False) -> frozenset[str]:
    """Return what a format's codes tell of a moment, or need to know of it."""
    codes = [code for code in CODE.findall(written) if not (reading and code in WEEKDAYS)]
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


# The first call imports a module, which is not safe among threads.
datetime.strptime("", "")  # noqa: DTZ007
