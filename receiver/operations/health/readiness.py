"""What must hold for a delivery to be taken, asked anew each time: cheap enough for a probe every second."""

import contextlib
import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from receiver.core import units
from receiver.core.problems import Code, Problem
from receiver.delivery.context import Context
from receiver.site import in_force
from receiver.site.process import Process
from receiver.store.durable import storage
from receiver.store.folders import FOLDER_MODE, free_space, require_access
from receiver.store.sharing import name_of, require_shareable
from receiver.store.stage import place_for

LEAST = 100_000  # bytes: what a commit and the folders of a small delivery take, whatever the settings ask for


@dataclass(frozen=True, slots=True)
class Check:
    """One condition, and in words how it stands."""

    name: str
    ready: bool
    reason: str


def checks(context: Context, *, look_only: bool = False) -> list[Check]:
    """Return how everything stands that a delivery needs, disk by disk and folder by folder.

    With `look_only` nothing is made, not for an instant: whoever asks may be another user than the service.
    """
    outputs = {name: output(process) for name, process in context.processes.items()}
    usable = {name for name, check in outputs.items() if check.ready}
    stages = _seen_stages(context, usable) if look_only else _stages(context, usable)
    return [
        _configuration(context),
        ledger(context),
        *sorted(stages, key=lambda check: check.reason),
        *sorted(set(outputs.values()), key=lambda check: check.reason),
        *(
            _check("space", partial(_space, folder, max(context.settings.min_free, LEAST)))
            for folder in context.disks()
        ),
    ]


def ledger(context: Context) -> Check:
    """Return whether the ledger answers, and is where it was."""
    return _check("ledger", partial(_ledger, context))


def output(process: Process) -> Check:
    """Return whether the output folder of a process can be written. Nothing is written to it."""
    return _check("output", partial(_output, process.output, process.group))


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
    known = in_force.read(context.settings.data)
    faults = known.kept_back if known else ()
    more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
    return f"; an edit is kept back by {faults[0]}{more}" if faults else ""


def _ledger(context: Context) -> str:
    context.ledger.require_in_place()
    with storage("write to the ledger"):
        require_access(context.ledger.path, os.R_OK | os.W_OK)
        require_access(context.ledger.path.parent, os.W_OK | os.X_OK)
    context.ledger.find("")
    return "answers, and can be written"


def _stages(context: Context, usable: Collection[str]) -> set[Check]:
    """Try each stage, made anew where its output was; without an output none is needed."""
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
    """Prove that a delivery could be begun. A folder that a crash leaves here is swept, as any other."""
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
    told = f"{free // 10**6} MB free at {folder}, {units.size_text(needed)} needed"
    if free < needed:
        raise Problem(Code.DISK_FULL, told)
    return told
