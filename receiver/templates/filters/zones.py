"""Time zones by their IANA name, "America/Chicago", or by the name that Windows gives them, "Central Standard Time".

Windows names come from the Unicode CLDR (windowsZones.xml) by way of tzlocal, which keeps up with it. Windows calls a
zone otherwise in summer, "Central Daylight Time": the zone is the same one.

Abbreviations are refused, also those few that are IANA names: who writes EST in July means New York's clocks, which
then show another time.
"""

import re
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from tzlocal.windows_tz import win_tz

from receiver.formats.errors import Refused

WINDOWS: dict[str, str] = {name.casefold(): zone for name, zone in win_tz.items()}
WINDOWS |= {name.replace("standard", "daylight"): zone for name, zone in WINDOWS.items()}
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
CHOICES = 3  # near names looked at: where they are of zones that differ, none of them is told
NAMED = re.compile(r"\w.*[/ ].*\w")  # "Area/City" or words: of an abbreviation, every other one is near
IANA = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")
CACHED = 64  # zones: a sender uses one or two, and a name out of a field must not fill the memory


@lru_cache(CACHED)
def zone(name: str) -> ZoneInfo | None:
    """Return a time zone by its IANA or Windows name; None where there is none of that name, or it is ambiguous."""
    key = WINDOWS.get(name.casefold(), name)
    try:
        return ZoneInfo(key) if IANA.fullmatch(key) and key.upper() not in AMERICAN else None
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError; a folder's name an OSError
        return None


def hint(name: str) -> str:
    """Return what to write for a name that is not known: never one of another time."""
    if meant := AMERICAN.get(name.upper()):
        return f'it is ambiguous: write "{meant}", or the zone that you mean by its IANA or Windows name'
    near = get_close_matches(name, [*win_tz, *available_timezones()], CHOICES, NEAR) if NAMED.fullmatch(name) else []
    if len({_offsets(each) for each in near}) == 1:
        return f'did you mean "{near[0]}"?'
    return 'write its IANA or Windows name, such as "America/Chicago" or "Central Standard Time"'


def _offsets(name: str) -> tuple[timedelta | None, ...]:
    found = zone(name)
    return tuple(found.utcoffset(when) for when in SEASONS) if found else ()


def local(when: datetime, name: str) -> datetime:
    """Return a time without a zone as one of the zone; an hour that comes twice is the first (RFC 5545 §3.3.5).

    Raises `Refused` for a zone that is not known, and for a time that the clocks skipped.
    """
    aware = when.replace(tzinfo=_required(name))
    if aware.astimezone(UTC).astimezone(aware.tzinfo).replace(tzinfo=None) != when:
        raise Refused("is a time that was skipped when the clocks went forward", "date")
    return aware


def moved(when: datetime, name: str) -> datetime:
    """Return the same moment by the clocks of another zone. Raises `Refused`."""
    return when.astimezone(_required(name))


def _required(name: str) -> ZoneInfo:
    found = zone(name)
    if found is None:
        meant = AMERICAN.get(name.upper())
        which = f"ambiguous ({meant} is one of its meanings)" if meant else "not known by this name"
        why = f"is a time zone that is {which}: write an IANA or Windows name"
        raise Refused(why, "date", lambda text: text.strip() == name)
    return found
