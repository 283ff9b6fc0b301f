"""Reads dates by Python's format codes, more strictly than `strptime`: what could be cut in two ways is not cut.

Fields that touch, as in %Y%m%d, have all their digits, so `1964111` is no date. Digits are 0–9. What is told twice must
be the same: AM or PM fits the hour, and a day of the year fits month and day.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

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


def read(text: str, written: str) -> datetime | None:
    """Return what a text tells by a format; None where it is not written so.

    Raises `ValueError` where it is, and there is no such day or time.
    """
    pattern, codes = _compiled(written)
    found = pattern.fullmatch(text)
    if found is None:
        return None
    parts: dict[str, int] = {}
    zone = None
    for code, said in zip(codes, found.groups(), strict=True):
        if code == "z":
            zone = offset(said)
            continue
        name, number = _part(code, said)
        if parts.setdefault(name, number) != number:
            raise ValueError
    return _time(parts, zone)


def offset(written: str) -> tzinfo:
    """Return an offset from UTC, as `OFFSET` has it."""
    if written in "Zz":
        return UTC
    span = timedelta(hours=int(written[1:3]), minutes=int(written[3:].strip(":") or 0))
    return timezone(-span if written[0] == "-" else span)


@lru_cache(CACHED)
def _compiled(written: str) -> tuple[re.Pattern[str], list[str]]:
    """Return a format as a regular expression with a group for each code, and those codes."""
    tokens = re.findall(r"%.|\s+|.", written, re.DOTALL)
    pattern = ""
    for index, token in enumerate(tokens):
        before, after = (_is_digits(each) for each in (tokens[index - 1 : index], tokens[index + 1 : index + 2]))
        pattern += _expression(token, before=before, after=after)
    codes = [each[1] for each in tokens if each[0] == "%" and each[1:] in DIGITS.keys() | WORDS | {"z"}]
    return re.compile(pattern, re.ASCII | re.IGNORECASE), codes


def _is_digits(token: list[str]) -> bool:
    """Tell whether a token, if there is one, is read from digits."""
    return bool(token) and (token[0] in "0123456789" or (token[0][0] == "%" and token[0][1:] in DIGITS))


def _expression(token: str, *, before: bool, after: bool) -> str:
    if token.isspace():
        return BLANKS
    code = token[1:] if token[0] == "%" else ""
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
    """Return what a code tells, and its number."""
    if code in "bB":
        return "month", WORDS[code].index(said.lower()) + 1
    if code in "aA":
        return "weekday", 0  # it is not believed
    if code == "p":
        return "afternoon", int(said.lower() == "pm")
    if code == "f":
        return "microsecond", int(said.ljust(6, "0")[:6])
    if code == "y":
        return "year", CENTURY + int(said) + (100 if int(said) < PIVOT else 0)
    return NAMES[code], int(said)


def _time(parts: dict[str, int], zone: tzinfo | None) -> datetime:
    year = parts.get("year", LEAP_YEAR)
    month, day = _day(parts, year)
    clock = (_hour(parts), parts.get("minute", 0), parts.get("second", 0), parts.get("microsecond", 0))
    return datetime(year, month, day, *clock, zone)  # noqa: DTZ001 (as it is written)


def _day(parts: dict[str, int], year: int) -> tuple[int, int]:
    if "yearday" not in parts:
        return parts.get("month", 1), parts.get("day", 1)
    found = date(year, 1, 1) + timedelta(days=parts["yearday"] - 1)
    told = (parts.get("month", found.month), parts.get("day", found.day))
    if "year" not in parts or (year, *told) != (found.year, found.month, found.day):
        raise ValueError
    return told


def _hour(parts: dict[str, int]) -> int:
    """Return the hour; 0 where only its half of the day is known."""
    afternoon = parts.get("afternoon")
    if "twelve" in parts and not 1 <= parts["twelve"] <= 12:
        raise ValueError
    twelve = None if afternoon is None or "twelve" not in parts else parts["twelve"] % 12 + 12 * afternoon
    hour = parts.get("hour", twelve or 0)
    if (twelve is not None and hour != twelve) or ("hour" in parts and afternoon not in (None, hour // 12)):
        raise ValueError
    return hour
