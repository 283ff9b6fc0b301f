"""Quarantine: what is held or refused, kept whole with the reason, until it is repaired or its time is over.

The whole folder moves here from the stage, its lock with it, and is locked until the row in the ledger is written.
So a folder with a file `lock` that nobody holds is one whose owner died in between: recovery writes its row.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from receiver.delivery import Part, Receipt
from receiver.store import durable, folders, kept
from receiver.store.entry import Attempt, Entry
from receiver.store.failure import storage
from receiver.store.ledger import ACCEPTED, Ledger, Lost
from receiver.store.publish import known
from receiver.store.stage import LOCK, Stage, Staged, hold

FOLDER = "quarantine"
DESCRIPTION = "problem.json"
SCRATCH = ".stage"  # where a delivery is copied whose stage is on another file system
README = """\
Deliveries that were held or refused: one folder for each, <process>/<id>, with its parts and problem.json, which
tells what they are and what is wrong with them. `receiver replay` judges them anew by today's configuration.
They are removed when their time is over ([retention] quarantine).
"""


def own(data: Path) -> None:
    """Create the folder of all quarantined deliveries. Raises Problem."""
    folders.own(data / FOLDER, README)


def folder(data: Path, process: str, id: str) -> Path:  # noqa: A002 (the ledger's word)
    """Return where one delivery is kept."""
    return data.resolve() / FOLDER / process / id


def load(data: Path, process: str, id: str) -> kept.Kept:  # noqa: A002 (the ledger's word)
    """Read a kept delivery. Raises Problem where there is none."""
    return kept.load(folder(data, process, id) / DESCRIPTION)


def set_aside(ledger: Ledger, data: Path, staged: Staged, entry: Entry, parts: Sequence[Part], detail: str) -> Receipt:
    """Keep a held or refused delivery, then write its row; durable on return.

    Where the same delivery was accepted before, nothing is kept, and the receipt is that one's. Raises Problem.
    """
    with _beside(data, staged, parts) as near:
        moved = _keep(near, folder(data, entry.process, entry.id), entry, parts, detail)
        try:
            ledger.set_aside(entry, _attempt(entry))
        except Lost:
            discard(data, entry.process, entry.id)
            return known(ledger, entry.id, entry.arrival) or entry.receipt()
        if moved:
            folder(data, entry.process, entry.id).joinpath(LOCK).unlink(missing_ok=True)
    return entry.receipt()


def discard(data: Path, process: str, id: str) -> None:  # noqa: A002 (the ledger's word)
    """Remove a kept delivery, if there is one. Raises Problem."""
    _discard(folder(data, process, id))


def _discard(place: Path) -> None:
    """Remove the description first, so that no half of a delivery looks whole."""
    with storage("remove a delivery from quarantine"):
        place.joinpath(DESCRIPTION).unlink(missing_ok=True)
    folders.remove(place)


def places(data: Path) -> list[Path]:
    """Return the folder of every kept delivery. Raises Problem."""
    return folders.within(data.resolve() / FOLDER, depth=2)


def finish(ledger: Ledger, place: Path) -> bool:
    """Write the row that a dead owner did not, or remove what was accepted since; False where all is well.

    Raises Problem.
    """
    entry = ledger.find(place.name)
    if entry and entry.status in ACCEPTED:
        _discard(place)
        return True
    lock = hold(place) if place.joinpath(LOCK).exists() else None
    if lock is None:
        return False
    try:
        found = kept.load(place / DESCRIPTION)
        if entry is None or _attempt(found.entry) not in entry.attempts:
            ledger.set_aside(found.entry, _attempt(found.entry))
        place.joinpath(LOCK).unlink(missing_ok=True)
    finally:
        os.close(lock)
    return True


def _attempt(entry: Entry) -> Attempt:
    return Attempt.of(entry.arrival, entry.status.value, entry.code or "")


@contextmanager
def _beside(data: Path, staged: Staged, parts: Sequence[Part]) -> Iterator[Staged]:
    """Yield a stage on quarantine's own file system that holds the parts: as a rule the one there is."""
    root = data / FOLDER
    with storage("look at the quarantine"):
        near = root.stat().st_dev == staged.folder.stat().st_dev
    if near:
        yield staged
        return
    with Stage(root / SCRATCH).open() as copied:
        for part in parts:
            durable.copy(part.path, copied.folder / part.path.name)
        yield copied


def _keep(near: Staged, place: Path, entry: Entry, parts: Sequence[Part], detail: str) -> bool:
    """Move the delivery to its place; False where it lay there already, and only the reason is new."""
    folders.make_folders(place.parent, place.parents[1])
    _remove_but(near.folder, {LOCK, *(part.path.name for part in parts)})
    durable.write_new(near.folder / DESCRIPTION, kept.describe(entry, parts, detail))
    near.seal()
    with storage("move a delivery to quarantine"):
        if not place.joinpath(DESCRIPTION).exists():
            folders.remove(place)  # a half that was being removed
        try:
            durable.move_new(near.folder, place)
        except FileExistsError:
            return _renew(near, place, entry, parts, detail)
    durable.sync_folder(place.parent)
    return True


def _renew(near: Staged, place: Path, entry: Entry, parts: Sequence[Part], detail: str) -> bool:
    """Put today's reason beside the parts that lie there: the same ones, for the id covers their digests."""
    there = {part.sha256: part.path for part in kept.load(place / DESCRIPTION).parts}
    same = [replace(part, path=there.get(part.sha256, part.path)) for part in parts]
    durable.write_over(place / DESCRIPTION, kept.describe(entry, same, detail), near.folder / "renewed")
    return False


def _remove_but(folder: Path, names: set[str]) -> None:
    """Remove what was staged beside the parts: records are rendered anew when the delivery is."""
    with storage("clear the stage"):
        for path in folder.iterdir():
            if path.name not in names:
                folders.remove(path)
