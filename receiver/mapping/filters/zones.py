"""Time zones by their IANA name, "America/Chicago", or by the name that Windows gives them, "Central Standard Time".

Windows names come from the Unicode CLDR (windowsZones.xml) by way of tzlocal, which keeps up with it.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from tzlocal.windows_tz import win_tz

from receiver.faults import did_you_mean
from receiver.mapping.errors import Refused

WINDOWS: dict[str, str] = {name.casefold(): zone for name, zone in win_tz.items()}
IANA = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")
CACHED = 64  # zones: a sender uses one or two, and a name out of a field must not fill the memory


@lru_cache(CACHED)
def zone(name: str) -> ZoneInfo | None:
    """Return a time zone by its IANA or Windows name; None where there is none of that name."""
    key = WINDOWS.get(name.casefold(), name)
    try:
        return ZoneInfo(key) if IANA.fullmatch(key) else None
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError; a folder's name an OSError
        return None


def hint(name: str) -> str:
    """Return the known name that a misspelt one is near to, as a question."""
    return did_you_mean(name, [*win_tz, *available_timezones()])


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
        raise Refused("is in a time zone that is not known by this name (an IANA or Windows name)", "date")
    return found
