"""Publishes accepted deliveries whose owner is dead: what recovery does for all, and a retry for its own."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from receiver.core.delivery import Status
from receiver.core.problems import Code, Problem
from receiver.store import stage
from receiver.store.entry import Entry
from receiver.store.ledger import Ledger
from receiver.store.release import release


def finish(ledger: Ledger, entries: Sequence[Entry]) -> tuple[list[str], dict[str, Problem]]:
    """Publish those of the accepted entries whose owner is dead. Raises Problem where the ledger fails.

    Returns the ids that are published now, and the problem of each that could not be.
    """
    failed: dict[str, Problem] = {}
    with ExitStack() as locks:
        ours = []
        for entry in entries:
            try:
                if _hold(entry, locks) and _still_committed(ledger, entry):
                    ours.append(entry)
            except Problem as problem:
                failed[entry.id] = problem
        failed |= release(ours)
        done = [entry for entry in ours if entry.id not in failed]
        if done:
            ledger.published(done, datetime.now(UTC))
        for entry in done:
            stage.discard(Path(entry.stage))
    return [entry.id for entry in done], failed


def _hold(entry: Entry, locks: ExitStack) -> bool:
    """Take the lock of an entry's folder in the stage; False where its owner lives. Raises Problem.

    A folder that is gone needs no lock: its owner removed it after the last step.
    """
    folder = Path(entry.stage)
    lock = stage.hold(folder)
    if lock is not None:
        locks.callback(os.close, lock)
        return True
    if not folder.parent.is_dir():
        raise Problem(Code.STORAGE_FAILED, "the stage of an accepted delivery is not there: is its disk mounted?")
    return not folder.exists()


def _still_committed(ledger: Ledger, entry: Entry) -> bool:
    """Look again, now that nobody else can finish it."""
    now = ledger.find(entry.id)
    return now is not None and now.status is Status.COMMITTED
