"""Verifies by digest that the ledger and the disk agree.

Published files, originals and quarantine.

A published file that is gone was taken by the importing system, which is what it is there for. One that is there
and differs, or a kept delivery that is gone or differs, is a finding. Safe beside the running service.
"""

import hashlib
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from receiver.core.batches import Batch, BatchStatus
from receiver.core.delivery import ID_LENGTH, Kind, Part, Status
from receiver.core.faults import ConfigurationError
from receiver.core.problems import Problem
from receiver.core.settings import Settings
from receiver.operations.health import files
from receiver.site.config.build import read
from receiver.site.config.site import directories, find
from receiver.store import kept, originals, quarantine
from receiver.store.entry import DamagedRow, Entry
from receiver.store.ledger import ACCEPTED, KEPT, Ledger

MOST_BATCHES = 1_000_000  # all there are
MOMENT = 2.0  # seconds in which a delivery that is just being published gets its mark, on a busy disk, too


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not agree."""

    id: str
    what: str


@dataclass(slots=True)
class Tally:
    """What was looked at: files that agree, and published ones that were taken away."""

    deliveries: int = 0
    agree: int = 0
    taken: int = 0
    findings: list[Finding] = field(default_factory=list)


def verify(ledger: Ledger, data: Path, entries: Iterable[Entry]) -> Tally:
    """Verify `entries`, and what is in quarantine without one. Raises Problem."""
    tally = Tally()
    under_way: list[Entry] = []
    for entry in entries:
        tally.deliveries += 1
        if entry.status is Status.COMMITTED:
            under_way.append(entry)
        else:
            _look(ledger, entry, data, tally)
    if under_way:
        time.sleep(MOMENT)
    for entry in under_way:
        _look(ledger, ledger.find(entry.id) or entry, data, tally)
    tally.findings += [
        Finding(place.name, "lies in quarantine, and the ledger does not say so: run receiver recover")
        for place in quarantine.places(data)
        if not _is_kept(ledger, place.name) and place.exists()
    ]
    return tally


def verify_batches(ledger: Ledger, process: str | None, since: datetime | None, tally: Tally) -> None:
    """Verify batches opened since then, and the records that wait in them.

    Raises Problem.
    """
    for batch in ledger.batches.latest(process, MOST_BATCHES):
        if since and batch.opened_at < since:
            break
        if batch.status is BatchStatus.PUBLISHED and batch.file:
            digest = _digest(Path(batch.file.target))
            tally.agree += digest == batch.file.sha256
            tally.taken += digest is None
            if digest not in (None, batch.file.sha256):
                tally.findings.append(Finding(batch.id, f"its file {batch.file.path} differs from what was published"))
        else:
            tally.findings += [Finding(batch.id, what) for what in _waiting(ledger, batch)]


def _waiting(ledger: Ledger, batch: Batch) -> Iterator[str]:
    """Yield what is wrong with a batch that is not published."""
    try:
        count = sum(1 for _ in ledger.batches.contents(batch))
    except Problem as problem:
        yield problem.detail
        return
    now = ledger.batches.find(batch.process, batch.name, batch.number)
    if now == batch and count != batch.count:
        yield f"has {count} records, and is to have {batch.count}"
    elif now == batch and batch.status is not BatchStatus.OPEN:
        yield "is closed and not yet published: the log says why, receiver batch close tries it again"


def _look(ledger: Ledger, entry: Entry, data: Path, tally: Tally) -> None:
    found = list(_judge(entry, data, tally))
    if found and _unchanged(ledger, entry):
        tally.findings += [Finding(entry.id, what) for what in found]


def _judge(entry: Entry, data: Path, tally: Tally) -> Iterator[str]:
    if entry.status in KEPT:
        yield from _kept(entry, quarantine.folder(data, entry.process, entry.id) / quarantine.DESCRIPTION, tally)
    elif entry.status is Status.COMMITTED:
        yield "is accepted and not yet published: run receiver recover"
    elif entry.status is Status.PUBLISHED:
        yield from _published(entry, tally)
        description = originals.folder(data, entry.process, entry.id) / originals.DESCRIPTION
        if any(entry.of_kind(Kind.ORIGINALS)) and description.exists():  # else their time is over
            yield from _kept(entry, description, tally)


def _published(entry: Entry, tally: Tally) -> Iterator[str]:
    for output in entry.outputs:
        if output.kind is not Kind.ORIGINALS:
            digest = _digest(Path(output.target))
            tally.agree += digest == output.sha256
            tally.taken += digest is None
            if digest not in (None, output.sha256):
                yield f"the {output.kind} {output.path} differs from what was published"


def _kept(entry: Entry, description: Path, tally: Tally) -> Iterator[str]:
    try:
        parts = kept.load(description).parts
    except Problem as problem:
        yield f"is kept, and its folder cannot be read: {problem.detail}"
        return
    if Counter(part.sha256 for part in parts) != Counter(part.sha256 for part in entry.parts):
        yield "is kept with other parts than the ledger tells"
    yield from _parts(parts, tally)


def _parts(parts: Sequence[Part], tally: Tally) -> Iterator[str]:
    for part in parts:
        digest = _digest(part.path)
        tally.agree += digest == part.sha256
        if digest != part.sha256:
            yield f"its kept file {part.file} {'is gone' if digest is None else 'differs'}"


def _digest(path: Path) -> str | None:
    """Return the SHA-256 of a file, hexadecimal; None if it is gone."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None
    except OSError:
        return ""


def _unchanged(ledger: Ledger, entry: Entry) -> bool:
    """Return whether nobody has moved on with a delivery while it was looked at."""
    now = ledger.find(entry.id)
    return now is not None and (now.status, now.attempt_count) == (entry.status, entry.attempt_count)


def _is_kept(ledger: Ledger, id_: str) -> bool:
    try:
        entry = ledger.find(id_)
    except DamagedRow:  # which is reported as such
        return True
    return entry is not None and entry.status in KEPT


# Letters may stand right before or after an id, so every stretch of its length may be one: RFC 4648 §6, base32.
ID = re.compile(rf"(?=([A-Z2-7]{{{ID_LENGTH}}}))")


@dataclass(frozen=True, slots=True)
class Unknown:
    """A file in the output that the ledger does not say was published."""

    id: str  # of the delivery whose it seems to be; "" if its name has none
    path: Path  # absolute


def unknown(ledger: Ledger, settings: Settings, now: datetime) -> Iterator[Unknown]:
    """Yield files with an id in their names that the ledger has not accepted.

    Raises Problem.
    """
    for path, name in _remembered(settings, now):
        ids = ID.findall(name)
        if ids and not any(_accepted(ledger, id_) for id_ in ids):
            yield Unknown(ids[0], path)


def nameless(ledger: Ledger, settings: Settings, entries: Iterable[Entry], now: datetime) -> Iterator[Unknown]:
    """Yield files without an id that no entry has.

    Entries are read after the folders.
    """
    found = {path for path, name in _remembered(settings, now) if not ID.search(name)}
    for entry in entries:
        found.difference_update(Path(output.target) for output in entry.outputs)
    found.difference_update(Path(each.file.target) for each in ledger.batches.latest(limit=MOST_BATCHES) if each.file)
    yield from (Unknown("", path) for path in sorted(found))


def _accepted(ledger: Ledger, id_: str) -> bool:
    try:
        entry = ledger.find(id_)
    except DamagedRow:  # which is reported as such
        return True
    return entry is not None and entry.status in ACCEPTED


def _remembered(settings: Settings, now: datetime) -> Iterator[tuple[Path, str]]:
    """Yield files with their path in the output, but those that may be forgotten."""
    outputs = _outputs(settings)
    for folder, span in outputs.items():
        for path in _listed(folder):
            if span is None or _written(path, now) > now - span:
                yield path, str(path.relative_to(folder))
    root = settings.output.absolute()  # what processes that are gone have left there
    for path in _listed(root):
        if outputs.keys().isdisjoint(path.parents):
            yield path, str(path.relative_to(root))


def _listed(folder: Path) -> Iterator[Path]:
    return (Path(entry.path) for entry in files(folder))


def _written(path: Path, now: datetime) -> datetime:
    """Return when a file was written; now where it was taken away meanwhile."""
    with suppress(OSError):
        return datetime.fromtimestamp(path.lstat().st_mtime, UTC)
    return now


def _outputs(settings: Settings) -> Mapping[Path, timedelta | None]:
    """Return each process's output folder, and how long the ledger remembers.

    None: for good.
    """
    found: dict[Path, timedelta | None] = {}
    for folder in find(settings.site)[0]:
        with suppress(ConfigurationError):
            config = read(folder, settings.site)
            for _, written in directories(config):
                found[(settings.output / written).absolute()] = config.retention.ledger
    return found
