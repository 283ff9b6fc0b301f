"""Finds files in the output that the ledger does not know: after a restore, what was published since the backup.

A delivery's files are told by the id in their names, so that what an importing system lays beside them, or calls
anew, is no finding. Where a process leaves the id out of its names, only a look at every file finds them.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from receiver.core.delivery import ID_LENGTH
from receiver.core.faults import Misconfigured
from receiver.core.settings import Settings
from receiver.operations.health.survey import files
from receiver.site import config
from receiver.site.config.site import find
from receiver.store.entry import Entry
from receiver.store.ledger import ACCEPTED, Ledger
from receiver.store.rows import DamagedRow

# Letters may stand right before or after an id, so every stretch of its length may be one: RFC 4648 §6, base32.
ID = re.compile(rf"(?=([A-Z2-7]{{{ID_LENGTH}}}))")


@dataclass(frozen=True, slots=True)
class Unknown:
    """A file in the output that the ledger does not say was published."""

    id: str  # of the delivery whose it seems to be; "" where its name has none
    path: Path  # absolute


def unknown(ledger: Ledger, settings: Settings, now: datetime) -> Iterator[Unknown]:
    """Yield the files whose names have the id of a delivery that the ledger does not call accepted. Raises Problem."""
    for path, name in _remembered(settings, now):
        ids = ID.findall(name)
        if ids and not any(_accepted(ledger, id_) for id_ in ids):
            yield Unknown(ids[0], path)


def nameless(settings: Settings, entries: Iterable[Entry], now: datetime) -> Iterator[Unknown]:
    """Yield the files that have no id in their names and are none of `entries`, which are read after the folders."""
    found = {path for path, name in _remembered(settings, now) if not ID.search(name)}
    for entry in entries:
        found.difference_update(Path(output.target) for output in entry.outputs)
    yield from (Unknown("", path) for path in sorted(found))


def _accepted(ledger: Ledger, id_: str) -> bool:
    try:
        entry = ledger.find(id_)
    except DamagedRow:  # which is told as such
        return True
    return entry is not None and entry.status in ACCEPTED


def _remembered(settings: Settings, now: datetime) -> Iterator[tuple[Path, str]]:
    """Yield each file with its path in its output folder, but those that the ledger was allowed to forget."""
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
    """Return each process's output folder, and how long the ledger remembers what it wrote; None: for good."""
    found: dict[Path, timedelta | None] = {}
    for folder in find(settings.site)[0]:
        with suppress(Misconfigured):
            read = config.read(folder, settings.site)
            found[(settings.output / read.output.directory).absolute()] = read.retention.ledger
    return found
