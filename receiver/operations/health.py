"""Health: whether deliveries can be accepted, and what waits in each process.

Cheap enough for a probe every second."""

import contextlib
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path

from receiver.core import units
from receiver.core.batches import Batch, BatchStatus
from receiver.core.delivery import Status
from receiver.core.problems import Code, Problem
from receiver.delivery.context import Context
from receiver.site import in_force
from receiver.site.process import Process
from receiver.store.database import Host, Hosts
from receiver.store.durable import storage
from receiver.store.entry import Standing
from receiver.store.folders import FOLDER_MODE, name_of, require_access, require_shareable
from receiver.store.stage import free_space, place_for

SEEN = timedelta(seconds=5)  # in which a new folder is seen on every host that shares the disk
LEAST = 100_000  # bytes: what a commit and the folders of a small delivery take, whatever the settings ask for


@dataclass(frozen=True, slots=True)
class Check:
    """One condition, and in words how it stands."""

    name: str
    ready: bool
    reason: str


def checks(context: Context, *, look_only: bool = False) -> list[Check]:
    """Return a check for everything that a delivery needs, each disk and folder.

    With `look_only` nothing is made, not for an instant: whoever asks may be another user than the service.
    """
    outputs = {name: output(process) for name, process in context.processes.items()}
    further = {_further(*each) for process in context.processes.values() for each in process.further.items()}
    usable = {name for name, check in outputs.items() if check.ready}
    stages = _seen_stages(context, usable) if look_only else _stages(context, usable)
    return [
        _configuration(context),
        ledger(context),
        *_hosts(context),
        *sorted(stages, key=lambda check: check.reason),
        *sorted({*outputs.values(), *further}, key=lambda check: check.reason),
        *(
            _check("space", partial(_space, folder, max(context.settings.min_free, LEAST)))
            for folder in context.disks()
        ),
    ]


def ledger(context: Context) -> Check:
    """Return whether the ledger answers, and is where it was."""
    return _check("ledger", partial(_ledger, context))


def output(process: Process) -> Check:
    """Return whether the output folder of a process can be written.

    Nothing is written to it.
    """
    return _check("output", partial(_output, process.output, process.group))


def _further(folder: Path, group: int | None) -> Check:
    return _check("output", partial(_output, folder, group))


def _check(name: str, ask: Callable[[], str]) -> Check:
    """Ask; a `Problem` is the answer no."""
    try:
        return Check(name, True, ask())
    except Problem as problem:
        return Check(name, False, problem.detail)


def _configuration(context: Context) -> Check:
    count = len(context.processes)
    text = f"proven, processes: {count}" if count else "the site has no process"
    return Check("configuration", count > 0, text + _kept_back(context))


def _kept_back(context: Context) -> str:
    """Return what keeps an edit of the site back: no reason to turn deliveries away."""
    known = in_force.read(context.settings.local)
    faults = known.kept_back if known else ()
    more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
    return f"; an edit is kept back by {faults[0]}{more}" if faults else ""


def _ledger(context: Context) -> str:
    context.ledger.require_in_place()
    if context.ledger.path:
        with storage("write to the ledger"):
            require_access(context.ledger.path, os.R_OK | os.W_OK)
            require_access(context.ledger.path.parent, os.W_OK | os.X_OK)
    context.ledger.find("")
    return "answers, and can be written"


def _hosts(context: Context) -> list[Check]:
    """Return the hosts of the ledger, and whether all serve the same.

    A difference is no reason to refuse deliveries.
    """
    return [_check("hosts", partial(_sites, context, context.ledger.hosts))] if context.ledger.hosts else []


def _sites(context: Context, hosts: Hosts) -> str:
    found = hosts.listed()
    _require_one_disk(context, hosts, found)
    own = context.site_digest()
    others = sorted({each.host for each in found if each.site not in ("", own)})
    releases = sorted({each.release for each in found})
    text = f"{len({each.host for each in found})}, processes: {len(found)}"
    if len(releases) > 1:
        text += f", of the releases {' and '.join(releases)}"
    return f"{text}; the site here differs from that of {', '.join(others)}" if others else text


def _require_one_disk(context: Context, hosts: Hosts, found: Sequence[Host]) -> None:
    """Raise Problem if a process that serves has no folder in our stage.

    Then it sees another disk.
    """
    settled = [each for each in found if each.site and each.heartbeat_at - each.started_at > SEEN]
    away = [each for each in settled if not context.place_of(each.incarnation).is_dir()]
    names = (
        {each.host for each in hosts.listed() if each.incarnation in {lost.incarnation for lost in away}}
        if away
        else set()
    )  # it may just have ended
    if names:
        detail = f"RECEIVER_DATA is not the folder of {', '.join(sorted(names))}: all hosts need the same one"
        raise Problem(Code.STORAGE_FAILED, detail)


def _stages(context: Context, usable: Collection[str]) -> set[Check]:
    """Try each stage, after creating it where its output was; none without output."""
    lost = {Check("stage", False, problem.detail) for name, problem in context.away().items() if name in usable}
    return lost | {_check("stage", partial(_stage, root)) for root in context.roots()}


def _seen_stages(context: Context, usable: Collection[str]) -> set[Check]:
    return {_check("stage", partial(_seen, context, context.processes[name])) for name in usable}


def _seen(context: Context, process: Process) -> str:
    """Look where the stage is, or where it will be made."""
    root = place_for(context.settings.data, process.output)
    with storage(f"write to the stage {root}"):
        require_access(root if root.is_dir() else root.parent, os.W_OK | os.X_OK)
    return f"{root} can be written"


def _stage(root: Path) -> str:
    """Prove that a delivery could be begun.

    A folder that a crash leaves here is swept, as any other.
    """
    folder = root / os.urandom(10).hex()
    with storage("create a folder in the stage"):
        folder.mkdir(mode=FOLDER_MODE)
    with contextlib.suppress(OSError):  # a sweep that came in between has it
        folder.rmdir()
    return f"{root} can be written"


def _output(output: Path, group: int | None) -> str:
    """Look only: whoever polls the folder would see a file that proves more."""
    with storage(f"write to the output folder {output}"):
        require_access(output, os.W_OK | os.X_OK)
    if group is None:
        return f"{output} can be written"
    require_shareable(str(output), group)
    return f"{output} can be written, and given to the group {name_of(group)}"


def _space(folder: Path, needed: int) -> str:
    free = free_space(folder)
    text = f"{free // 10**6} MB free at {folder}, {units.size_text(needed)} needed"
    if free < needed:
        raise Problem(Code.DISK_FULL, text)
    return text


MOST_FILES = 10_000  # looked at in one output folder: some 30 ms; if nobody takes files away, more say no more


@dataclass(frozen=True, slots=True)
class Survey:
    """One process as it stands now. Moments are aware, UTC; None if there is nothing."""

    process: str
    held: int
    refused: int
    unpublished: int
    oldest_unpublished: datetime | None
    last_success: datetime | None  # among the last deliveries; None if it is longer ago
    waiting_files: int  # in the output folder, up to MOST_FILES
    oldest_file: datetime | None
    batches: "BatchSurvey | None" = None  # None for a process without batches


@dataclass(frozen=True, slots=True)
class BatchSurvey:
    """The batches of one process that are not published."""

    open: int
    closed: int  # their files are to be made or published
    records: int
    oldest: datetime | None  # when the one that was opened first was opened; aware, UTC


def survey(context: Context) -> list[Survey]:
    """Return how every process stands, in the order of their names. Raises Problem."""
    standing = context.ledger.standing()
    waiting = context.ledger.batches.unpublished()
    return [
        _survey(process, standing.get(name, Standing()), [each for each in waiting if each.process == name])
        for name, process in _ordered(context)
    ]


def _ordered(context: Context) -> list[tuple[str, Process]]:
    return sorted(context.processes.items())


def _survey(process: Process, standing: Standing, waiting: Sequence[Batch]) -> Survey:
    ages = [age for folder in (process.output, *process.further) for age in _modified(folder)]
    return Survey(
        process=process.name,
        held=standing.counts.get(Status.HELD, 0),
        refused=standing.counts.get(Status.REFUSED, 0),
        unpublished=standing.counts.get(Status.COMMITTED, 0),
        oldest_unpublished=standing.oldest_unpublished,
        last_success=standing.last_success,
        waiting_files=len(ages),
        oldest_file=datetime.fromtimestamp(min(ages), UTC) if ages else None,
        batches=_surveyed(waiting) if waiting or process.batches else None,
    )


def _surveyed(waiting: Sequence[Batch]) -> BatchSurvey:
    open_ = sum(each.status is BatchStatus.OPEN for each in waiting)
    oldest = min((each.opened_at for each in waiting), default=None)
    return BatchSurvey(open_, len(waiting) - open_, sum(each.count for each in waiting), oldest)


def _modified(folder: Path) -> Iterator[float]:
    """Yield when files that importing systems see were written, up to MOST_FILES."""
    for path in islice(files(folder), MOST_FILES):
        with contextlib.suppress(OSError):  # taken away meanwhile
            yield path.stat().st_mtime


def files(folder: Path) -> Iterator["os.DirEntry[str]"]:
    """Yield the files below a folder, without hidden ones; none if it is gone.

    /readyz reports that.
    """
    with contextlib.suppress(OSError), os.scandir(folder) as found:
        for entry in found:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from files(Path(entry.path))
            else:
                yield entry
