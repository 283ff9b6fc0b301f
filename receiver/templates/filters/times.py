"""Times as written: year to second and zone, as far as they are known.

Python's format codes are read more strictly than `strptime` does: what could be cut in two ways is not cut. Fields that
touch, as in %Y%m%d, have all their digits, so `1964111` is no date. Digits are 0–9. What is given twice must be the
same: AM or PM fits the hour, and a day of the year fits month and day.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from itertools import compress
from typing import NamedTuple

from receiver.formats.errors import RefusedError

CACHED = 64  # formats: a site has a dozen, and one out of a field must not fill the memory
MONTHS = "january february march april may june july august september october november december".split()  # noqa: SIM905
DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()  # noqa: SIM905
DIGITS = {"Y": 4, "y": 2, "m": 2, "d": 2, "j": 3, "H": 2, "I": 2, "M": 2, "S": 2, "f": 6}
WHOLE = frozenset("Yy")  # never with fewer digits
WORDS = {
    "b": [month[:3] for month in MONTHS],
    "B": MONTHS,
    "a": [day[:3] for day in DAYS],
    "A": DAYS,
    "p": ["am", "pm"],
}
NAMES = {
    "Y": "year",
    "m": "month",
    "d": "day",
    "j": "yearday",
    "H": "hour",
    "I": "twelve",
    "M": "minute",
    "S": "second",
}
OFFSET = r"[Zz]|[+-](?:(?:0[0-9]|1[0-3])(?::?[0-5][0-9])?|14(?::?00)?)"  # of the clocks of the world: −12:00 to +14:00
BLANKS = "[\\s\u00a0\u2009\u202f]+"  # .NET writes U+202F before AM and PM
CENTURY = 1900
PIVOT = 69  # years of two digits below it are in the century after (POSIX)
LEAP_YEAR = 2000  # stands for a year that is not known: it has every day


def read(text: str, written: str) -> "Moment | None":
    """Read a text by one of Python's formats, or by "iso"; None if it differs.

    Raises `ValueError` if it is, and there is no such day or time.
    """
    if written == "iso":
        return iso(text)
    pattern, codes, known = _compiled(written)
    found = pattern.fullmatch(text)
    if found is None:
        return None
    parts: dict[str, int] = {}
    zone = None
    for place, code in enumerate(codes, 1):
        said = found[place]
        if code in WEEKDAYS:
            continue
        if code == "z":
            zone = read_offset(said)
            continue
        name, number = (NAMES[code], int(said)) if code in NAMES else _part(code, said)
        if parts.setdefault(name, number) != number:
            raise ValueError
    year = parts.get("year", LEAP_YEAR)
    month, day = _day(parts, year) if "yearday" in parts else (parts.get("month", 1), parts.get("day", 1))
    clock = (_hour(parts), parts.get("minute", 0), parts.get("second", 0), parts.get("microsecond", 0))
    return Moment(datetime(year, month, day, *clock, zone), known)  # noqa: DTZ001 (as it is written)


def read_offset(written: str) -> tzinfo:
    """Return an offset from UTC, as `OFFSET` has it."""
    if written in "Zz":
        return UTC
    span = timedelta(hours=int(written[1:3]), minutes=int(written[3:].strip(":") or 0))
    return timezone(-span if written[0] == "-" else span)


@lru_cache(CACHED)
def _compiled(written: str) -> tuple[re.Pattern[str], list[str], frozenset[str]]:
    """Return a format as a regular expression, its groups' codes, and their parts."""
    tokens = re.findall(r"%.|\s+|.", written, re.DOTALL)
    pattern = ""
    for index, token in enumerate(tokens):
        before, after = (_is_digits(each) for each in (tokens[index - 1 : index], tokens[index + 1 :]))
        pattern += _expression(token, before=before, after=after)
    codes = [each[1] for each in tokens if each[1:] in DIGITS.keys() | WORDS | {"z"}]
    return re.compile(pattern, re.ASCII | re.IGNORECASE), codes, codes_known(written, reading=True)


def _is_digits(tokens: list[str]) -> bool:
    """Return whether the first token, if there is one, is read from digits."""
    return bool(tokens) and (tokens[0].isdecimal() or tokens[0][1:] in DIGITS)


def _expression(token: str, *, before: bool, after: bool) -> str:
    if token.isspace():
        return BLANKS
    code = token[1:]  # "" of a plain character
    if code == "z":
        return f"({OFFSET})"
    if code in WORDS:
        return f"({'|'.join(WORDS[code])})"
    if code not in DIGITS:
        return re.escape(code or token)
    if code == "f":
        return "([0-9]{6})" if after else "([0-9]+)"
    most = DIGITS[code]
    return f"([0-9]{{{most if before or after or code in WHOLE else 1},{most}}})"


def _part(code: str, said: str) -> tuple[str, int]:
    """Return which part of a date or time a code stands for, and its number."""
    if code in "bB":
        return "month", WORDS[code].index(said.lower()) + 1
    if code == "p":
        return "afternoon", int(said.lower() == "pm")
    if code == "f":
        return "microsecond", int(f"{said:0<6.6}")
    return "year", CENTURY + int(said) + (100 if int(said) < PIVOT else 0)  # %y


def _day(parts: dict[str, int], year: int) -> tuple[int, int]:
    found = date(year, 1, 1) + timedelta(days=parts["yearday"] - 1)
    given = (parts.get("month", found.month), parts.get("day", found.day))
    if "year" not in parts or (year, *given) != (found.year, found.month, found.day):
        raise ValueError
    return given


def _hour(parts: dict[str, int]) -> int:
    """Return the hour; 0 if it is not known, or only its half of the day."""
    afternoon = parts.get("afternoon")
    if "twelve" in parts and not 1 <= parts["twelve"] <= 12:
        raise ValueError
    twelve = None if afternoon is None or "twelve" not in parts else parts["twelve"] % 12 + 12 * afternoon
    hour = parts.get("hour", twelve or 0)
    if (twelve is not None and hour != twelve) or ("hour" in parts and afternoon not in (None, hour // 12)):
        raise ValueError
    return hour


STEPS = ("year", "month", "day", "hour", "minute", "second", "fraction")  # each finer than the one before
WRITTEN = (0, 4, 7, 10, 13, 16, 19, 26)  # characters of ISO 8601, by the number of steps; the offset follows
OFFSET_WRITTEN = slice(26, 32)  # +05:30, behind microseconds
ZONE = "zone"
TO_DAY, TO_SECOND = frozenset(STEPS[:3]), frozenset(STEPS[:6])
TO_SECOND_AND_ZONE = TO_SECOND | {ZONE}
MAX_WRITTEN = 100  # characters: the longest way to write a date has half of that

# The parts that Python's format codes stand for. Codes that are not here depend on the machine's language.
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
HALVES = frozenset("Ip")  # read, neither gives the hour without the other
WEEKDAYS = frozenset("aA")  # read, they are ignored: 1/2/2026 is no Sunday because a sender wrote so
_ZONE = rf"(?: ?(?P<zone>{OFFSET}))?"
_CLOCK = r"(?P<hour>\d\d)({0}(?P<minute>\d\d)({0}(?P<second>\d\d)([.,](?P<fraction>\d+))?)?)?"
_DAY = r"(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)([Tt ]"
ISO = (  # ISO 8601 in its extended form, and its basic one, which is not mixed with the other
    re.compile(_DAY + _CLOCK.format(":") + _ZONE + ")?)?)?", re.ASCII),
    re.compile(r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)([Tt]" + _CLOCK.format("") + _ZONE + ")?", re.ASCII),
)
CODE = re.compile(r"%(.?)", re.DOTALL)


HABITS = {  # how other programs write a part of a date → the code for it; of what means two things the likelier
    "yyyy": "Y",
    "yy": "y",
    "mmmm": "B",
    "mmm": "b",
    "mm": "m",
    "m": "m",
    "dddd": "A",
    "dd": "d",
    "d": "d",
    "hh": "H",
    "h": "H",
    "ss": "S",
    "s": "S",
    "tt": "p",
}
HABIT = re.compile("yyyy|yy|mmmm|mmm|mm|m|dddd|dd|d|hh|h|ss|s|tt|[a-z]", re.IGNORECASE)


def in_codes(written: str) -> str:
    """Write a format such as YYYY-MM-DD HH:mm in codes; "" for other letters."""
    found: list[str] = []

    def code(piece: re.Match[str]) -> str:
        known = HABITS.get(piece[0].lower(), "")
        if known == "m" and found and found[-1] == "H":  # minutes follow hours
            known = "M"
        found.append(known or ("T" if piece[0] == "T" else ""))
        return f"%{known}" if known else piece[0]

    by_codes = HABIT.sub(code, written)
    return by_codes if found and all(found) else ""


class Moment(NamedTuple):
    """A point in time, and which parts of it are known; the others are only fillers."""

    when: datetime
    known: frozenset[str]

    def depth(self) -> int:
        """Return how many of STEPS are known without a gap, from the year on."""
        return _depth(self.known)


@lru_cache(CACHED)
def _depth(known: frozenset[str]) -> int:
    return next((index for index, step in enumerate(STEPS) if step not in known), len(STEPS))


def of(value: date) -> Moment:
    """Return the moment of a day, or to the second of a time."""
    if not isinstance(value, datetime):
        return Moment(datetime(value.year, value.month, value.day), TO_DAY)  # noqa: DTZ001 (a day)
    return Moment(value, TO_SECOND_AND_ZONE if value.tzinfo else TO_SECOND)


def iso(text: str) -> Moment | None:
    """Read ISO 8601, from a year to any precision; None for anything else.

    Raises `ValueError` for a day or time that does not exist; 24:00 and leap seconds, which no clock here can
    represent, are such.
    """
    found = ISO[0].fullmatch(text) or ISO[1].fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction = parts = found.group(*STEPS)
    clock = (int(hour or 0), int(minute or 0), int(second or 0), int(f"{fraction or '':0<6.6}"))
    zone = read_offset(found[ZONE]) if found[ZONE] else None
    when = datetime(int(year), int(month or 1), int(day or 1), *clock, zone)  # noqa: DTZ001 (as it is written)
    return Moment(when, _known(compress(STEPS, parts), when))


def _known(steps: Iterable[str], when: datetime) -> frozenset[str]:
    return frozenset(steps) | ({ZONE} if when.tzinfo else frozenset())


@lru_cache(CACHED)
def codes_known(written: str, *, reading: bool = False) -> frozenset[str]:
    """Return which parts of a moment a format's codes read, or need to write it."""
    codes = [code for code in CODE.findall(written) if not (reading and code in WEEKDAYS)]
    if reading and not {"I", "p"} <= set(codes):
        codes = [code for code in codes if code not in HALVES]
    return frozenset[str]().union(*(DIRECTIVES.get(code, frozenset()) for code in codes))


def written_iso(moment: Moment) -> str:
    """Write a moment in ISO 8601, as precisely as it is known.

    Raises `RefusedError` if not even the year is.
    """
    plain, offset = clock_and_offset(moment)
    return plain + (offset if moment.depth() > 3 else "")


def clock_and_offset(moment: Moment) -> tuple[str, str]:
    """Write a moment by the clocks of its zone, and their offset from UTC, +05:30; "" if there is none.

    Seconds of the offset, as before 1900, are left away. Raises as `written_iso` does.
    """
    depth = moment.depth()
    if not depth:
        raise RefusedError("tells no year", "date")
    whole = moment.when.isoformat(timespec="microseconds")
    plain = whole[: WRITTEN[depth]]
    return plain.rstrip("0").removesuffix(".") if depth == 7 else plain, whole[OFFSET_WRITTEN]
