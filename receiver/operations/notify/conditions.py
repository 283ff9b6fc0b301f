"""How a process stands, fault by fault: what is wrong now, in words and counts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from receiver.core import units
from receiver.core.delivery import Status
from receiver.core.problems import Code
from receiver.delivery.context import Context
from receiver.operations import health
from receiver.operations.notify.notices import Condition
from receiver.site import in_force
from receiver.site.process import Process
from receiver.store.entry import Unaccepted
from receiver.store.ledger import Ledger
from receiver.store.stage import free_space

WINDOW = timedelta(hours=1)  # a refusal is news for so long
SHORT = 4  # times the free space that the settings ask for: below it pruning gets busy, and senders notice nothing yet
AMPLE = 5  # times: above it the disk is well again; between the two nothing changes
OURS = (
    Code.TEMPLATE_FAILED,
    Code.RECORD_INVALID,
    Code.NO_RECORD,
    Code.NAME_TAKEN,
)  # what the process itself makes of a delivery

ASKED_OF_THE_LEDGER = (Condition.REFUSED, Condition.HELD, Condition.TEMPLATE, Condition.SILENCE)


@dataclass(frozen=True, slots=True)
class Symptom:
    """What is wrong, in words; and what there is how often."""

    text: str
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Seen:
    """What all processes are judged by, asked once."""

    context: Context
    now: datetime  # aware, UTC
    unaccepted: Sequence[Unaccepted]
    held: Mapping[str, int]  # by process
    kept_back: Sequence[str]  # faults of an edit of the site
    ledger: str = ""  # why it cannot be used; what it would tell is then not known

    def tells(self, fault: Condition) -> bool:
        """Return whether it can be seen at all how it stands with a fault."""
        return not self.ledger or fault not in ASKED_OF_THE_LEDGER

    def of(self, process: Process, codes: Callable[[Code], bool], *statuses: Status) -> dict[str, int]:
        """Count the latest refusals of a process by their code."""
        counts: dict[str, int] = {}
        for each in self.unaccepted:
            if each.process == process.name and each.status in statuses and codes(each.code):
                counts[each.code.value] = counts.get(each.code.value, 0) + each.count
        return counts


def see(context: Context, now: datetime) -> Seen:
    """Ask the ledger and the disk how everything stands. Raises Problem."""
    served = in_force.read(context.settings.local)
    kept_back = served.kept_back if served else ()
    ledger = health.ledger(context)
    if not ledger.ready:
        return Seen(context, now, (), {}, kept_back, ledger.reason)
    held = {name: standing.counts.get(Status.HELD, 0) for name, standing in context.ledger.standing().items()}
    return Seen(context, now, context.ledger.unaccepted(now - WINDOW), held, kept_back)


def judge(
    seen: Seen, process: Process, open_alerts: Mapping[Condition, datetime]
) -> Iterator[tuple[Condition, Symptom]]:
    """Yield the faults of a process now.

    `open_alerts` are the faults with a notice sent, with their onset.

    Hysteresis: an open alert clears at a stricter threshold, so it does not flap. Raises Problem.
    """
    for fault in sorted(process.config.notify.on):
        known = Condition(fault)
        symptom = JUDGES[known](seen, process, open_alerts.get(known)) if seen.tells(known) else None
        if symptom:
            yield known, symptom


def _refused(seen: Seen, process: Process, since: datetime | None) -> Symptom | None:
    counts = seen.of(process, lambda code: code not in OURS, Status.REFUSED)
    total = sum(counts.values())
    if total < (1 if since else process.config.notify.refused):
        return None
    return Symptom(f"refused within the last hour: {_listed(counts)}", counts)


def _template(seen: Seen, process: Process, _since: datetime | None) -> Symptom | None:
    counts = seen.of(process, lambda code: code in OURS, Status.REFUSED, Status.HELD)
    return Symptom(f"its records could not be made within the last hour: {_listed(counts)}", counts) if counts else None


def _held(seen: Seen, process: Process, _since: datetime | None) -> Symptom | None:
    count = seen.held.get(process.name, 0)
    return Symptom(f"held, and waiting for a person: {count}", {"held": count}) if count else None


def _silence(seen: Seen, process: Process, since: datetime | None) -> Symptom | None:
    last = silent_since(seen.context.ledger, process, seen.now, since)
    return Symptom(f"nothing came since {last:%Y-%m-%d %H:%M} UTC, which is longer than usual") if last else None


def _space(seen: Seen, process: Process, since: datetime | None) -> Symptom | None:
    settings = seen.context.settings
    stage = seen.context.stages.get(process.name)
    folders = [settings.data, stage.root] if stage and stage.root.is_dir() else [settings.data]
    free = min(free_space(folder) for folder in folders)
    if free >= settings.min_free * (AMPLE if since else SHORT):
        return None
    free_text = f"{free // 10**6} MB free; below {units.size_text(settings.min_free)} deliveries are turned away"
    return Symptom(f"the disk is nearly full: {free_text}")


def _output(_seen: Seen, process: Process, _since: datetime | None) -> Symptom | None:
    check = health.output(process)
    return None if check.ready else Symptom(f"no delivery is taken: {check.reason}")


def _ledger(seen: Seen, _process: Process, _since: datetime | None) -> Symptom | None:
    return Symptom(f"no delivery is taken: {seen.ledger}") if seen.ledger else None


def _configuration(seen: Seen, process: Process, _since: datetime | None) -> Symptom | None:
    """Name places and codes without the message, which may quote a file of the site."""
    own = f"mappings/{process.name}/"
    places = [" ".join(fault.split(" ")[:2]) for fault in seen.kept_back]
    concerned = [place for place in places if place.startswith(own) or not place.startswith("mappings/")]
    more = f" and {len(concerned) - 1} more" if len(concerned) > 1 else ""
    return Symptom(f"an edit is not accepted: {concerned[0]}{more}") if concerned else None


JUDGES: Mapping[Condition, Callable[[Seen, Process, datetime | None], Symptom | None]] = {
    Condition.REFUSED: _refused,
    Condition.HELD: _held,
    Condition.TEMPLATE: _template,
    Condition.SILENCE: _silence,
    Condition.SPACE: _space,
    Condition.OUTPUT: _output,
    Condition.LEDGER: _ledger,
    Condition.CONFIGURATION: _configuration,
}


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {code}" for code, count in counts.items())


WEEKS = 3  # that are looked back on; a holiday in one of them lets the silence pass, which is no harm
USUAL = 5  # deliveries in the same span of each of those weeks: none at all is then no accident
CLOCK_CHANGE = timedelta(hours=1)  # summer time moves the hours of the sender against UTC, in which we count


def silent_since(ledger: Ledger, process: Process, now: datetime, since: datetime | None) -> datetime | None:
    """Return when the last delivery came if that is too long ago, else None.

    `since` is the onset of an open alert: it then lasts until something comes.

    Raises Problem.
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
    """Return whether deliveries came in the same span of each of the weeks before."""
    until = now - CLOCK_CHANGE
    weeks = [timedelta(weeks=count) for count in range(1, WEEKS + 1)]
    return until > last and all(ledger.arrivals(process, last - week, until - week, USUAL) >= USUAL for week in weeks)
