"""Proves that what the ledger tells is what lies on disk: published files, originals and quarantine, by digest.

A published file that is gone was taken by the importing system, which is what it is there for. One that is there
and differs, or a kept delivery that is gone or differs, is a finding. Safe beside the running service.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from receiver.core.delivery import Part, Status
from receiver.core.problems import Problem
from receiver.store import kept, originals, quarantine
from receiver.store.entry import Entry, Kind
from receiver.store.ledger import KEPT, Ledger
from receiver.store.rows import DamagedRow


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
    """Look at every delivery of `entries`, and at what lies in quarantine without one. Raises Problem."""
    tally = Tally()
    for entry in entries:
        tally.deliveries += 1
        found = list(_judge(entry, data, tally))
        if found and _unchanged(ledger, entry):
            tally.findings += [Finding(entry.id, what) for what in found]
    tally.findings += [
        Finding(place.name, "lies in quarantine, and the ledger does not say so: run receiver recover")
        for place in quarantine.places(data)
        if not _is_kept(ledger, place.name) and place.exists()
    ]
    return tally


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
            yield f"its kept file {part.path.name} {'is gone' if digest is None else 'differs'}"


def _digest(path: Path) -> str | None:
    """Return the SHA-256 of a file, hexadecimal; None where it is gone."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None
    except OSError:
        return ""


def _unchanged(ledger: Ledger, entry: Entry) -> bool:
    """Tell whether nobody has moved on with a delivery while it was looked at."""
    now = ledger.find(entry.id)
    return now is not None and (now.status, now.attempt_count) == (entry.status, entry.attempt_count)


def _is_kept(ledger: Ledger, id_: str) -> bool:
    try:
        entry = ledger.find(id_)
    except DamagedRow:  # which is told as such
        return True
    return entry is not None and entry.status in KEPT
