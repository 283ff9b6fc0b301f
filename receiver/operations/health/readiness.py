"""What must hold for a delivery to be taken, asked anew each time: cheap enough for a probe every second."""

import contextlib
import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from receiver.core import units
from receiver.core.problems import Code, Problem
from receiver.delivery.context import Context
from receiver.site.in_force import state
from receiver.store.failure import storage
from receiver.store.folders import FOLDER_MODE, free_space
from receiver.store.sharing import name_of, require_shareable

LEAST = 100_000  # bytes: what a commit and the folders of a small delivery take, whatever the settings ask for


@dataclass(frozen=True, slots=True)
class Check:
    """One condition, and in words how it stands."""

    name: str
    ready: bool
    reason: str


def checks(context: Context) -> list[Check]:
    """Return how everything stands that a delivery needs, disk by disk and folder by folder."""
    outputs = {(process.output, process.group) for process in context.processes.values()}
    return [
        _configuration(context),
        _check("ledger", partial(_ledger, context)),
        *(_check("stage", partial(_stage, root)) for root in sorted(context.roots())),
        *(_check("output", partial(_output, *output)) for output in sorted(outputs)),
        *(
            _check("space", partial(_space, folder, max(context.settings.min_free, LEAST)))
            for folder in context.disks()
        ),
    ]


def _check(name: str, ask: Callable[[], str]) -> Check:
    """Ask; a `Problem` is the answer no."""
    try:
        return Check(name, True, ask())
    except Problem as problem:
        return Check(name, False, problem.detail)


def _configuration(context: Context) -> Check:
    count = len(context.processes)
    told = f"proven, processes: {count}" if count else "the site has no process"
    return Check("configuration", count > 0, told + _kept_back(context))


def _kept_back(context: Context) -> str:
    """Tell what keeps an edit of the site back: no reason to turn deliveries away."""
    known = state.read(context.settings.data)
    faults = known.kept_back if known else ()
    more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
    return f"; an edit is kept back by {faults[0]}{more}" if faults else ""


def _ledger(context: Context) -> str:
    context.ledger.require_in_place()
    with storage("write to the ledger"):
        _require(context.ledger.path, os.R_OK | os.W_OK)
        _require(context.ledger.path.parent, os.W_OK | os.X_OK)
    context.ledger.find("")
    return "answers, and can be written"


def _stage(root: Path) -> str:
    """Prove that a delivery could be begun. A folder that a crash leaves here is swept, as any other."""
    folder = root / os.urandom(10).hex()
    with storage("create a folder in the stage"):
        folder.mkdir(mode=FOLDER_MODE)
    with contextlib.suppress(OSError):  # a sweep that came in between has it
        folder.rmdir()
    return f"{root} can be written"


def _output(output: Path, group: int | None) -> str:
    """Look only: whoever polls the folder would see a file that proves more."""
    with storage("write to the output folder"):
        _require(output, os.W_OK | os.X_OK)
    if group is None:
        return f"{output} can be written"
    require_shareable(str(output), group)
    return f"{output} can be written, and given to the group {name_of(group)}"


def _require(path: Path, mode: int) -> None:
    """Raise the OSError that an access would raise."""
    path.stat()
    if not os.access(path, mode):
        read_only = os.statvfs(path).f_flag & os.ST_RDONLY
        raise OSError(errno.EROFS if read_only else errno.EACCES, "not to be written")


def _space(folder: Path, needed: int) -> str:
    free = free_space(folder)
    told = f"{free // 10**6} MB free at {folder}, {units.size_text(needed)} needed"
    if free < needed:
        raise Problem(Code.DISK_FULL, told)
    return told
