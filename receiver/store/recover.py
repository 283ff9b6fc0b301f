"""Finishes what a crash left; safe at any time, and if it is killed itself."""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from receiver.core.problems import Problem
from receiver.store import batches, folders, journal, kept, originals, quarantine, stage
from receiver.store.database import Hosts
from receiver.store.entry import Attempt, DamagedRow, Entry
from receiver.store.ledger import Ledger, VersionTakenError
from receiver.store.publish import finish

LONGEST_COPY = 3600  # seconds that the parts of one delivery take to another disk at most
AT_ONCE = 200  # deliveries finished together: as many open locks, and one fsync per folder and step for all of them


@dataclass(slots=True)
class Report:
    """What a recovery found and did."""

    finished: list[str] = field(default_factory=list)  # ids of deliveries and batches that are published now
    failed: dict[str, Problem] = field(default_factory=dict)  # by id, or folder of the stage: still as it was
    swept: int = 0  # folders of the stage that belonged to nothing
    quarantined: int = 0  # deliveries in quarantine whose row was missing, or that were accepted since


def recover(ledger: Ledger, data: Path, roots: Iterable[Path]) -> Report:
    """Publish accepted deliveries of dead owners, and sweep their folders.

    `roots` are all stages.

    Raises Problem if the ledger or a stage cannot be read; what concerns one delivery is in the report.
    """
    report = Report()
    if ledger.hosts:
        ledger.hosts.give_up_silent()
    found = ledger.unfinished()
    unfinished = [entry for entry in found if isinstance(entry, Entry)]
    report.failed |= {damaged.id: damaged for damaged in found if isinstance(damaged, DamagedRow)}
    for start in range(0, len(unfinished), AT_ONCE):
        finished, failed = finish(ledger, unfinished[start : start + AT_ONCE])
        report.finished += finished
        report.failed |= failed
    finished, failed = batches.finish(ledger)
    report.finished += finished
    report.failed |= failed
    for folder in _left_behind(ledger, data, set(roots)):
        with _noting(report, folder):
            report.swept += _sweep(ledger, folder)
    if ledger.hosts:
        for common in {data / stage.FOLDER, *(root.parent for root in roots)}:
            report.swept += _sweep_given_up(ledger, ledger.hosts, common)
    for aside in filter(kept.is_aside, folders.within(data / quarantine.FOLDER / kept.SCRATCH, depth=1)):
        with _noting(report, aside):
            report.swept += quarantine.finish_aside(ledger, data, aside)
    for place in quarantine.places(data):
        with _noting(report, place):
            report.quarantined += quarantine.finish(ledger, place)
    return report


def _left_behind(ledger: Ledger, data: Path, roots: set[Path]) -> Iterator[Path]:
    """Yield folders that may be left over: unlocked, or old ones of other hosts."""
    for root in roots:
        yield from folders.within(root, depth=1)
    for room in (quarantine, originals):
        scratch = folders.within(data / room.FOLDER / kept.SCRATCH, depth=1)
        found = (each for each in scratch if room is originals or not kept.is_aside(each))
        yield from (each for each in found if not ledger.hosts or _is_old(each))


def _is_old(folder: Path) -> bool:
    try:
        return time.time() - folder.stat().st_mtime > LONGEST_COPY
    except OSError:
        return False  # another one removes it


def _sweep_given_up(ledger: Ledger, hosts: Hosts, common: Path) -> int:
    """Remove the stage folders of processes that were given up; return how many.

    Listed first and asked for afterwards: a process has its row before it makes its folder. Raises Problem.
    """
    found = folders.within(common, depth=1)
    living = {host.incarnation for host in hosts.listed()}
    given_up = [folder for folder in found if folder.name not in living]
    left = [attempt for folder in given_up for attempt in folders.within(folder, depth=1)]
    unused = [attempt for attempt in left if not ledger.uses_stage(attempt)]
    for attempt in unused:
        stage.sweep(attempt)
    for folder in given_up:
        if not folders.within(folder, depth=1):
            stage.discard(folder)
    return len(unused)


@dataclass(slots=True)
class Completed:
    """What a restored ledger was completed by."""

    added: list[str] = field(default_factory=list)  # ids that were published since the backup
    failed: dict[str, str] = field(default_factory=dict)  # by id: why it could not be added
    without: list[Path] = field(default_factory=list)  # outputs that have no journal


def complete(ledger: Ledger, outputs: Iterable[Path], now: datetime) -> Completed:
    """Add published deliveries of the journals that a restored ledger lacks.

    Raises Problem.
    """
    done = Completed()
    for output in outputs:
        if not journal.is_kept(output):
            done.without.append(output)
        for batch, records in journal.batches(output, ledger.roots):
            if ledger.batches.complete(batch, records):
                done.added.append(batch.id)
        for entry in journal.read(output, ledger.roots):
            try:
                if ledger.complete(entry, Attempt(now, "", "restored", note="from the journal of the output")):
                    done.added.append(entry.id)
            except VersionTakenError:
                done.failed[entry.id] = f"another content is version {entry.version} of its sourceId since the restore"
    return done


@contextmanager
def _noting(report: Report, folder: Path) -> Iterator[None]:
    """Go on with the next one if one fails."""
    try:
        yield
    except Problem as problem:
        report.failed[folder.name] = problem


def _sweep(ledger: Ledger, folder: Path) -> bool:
    """Remove a dead owner's folder, unless an accepted delivery needs it.

    Raises Problem.
    """
    lock = stage.lock_folder(folder)
    if lock is None:
        return False
    try:
        swept = not ledger.uses_stage(folder)
        if swept:
            stage.sweep(folder)
    finally:
        os.close(lock)
    return swept
