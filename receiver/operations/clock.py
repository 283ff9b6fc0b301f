"""Detects that the clock was set, because nothing may be removed too early.

The time since the boot goes on whatever somebody does to the clock. What passed by the clock and not by it is a step,
or the machine was off for so long: the two cannot be told apart, so both are met with the same caution.
"""

import json
import os
import time
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from receiver.core import units
from receiver.store import durable
from receiver.store.data_version import stamped
from receiver.store.durable import storage

FILE = "clock.json"
STEP = timedelta(hours=2)  # a restart of the machine takes less; retention counts in hours
CAUTION = timedelta(days=7)  # for a person to notice that the clock is wrong


@dataclass(frozen=True, slots=True)
class _Seen:
    """The clock when it was looked at last."""

    at: datetime  # aware, UTC
    since_boot: float  # seconds
    stepped_at: datetime | None  # when a step was noticed last

    def next(self, now: datetime, since_boot: float) -> "_Seen":
        """Return how the clock is now."""
        passed = since_boot - self.since_boot if since_boot >= self.since_boot else since_boot
        stepped = abs(now - self.at - timedelta(seconds=passed)) > STEP
        return _Seen(now, since_boot, now if stepped else self.stepped_at)

    @property
    def cautious_until(self) -> datetime | None:
        """Until when nothing may be removed for its age."""
        until = self.stepped_at + CAUTION if self.stepped_at else None
        return until if until and self.at < until else None


def cautious_until(folder: Path, now: datetime, *, note: bool = True) -> datetime | None:
    """Return until when nothing may be removed for its age, since the clock was set.

    None as a rule.

    The clock is compared with what `folder` says of the last look, which is noted anew unless `note` is false.

    Raises Problem.
    """
    since_boot = time.clock_gettime(time.CLOCK_BOOTTIME)
    known = _read(folder / FILE, now)
    seen = known.next(now, since_boot) if known else _Seen(now, since_boot, None)
    if note:
        _write(folder, seen)
    return seen.cautious_until


def _read(file: Path, now: datetime) -> _Seen | None:
    """Return the noted times; unreadable ones as if the clock was set just now."""
    with storage("read what was noted of the clock"):
        try:
            content = file.read_bytes()
        except FileNotFoundError:
            return None
    try:
        reported = json.loads(content)
        stepped_at = reported["stepped_at"] and units.moment(reported["stepped_at"])
        return _Seen(units.moment(reported["at"]), float(reported["since_boot"]), stepped_at)
    except (ValueError, LookupError, TypeError, AttributeError):
        return _Seen(now - 2 * STEP, time.clock_gettime(time.CLOCK_BOOTTIME), None)


def _write(folder: Path, seen: _Seen) -> None:
    moments = {name: units.stamp(each) if isinstance(each, datetime) else each for name, each in asdict(seen).items()}
    content = json.dumps(stamped(moments)).encode() + b"\n"
    durable.write_over(folder / FILE, content, folder / f"{os.urandom(5).hex()}.new")
