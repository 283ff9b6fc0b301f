"""Quarantine: what is held or refused, kept whole with the reason, until it is repaired or its time is over.

The whole folder moves here from the stage, its lock with it, and is locked until the row in the ledger is written.
Until then it holds a file `unsettled`, too. So a folder with that file whose lock is free is one whose owner died in
between: recovery writes its row. Whoever changes what lies here, or lets it go, holds the lock.
"""

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from receiver.core.delivery import Part, Receipt
from receiver.core.problems import Code, Problem
from receiver.core.work import Step, timed
from receiver.store import durable, folders, kept
from receiver.store.durable import storage
from receiver.store.entry import Attempt, Entry
from receiver.store.ledger import KEPT, AlreadyAcceptedError, Ledger
from receiver.store.publish import PATIENCE, duplicate
from receiver.store.stage import Stage, Staged, lock_folder

FOLDER = "quarantine"
DESCRIPTION = "problem.json"
UNSETTLED = "unsettled"
PAUSE = 0.01  # seconds between two looks at a lock that another one holds
README = """\
Deliveries that were held or refused: one folder for each, <process>/<id>, with its parts and problem.json, which
tells what they are and what is wrong with them. `receiver replay` judges them anew by today's configuration.
They are removed when their time is over ([retention] quarantine).
"""


def ensure_folder(data: Path) -> None:
    """Create the folder of all quarantined deliveries. Raises Problem."""
    folders.ensure_folder(data / FOLDER, README)


def folder(data: Path, process: str, id: str) -> Path:  # noqa: A002 (the ledger's word)
    """Return where one delivery is kept."""
    return data.absolute() / FOLDER / process / id


def load(data: Path, process: str, id: str) -> kept.Kept:  # noqa: A002 (the ledger's word)
    """Read a kept delivery. Raises Problem if there is none."""
    return kept.load(folder(data, process, id) / DESCRIPTION)


@timed(Step.QUARANTINE)
def keep(ledger: Ledger, data: Path, staged: Staged, entry: Entry, parts: Sequence[Part], detail: str) -> Receipt:
    """Keep a held or refused delivery, then write its row; durable on return.

    Where the same delivery was accepted before, nothing is kept, and the receipt is that one's. Raises Problem.
    """
    place = folder(data, entry.process, entry.id)
    staged.write()
    with _beside(data, staged) as near, _kept(near, place, entry, parts, detail):
        try:
            ledger.quarantine(entry, _attempt(entry))
        except AlreadyAcceptedError as accepted:
            kept.take_away(place)
            return duplicate(ledger, accepted.winner, entry.arrival)
        _settle(place)
    return entry.receipt()


def discard(data: Path, process: str, id: str) -> None:  # noqa: A002 (the ledger's word)
    """Remove a kept delivery, if there is one: as a rule there is none. Raises Problem."""
    if os.path.lexists(f"{data}/{FOLDER}/{process}/{id}"):
        kept.take_away(folder(data, process, id))


def let_go(ledger: Ledger, data: Path, entry: Entry, attempt: Attempt) -> bool:
    """Keep a held or refused delivery no longer: its row tells why, then its folder goes. Raises Problem.

    False, with nothing done, if somebody is at work on it, or it came again since `entry` was read.
    """
    place = folder(data, entry.process, entry.id)
    lock = lock_folder(place)
    if lock is None:
        return not place.exists() and ledger.discard(entry, attempt)
    try:
        if not ledger.discard(entry, attempt):
            return False
        kept.take_away(place)
    finally:
        os.close(lock)
    return True


def places(data: Path) -> list[Path]:
    """Return the folder of every kept delivery. Raises Problem."""
    return folders.within(data.absolute() / FOLDER, depth=2)


def finish(ledger: Ledger, place: Path) -> bool:
    """Write the row that a dead owner did not, or remove what its row says is gone; False if all is well.

    A ledger that was restored from a backup has no row of what came later, either.

    Raises Problem.
    """
    known = ledger.find(place.name)
    if known is not None and not place.joinpath(UNSETTLED).exists() and not _gone(known):
        return False
    lock = lock_folder(place)
    if lock is None:
        return False
    try:
        entry = ledger.find(place.name)
        if _gone(entry):
            kept.take_away(place)
            return True
        found = kept.load(place / DESCRIPTION)
        if entry is None or _attempt(found.entry) not in entry.attempts:
            ledger.quarantine(found.entry, _attempt(found.entry))
        _settle(place)
    finally:
        os.close(lock)
    return True


def _gone(entry: Entry | None) -> bool:
    """Return whether a delivery's row says that it is in quarantine no longer."""
    return entry is not None and entry.status not in KEPT


def _attempt(entry: Entry) -> Attempt:
    return Attempt.of(entry.arrival, entry.status.value, entry.code or "")


@contextmanager
def _beside(data: Path, staged: Staged) -> Iterator[Staged]:
    """Yield a stage from which a rename leads to quarantine: as a rule the one there is.

    Two mounts of one file system, as containers and ReadWritePaths= make them, tell the same device and rename nothing.
    """
    root = data / FOLDER
    if durable.leads_to(staged.folder, root):
        yield staged
        return
    with Stage(root / kept.SCRATCH).open() as copied:
        yield copied


@contextmanager
def _kept(near: Staged, place: Path, entry: Entry, parts: Sequence[Part], detail: str) -> Iterator[None]:
    """Keep the delivery at its place, whose lock is held meanwhile. Raises Problem."""
    folders.make_folders(str(place.parent), str(place.parents[1]))
    _remove_but(near.folder, {part.path.name for part in parts})
    for part in parts:
        kept.put(part, near.folder)
    near.describe(DESCRIPTION, kept.describe(entry, parts, detail))
    _unsettle(near.folder)
    near.seal()
    lock = _move(near.folder, place)
    try:
        if lock is not None:
            _renew(near, place, entry, parts, detail)
        yield
    finally:
        if lock is not None:
            os.close(lock)


def _move(near: Path, place: Path) -> int | None:
    """Move the delivery, with the lock on it, to its place; or return the lock of the same one that lies there.

    Raises Problem: BUSY if somebody is at work on that one for too long.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        with storage("move a delivery to quarantine"), contextlib.suppress(FileExistsError):
            durable.move_new(near, place)
            durable.sync_folder(place.parent)
            return None
        lock = lock_folder(place)
        if lock is not None and place.joinpath(DESCRIPTION).exists():
            return lock
        if lock is not None:
            kept.take_away(place)  # what somebody removed half of
            os.close(lock)
        if time.monotonic() > deadline:
            raise Problem(Code.BUSY, "an earlier attempt at this delivery is still being kept")
        time.sleep(PAUSE)


def _unsettle(place: Path) -> None:
    """Say that the row is still to be written: durable with the next fsync of the folder."""
    with storage("keep a delivery"):
        place.joinpath(UNSETTLED).touch(mode=durable.FILE_MODE)


def _settle(place: Path) -> None:
    """Say that the row is there: durable whenever it may be, for what a crash brings back is settled again."""
    with storage("keep a delivery"):
        place.joinpath(UNSETTLED).unlink(missing_ok=True)


def _renew(near: Staged, place: Path, entry: Entry, parts: Sequence[Part], detail: str) -> None:
    """Put today's reason beside the parts that lie there, and the metadata of today where the id does not cover it."""
    before = kept.load(place / DESCRIPTION).parts
    there = {part.sha256: part.path for part in before}
    _unsettle(place)
    now = [replace(part, path=there.get(part.sha256) or _move_part(near, part, place)) for part in parts]
    durable.sync_folder(place)
    durable.write_over(place / DESCRIPTION, kept.describe(entry, now, detail), near.folder / "renewed")
    with storage("keep a delivery"):
        for gone in there.keys() - {part.sha256 for part in parts}:
            there[gone].unlink(missing_ok=True)


def _move_part(near: Staged, part: Part, place: Path) -> Path:
    """Move a part that came with another attempt, under a name that no other content has."""
    target = place / part.sha256
    with storage("keep a delivery"), contextlib.suppress(FileExistsError):  # a crash came between, the last time
        durable.move_new(near.folder / part.path.name, target)
    return target


def _remove_but(folder: Path, names: set[str]) -> None:
    """Remove what was staged beside the parts: records are rendered anew when the delivery is."""
    with storage("clear the stage"):
        for path in folder.iterdir():
            if path.name not in names:
                folders.remove(path)
