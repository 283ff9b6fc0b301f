"""Prunes by itself, once an hour and sooner where space is short, and finishes what was accepted and not published.

One worker of the host does it.
"""

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from receiver import log
from receiver.core.problems import Problem
from receiver.delivery.context import Context, Current
from receiver.operations.retention.retention import prune
from receiver.store import folders, stage

FOLDER = "housekeeping"
README = """\
Nothing is in this folder but a lock on it: who holds that prunes, and the folder's time is when it was done last.
It may be removed at any time.
"""
LOOK = 60  # seconds between two looks whether it is time
EVERY = 3600  # seconds between two prunings: retention counts days, and a listing of 100,000 folders takes a second
SHORT = 4  # times the free space that the settings ask for: below it, a pruning at each look, before senders notice


def start(current: Current, pause: float = LOOK) -> None:
    """Begin to prune in the background, until the worker ends; `pause` is the time between two looks, in seconds."""
    threading.Thread(target=_keep, args=(current, pause), name="housekeeping", daemon=True).start()


def _keep(current: Current, pause: float) -> None:
    while True:
        time.sleep(pause)
        try:
            look(current.context)
        except Problem as problem:
            log.housekeeping_failed(problem)
        except Exception as error:  # noqa: BLE001 (a defect here must not end the looking, and it is told)
            log.crashed(error)


def look(context: Context) -> bool:
    """Finish and, if it is time, prune, unless somebody else does; tell whether it pruned. Raises Problem."""
    folder = context.settings.data / FOLDER
    folders.own(folder, README)
    lock = stage.hold(folder)
    if lock is None:
        return False
    try:
        if _is_unfinished(context):
            log.recovered(context.recover())
        due = _is_due(context, folder)
        if due:
            os.utime(lock)
            for done in prune(context, datetime.now(UTC)):
                if done.problem:
                    log.housekeeping_failed(done.problem)
    finally:
        os.close(lock)
    return due


def _is_unfinished(context: Context) -> bool:
    """Tell whether a delivery was accepted before the last look and is not published: its disk was full, or away."""
    before = datetime.now(UTC) - timedelta(seconds=LOOK)
    waiting = (each.oldest_unpublished for each in context.ledger.standing().values())
    return any(oldest is not None and oldest < before for oldest in waiting)


def _is_due(context: Context, folder: Path) -> bool:
    """Tell whether the last pruning is an hour ago. A clock that was set back counts as due."""
    age = time.time() - folder.stat().st_mtime
    if not 0 <= age < EVERY:
        return True
    return age >= LOOK and folders.free_space(context.settings.data) < SHORT * context.settings.min_free
