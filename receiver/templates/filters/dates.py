"""Dates and times by listed formats, without guessing, as precise as they came.

Time zones have their IANA name, "America/Chicago", or the name that Windows gives them, "Central Standard Time".
Windows names come from the Unicode CLDR (windowsZones.xml) by way of tzlocal, which keeps up with it. Windows has
another name for a zone in summer, "Central Daylight Time": the zone is the same one. Abbreviations are refused, also
those few that are IANA names: EST written in July means New York's clocks, which then show another time.
"""

import datetime as clock
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from tzlocal.windows_tz import win_tz

from receiver.formats import budget, values
from receiver.formats.errors import RefusedError
from receiver.formats.hl7.values import FIRST_YEAR
from receiver.templates.filters import times
from receiver.templates.filters.objection import NONE, Objection
from receiver.templates.filters.times import DIRECTIVES, ZONE, Moment

ISO = "iso"
EARLIEST = clock.date(FIRST_YEAR, 1, 1)
CODES = '%Y is a year, %m a month, %d a day, %H an hour, %M a minute, %S a second: "%m/%d/%Y"'
HL7_LONGEST = 19  # characters, YYYYMMDDHHMMSS.SSSS
NO_DAY = "is no day of the calendar, or no time of a day"


def date(
    value: object,
    read: str | Sequence[str],
    write: str = ISO,
    zone: str = "",
    to: str = "",
    latest: object = None,
    earliest: object = EARLIEST,
) -> str:
    """Read a date by one of the formats, write it by another.

    As `date("%m/%d/%Y", "%Y%m%d")`.

    The formats are Python's (https://docs.python.org/3/library/datetime.html#format-codes) or "iso"; a list is
    tried in its order. A time without a zone is in `zone`; `to` is the zone in which it is written. Years of
    two digits are the last ones that are not after `latest`. What is before `earliest` is an empty date, and no date.
    Raises `RefusedError` for what no format reads, and if more is to be written than was read.
    """
    if isinstance(value, clock.date):
        moment = times.of(value)
    else:
        plain = value if type(value) is str else values.text(value)
        moment = _not_before(_read(plain.strip(), read, latest), earliest)
    if zone and "hour" in moment.known and ZONE not in moment.known:
        moment = Moment(localized(moment.when, values.text(zone).strip()), moment.known | {ZONE})
    if to and "hour" in moment.known:
        moment = moment._replace(when=_moved(moment, values.text(to).strip()))
    return budget.made(_written(moment, write))


def _read(plain: str, read: str | Sequence[str], latest: object) -> Moment:
    formats = [read] if isinstance(read, str) else list(read)
    impossible = len(plain) > times.MAX_WRITTEN
    for each in () if impossible else formats:
        try:
            moment = times.read(plain, each)
        except ValueError:
            impossible = True
            continue
        if moment is not None:
            return _not_after(moment, latest) if latest is not None and "%y" in each else moment
    raise RefusedError(NO_DAY if impossible else f"is not a date written as {' or '.join(formats)}", "date")


def _not_before(moment: Moment, earliest: object) -> Moment:
    """Refuse dates that mean none: .NET's is in year 1, SQL Server's in 1753."""
    first = earliest if isinstance(earliest, clock.date) else _iso(values.text(earliest), "argument").when
    limit = clock.date(first.year, first.month, first.day)
    if moment.when.date() < limit:
        raise RefusedError(f"is a date before {limit}: an empty date, or one that was read wrong", "date")
    return moment


def _not_after(moment: Moment, latest: object) -> Moment:
    """Move a year of two digits, for Python 1969–2068, to the last possible century."""
    limit = read_moment(latest, "date").when.date()
    when = moment.when
    try:
        while when.date() > limit:
            when = when.replace(year=when.year - 100)
    except ValueError:  # February 29th, a hundred years before
        raise RefusedError(NO_DAY, "date") from None
    return moment._replace(when=when)


def _moved(moment: Moment, to: str) -> datetime:
    if ZONE not in moment.known:
        raise RefusedError("is a time without a time zone (say `zone=`)", "date")
    moved = in_zone(moment.when, to)
    if moved.minute and "minute" not in moment.known:
        raise RefusedError("tells an hour without minutes, which are not whole hours in the other time zone", "date")
    return moved


def _written(moment: Moment, write: str) -> str:
    if write == ISO:
        return times.written_iso(moment)
    wanted = times.codes_known(write)
    if not wanted <= moment.known:
        raise RefusedError(f"does not tell the {_listed(wanted - moment.known)}", "date")
    return moment.when.strftime(write)


def hl7_ts(value: object) -> str:
    """Write a time as HL7 does, no more precisely: YYYY[MM[DD[HH[MM[SS]]]]][+ZZZZ].

    HL7 v2.5.1 §2.A.22.

    Takes the times of `delivery` and ISO-8601 texts. Raises `RefusedError` for anything else.
    """
    moment = read_moment(value, "hl7_ts")
    plain, offset = times.clock_and_offset(moment)
    return plain.replace("-", "").replace(":", "").replace("T", "")[:HL7_LONGEST] + offset.replace(":", "")


def fhir_time(value: object) -> str:
    """Write a FHIR date, dateTime or instant, no more precisely (FHIR R4 §2.24.0.1).

    A time of day needs a zone; seconds that are not known are zero, as FHIR has it. Takes the times of `delivery`
    and ISO-8601 texts. Raises `RefusedError` for anything else.
    """
    moment = read_moment(value, "fhir_time")
    if moment.depth() > 3 and ZONE not in moment.known:
        raise RefusedError(
            'is a time without a time zone, which FHIR needs (read it with `date(…, "iso", zone=…)`)', "date"
        )
    return times.written_iso(moment._replace(known=moment.known | {"minute", "second"}))


def read_moment(value: object, rule: str) -> Moment:
    """Return a time of `delivery`, or an ISO-8601 text.

    Raises `RefusedError` for anything else.
    """
    if isinstance(value, clock.date):
        return times.of(value)
    return _not_before(_iso(values.text(value).strip(), rule), EARLIEST)


def _iso(plain: str, rule: str) -> Moment:
    try:
        moment = times.iso(plain)
    except ValueError:
        raise RefusedError(NO_DAY, rule) from None
    if moment is None:
        raise RefusedError("is not an ISO-8601 time (read another one with `date`)", rule, _is_no_iso)
    return moment


def _is_no_iso(text: str) -> bool:
    try:
        return times.iso(text.strip()) is None
    except ValueError:
        return True


def check(arguments: Mapping[str, Any]) -> Objection:
    """Return what is wrong with constant arguments of `date`."""
    return next(_objections(arguments), NONE)


def _objections(arguments: Mapping[str, Any]) -> Iterator[Objection]:
    read, write = arguments.get("read"), arguments.get("write", ISO)
    formats = read if isinstance(read, list) else [read]
    for each in [*formats, write]:
        if isinstance(each, str) and each not in (ISO, ""):
            yield from _wrong(each)
    for zone in (arguments.get("zone"), arguments.get("to")):
        if isinstance(zone, str) and zone and not find_zone(zone):
            yield Objection(f'there is no time zone "{zone}"', zone_hint(zone))
    yield from _unread(formats, write)


def _wrong(written: str) -> Iterator[Objection]:
    strange = [f"%{code}" for code in times.CODE.findall(written) if code not in DIRECTIVES]
    if strange:
        yield Objection(f'"{written}" is not a date format: {strange[0]} is no code for a part of a date', CODES)
    elif not times.codes_known(written):
        meant = times.in_codes(written)
        hint = f'did you mean "{meant}"?' if meant else CODES
        yield Objection(f'"{written}" is not a date format: it has no code such as %Y', hint)


def _unread(formats: list[Any], write: Any) -> Iterator[Objection]:
    """Yield what is to be written and was never read: it would be invented."""
    if not all(isinstance(each, str) and each not in (ISO, "") for each in [*formats, write]):
        return
    known = frozenset[str]().union(*(times.codes_known(each, reading=True) for each in formats))
    missing = times.codes_known(write) - {ZONE} - known
    hint = "leave it out of the second format, which writes, or read it by the first one"
    if missing:
        yield Objection(f"the {_listed(missing)} is written, and never read", hint)


def _listed(steps: frozenset[str]) -> str:
    return " and ".join(step for step in (*times.STEPS, ZONE) if step in steps)


WINDOWS: dict[str, str] = {name.casefold(): find_zone for name, find_zone in win_tz.items()}
WINDOWS |= {name.replace("standard", "daylight"): find_zone for name, find_zone in WINDOWS.items()}
WINDOWS["coordinated universal time"] = "Etc/UTC"  # what .NET calls it, TimeZoneInfo.Utc.StandardName
AMERICAN = {  # what is written in North America, and elsewhere for another time → the zone that is mostly meant there
    **dict.fromkeys(("AST", "ADT"), "America/Halifax"),
    **dict.fromkeys(("EST", "EDT", "ET"), "America/New_York"),
    **dict.fromkeys(("CST", "CDT", "CT"), "America/Chicago"),
    **dict.fromkeys(("MST", "MDT", "MT"), "America/Denver"),
    **dict.fromkeys(("PST", "PDT", "PT"), "America/Los_Angeles"),
    **dict.fromkeys(("AKST", "AKDT"), "America/Anchorage"),
}
NEAR = 0.8  # likeness, 0–1, from which a name is taken for a misspelt one
SEASONS = (datetime(2026, 1, 1), datetime(2026, 7, 1))  # noqa: DTZ001 (by whatever clocks)
CHOICES = 3  # near names looked at: if their zones differ, none of them is shown
NAMED = re.compile(r"\w.*[/ ].*\w")  # "Area/City" or words: of an abbreviation, every other one is near
CACHED = 64  # zones: a sender uses one or two, and a name out of a field must not fill the memory


@lru_cache(CACHED)
def find_zone(name: str) -> ZoneInfo | None:
    """Return a time zone by IANA or Windows name; None if unknown or ambiguous."""
    if name.upper() in AMERICAN:
        return None
    # ZoneInfoNotFoundError is a KeyError; of a path it is a ValueError, of a folder's name an OSError.
    with suppress(KeyError, ValueError, OSError):
        return ZoneInfo(WINDOWS.get(name.casefold(), name))
    return None


def zone_hint(name: str) -> str:
    """Return what to write for a name that is not known: never one of another time."""
    if meant := AMERICAN.get(name.upper()):
        return f'it is ambiguous: write "{meant}", or the zone that you mean by its IANA or Windows name'
    known = [*win_tz, *available_timezones() - AMERICAN.keys()]
    near = get_close_matches(name, known, CHOICES, NEAR) if NAMED.fullmatch(name) else []
    offsets = {tuple(localized(when, each).utcoffset() for when in SEASONS) for each in near}
    if len(offsets) == 1:
        return f'did you mean "{near[0]}"?'
    return 'write its IANA or Windows name, such as "America/Chicago" or "Central Standard Time"'


def localized(when: datetime, name: str) -> datetime:
    """Return a local time as one of the zone; of two equal hours the first.

    RFC 5545 §3.3.5.

    Raises `RefusedError` for a zone that is not known, and for a time that the clocks skipped.
    """
    aware = when.replace(tzinfo=_required(name))
    if aware.astimezone(UTC).astimezone(aware.tzinfo).replace(tzinfo=None) != when:
        raise RefusedError("is a time that was skipped when the clocks went forward", "date")
    return aware


def in_zone(when: datetime, name: str) -> datetime:
    """Return the same moment by the clocks of another zone. Raises `RefusedError`."""
    return when.astimezone(_required(name))


def _required(name: str) -> ZoneInfo:
    found = find_zone(name)
    if found is None:
        meant = AMERICAN.get(name.upper())
        which = f"ambiguous ({meant} is one of its meanings)" if meant else "not known by this name"
        why = f"is a time zone that is {which}: write an IANA or Windows name"
        raise RefusedError(why, "date", lambda text: text.strip() == name)
    return found
