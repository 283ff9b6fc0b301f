"""Whether a process is silent for longer than usual: faxes come by the hours of the week."""

from datetime import datetime, timedelta

from receiver.process import Process
from receiver.store.ledger import Ledger

WEEKS = 3  # that are looked back on; a holiday in one of them lets the silence pass, which is no harm
USUAL = 5  # deliveries in the same span of each of those weeks: none at all is then no accident
CLOCK_CHANGE = timedelta(hours=1)  # summer time moves the hours of the sender against UTC, in which we count


def of(ledger: Ledger, process: Process, now: datetime, since: datetime | None) -> datetime | None:
    """Return when the last delivery came, where that is too long ago; None where all is well. Raises Problem.

    `since` is when the silence was told, if it was: it then lasts until something comes.
    """
    last = ledger.last_arrival(process.name)
    if last is None:
        return None
    if since:
        return last if last < since else None
    fixed = process.config.notify.silence
    too_long = now - last >= fixed if fixed else _is_unusual(ledger, process.name, last, now)
    return last if too_long else None


def _is_unusual(ledger: Ledger, process: str, last: datetime, now: datetime) -> bool:
    """Tell whether deliveries came in the same span of each of the weeks before."""
    until = now - CLOCK_CHANGE
    weeks = [timedelta(weeks=count) for count in range(1, WEEKS + 1)]
    return until > last and all(ledger.arrivals(process, last - week, until - week, USUAL) >= USUAL for week in weeks)
