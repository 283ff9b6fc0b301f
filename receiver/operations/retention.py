"""Removes what is too old or too much: `[retention]` in process.toml.

    originals   parts of published deliveries, by age
    quarantine  refused and held deliveries, by age since they were last sent or replayed; refused ones also by
                their size, the oldest first. Their rows stay and say `discarded`, with the reason
    ledger      rows of what is published or discarded, by age. With its row goes the memory of a delivery: sent
                again, it would be published again. So no span below 30 days is taken (config/rules.py)

What has no span is kept. What is accepted but not published is never touched, nor is what lies in quarantine
forgotten by the ledger. Every step is safe beside living workers, and if it is cut off anywhere.
"""

import os
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from receiver import log
from receiver.core import units
from receiver.core.delivery import Status
from receiver.core.problems import Problem
from receiver.delivery import batches
from receiver.delivery.context import Context, ContextHolder
from receiver.operations.clock import cautious_until
from receiver.site.config.model import RetentionConfig
from receiver.site.process import Process
from receiver.store import folders, journal, originals, quarantine, stage
from receiver.store.entry import Attempt, Entry, Waiting

KINDS = ("originals", "quarantine", "ledger")
OUTCOME = Status.DISCARDED.value


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was removed of one kind and one process, or would be."""

    process: str
    kind: str
    rule: str  # as it is in force
    removed: int
    kept: int
    problem: Problem | None = None  # why it could not go on


def prune(context: Context, now: datetime, *, dry_run: bool = False) -> Iterator[Pruned]:
    """Remove what is over in every process, and yield what that was.

    For some days after the clock was set nothing goes for its age: held deliveries were answered 202.

    Raises Problem.
    """
    folder = context.settings.local / FOLDER  # each host has a clock of its own
    if not dry_run:
        folders.ensure_folder(folder, CLOCK_README)
    until = cautious_until(folder, now, note=not dry_run)
    if until and not dry_run:
        log.clock_was_set(units.stamp(until))
    for process in context.processes.values():
        for kind, work in zip(KINDS, (_originals, _quarantine, _ledger), strict=True):
            try:
                retention = _ageless(process) if until else process.config.retention
                rule, removed, kept = work(context, process, retention, now, dry_run=dry_run)
                rule = f"none goes for its age before {until:%Y-%m-%d %H:%M} UTC: the clock was set" if until else rule
                yield Pruned(process.name, kind, rule, removed, kept)
            except Problem as problem:
                yield Pruned(process.name, kind, "", 0, 0, problem)


def _ageless(process: Process) -> RetentionConfig:
    return replace(process.config.retention, originals=None, quarantine=None, ledger=None)


def unconfigured_processes(context: Context) -> set[str]:
    """Return unconfigured processes with kept deliveries, which are not pruned."""
    data = context.settings.data
    kept = [place for room in (originals, quarantine) for place in folders.within(data / room.FOLDER, depth=1)]
    return {place.name for place in kept if any(place.iterdir())} - set(context.processes)


def _originals(
    context: Context, process: Process, retention: RetentionConfig, now: datetime, *, dry_run: bool
) -> tuple[str, int, int]:
    span = retention.originals
    places = folders.within(context.settings.data / originals.FOLDER / process.name, depth=1)
    over = [place for place in places if span and _laid_out(place) < now - span and _may_go(context, place, now - span)]
    if not dry_run:
        for place in over:
            originals.discard(context.settings.data, process.name, place.name)
        log.pruned(process.name, "originals", len(over))
    rule = f"kept for {_written(span)}" if span else "none are kept, what lies there stays"
    return rule, len(over), len(places) - len(over)


def _laid_out(place: Path) -> datetime:
    """Return when a folder was filled; it spares the ledger for all young ones."""
    try:
        return datetime.fromtimestamp(place.stat().st_mtime, UTC)
    except OSError:
        return datetime.now(UTC)  # another one removes it


def _may_go(context: Context, place: Path, before: datetime) -> bool:
    entry = context.ledger.find(place.name)
    if entry is None:
        return True
    return entry.status is not Status.COMMITTED and (entry.published_at or entry.received_at) < before


def _quarantine(
    context: Context, process: Process, retention: RetentionConfig, now: datetime, *, dry_run: bool
) -> tuple[str, int, int]:
    waiting = context.ledger.waiting(process.name)
    before = now - retention.quarantine if retention.quarantine else datetime.min.replace(tzinfo=UTC)
    old = [each for each in waiting if each.since < before]
    surplus = list(_surplus(waiting[len(old) :], retention.quarantine_size))
    bound = units.size_text(retention.quarantine_size)
    removed = len(old) + len(surplus)
    span = _written(retention.quarantine) if retention.quarantine else ""
    if not dry_run:
        removed = sum(_let_go(context, each, now, f"older than {span}") for each in old)
        removed += sum(_let_go(context, each, now, f"refused ones took more than {bound}") for each in surplus)
    time = f"kept for {span}" if span else "kept until published"
    return f"{time}; refused ones up to {bound}", removed, len(waiting) - removed


def _surplus(waiting: Sequence[Waiting], bound: int) -> Iterator[Waiting]:
    """Yield the oldest refused deliveries beyond the bound, oldest first."""
    refused = [each for each in waiting if each.status is Status.REFUSED]
    excess = sum(each.size for each in refused) - bound
    for each in refused:
        if excess <= 0:
            return
        excess -= each.size
        yield each


def _let_go(context: Context, waiting: Waiting, now: datetime, reason: str) -> bool:
    """Let one delivery go, unless it came again since, or somebody works on it."""
    entry: Entry | None = context.ledger.find(waiting.id)
    if entry is None or entry.attempts[-1].at != waiting.since:
        return False
    gone = quarantine.let_go(
        context.ledger, context.settings.data, entry, Attempt(now, "", OUTCOME, note=f"prune: {reason}")
    )
    if gone:
        log.discarded(entry.id, entry.process, waiting.status, reason)
    return gone


def _ledger(
    context: Context, process: Process, retention: RetentionConfig, now: datetime, *, dry_run: bool
) -> tuple[str, int, int]:
    span = retention.ledger
    removed = 0
    if span:
        remove = context.ledger.prunable if dry_run else context.ledger.prune
        removed = remove(process.name, now - span)
        if not dry_run:
            journal.prune(process.output, now - span)
            context.ledger.batches.prune(process.name, now - span)
    total = sum(count for (name, _), count in context.ledger.counts().items() if name == process.name)
    if not dry_run:
        log.pruned(process.name, "rows of the ledger", removed)
    return f"kept for {_written(span)}" if span else "kept for good", removed, total - removed if dry_run else total


def _written(span: timedelta) -> str:
    """Write a span as process.toml does."""
    hours = round(span / timedelta(hours=1))
    return f"{hours}h" if hours % 24 else f"{hours // 24}d"


FOLDER = "housekeeping"
README = """\
Who holds the lock of this folder prunes, and its time is when that was done last. It may be removed at any time.
"""
CLOCK_README = """\
clock.json is how the clock stood when it was looked at last: without it, a clock that was set meanwhile is not noticed.
The folder may be removed at any time.
"""
LOOK = 60  # seconds between two looks whether it is time
EVERY = 3600  # seconds between two prunings: retention counts days, and a listing of 100,000 folders takes a second
SHORT = 4  # times the free space that the settings ask for: below it, a pruning at each look, before senders notice


def start(current: ContextHolder, pause: float = LOOK) -> None:
    """Begin to prune in the background; `pause` is the seconds between two looks."""
    threading.Thread(target=_keep, args=(current, pause), name="housekeeping", daemon=True).start()


def _keep(current: ContextHolder, pause: float) -> None:
    while True:
        time.sleep(pause)
        try:
            look(current.context)
        except Problem as problem:
            log.housekeeping_failed(problem)
        except Exception as error:  # noqa: BLE001 (a defect here must not end the thread, and it is logged)
            log.crashed(error)


def look(context: Context) -> bool:
    """Finish and, if it is time, prune, unless somebody else does; return whether.

    Raises Problem.
    """
    folder = context.settings.data / FOLDER
    folders.ensure_folder(folder, README)
    lock = stage.lock_folder(folder)
    if lock is None:
        return False
    try:
        with context.ledger.once("housekeeping") as ours:
            return ours and _work(context, folder, lock)
    finally:
        os.close(lock)


def _work(context: Context, folder: Path, lock: int) -> bool:
    if _is_unfinished(context) or (context.ledger.hosts and context.ledger.hosts.give_up_silent()):
        log.recovered(context.recover())
    batches.look(context, datetime.now(UTC))
    due = _is_due(context, folder)
    if due:
        os.utime(lock)
        for done in prune(context, datetime.now(UTC)):
            if done.problem:
                log.housekeeping_failed(done.problem)
    return due


def _is_unfinished(context: Context) -> bool:
    """Return whether an older accepted delivery is not published: its disk failed."""
    before = datetime.now(UTC) - timedelta(seconds=LOOK)
    waiting = (each.oldest_unpublished for each in context.ledger.standing().values())
    return any(oldest is not None and oldest < before for oldest in waiting)


def _is_due(context: Context, folder: Path) -> bool:
    """Return whether the last pruning is an hour ago.

    A clock that was set back counts as due.
    """
    age = time.time() - folder.stat().st_mtime
    if not 0 <= age < EVERY:
        return True
    return age >= LOOK and stage.free_space(context.settings.data) < SHORT * context.settings.min_free
