"""How each process stands: what waits, since when, and when it last went well. For /metrics and `receiver status`."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from receiver.core.delivery import Status
from receiver.delivery.context import Context
from receiver.site.process import Process
from receiver.store.entry import Standing

MOST_FILES = 10_000  # looked at in one output folder: some 30 ms; where nobody takes files away, more say no more


@dataclass(frozen=True, slots=True)
class Survey:
    """One process as it stands now. Moments are aware, UTC; None where there is nothing."""

    process: str
    held: int
    refused: int
    unpublished: int
    oldest_unpublished: datetime | None
    last_success: datetime | None  # among the last deliveries; None where it is longer ago
    waiting_files: int  # in the output folder, up to MOST_FILES
    oldest_file: datetime | None


def survey(context: Context) -> list[Survey]:
    """Return how every process stands, in the order of their names. Raises Problem."""
    standing = context.ledger.standing()
    return [_survey(name, standing.get(name, Standing()), process.output) for name, process in _ordered(context)]


def _ordered(context: Context) -> list[tuple[str, Process]]:
    return sorted(context.processes.items())


def _survey(name: str, standing: Standing, output: Path) -> Survey:
    ages = list(_modified(output))
    return Survey(
        process=name,
        held=standing.counts.get(Status.HELD, 0),
        refused=standing.counts.get(Status.REFUSED, 0),
        unpublished=standing.counts.get(Status.COMMITTED, 0),
        oldest_unpublished=standing.oldest_unpublished,
        last_success=standing.last_success,
        waiting_files=len(ages),
        oldest_file=datetime.fromtimestamp(min(ages), UTC) if ages else None,
    )


def _modified(folder: Path) -> Iterator[float]:
    """Yield when each file that importing systems can see was written, up to MOST_FILES."""
    for path in islice(files(folder), MOST_FILES):
        with contextlib.suppress(OSError):  # taken away meanwhile
            yield path.stat().st_mtime


def files(folder: Path) -> Iterator["os.DirEntry[str]"]:
    """Yield the files below a folder, but what is hidden; nothing where it is gone, which /readyz tells."""
    with contextlib.suppress(OSError), os.scandir(folder) as found:
        for entry in found:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from files(Path(entry.path))
            else:
                yield entry
