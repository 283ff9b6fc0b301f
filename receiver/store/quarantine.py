"""Quarantine: held and refused deliveries, whole, with the reason, for some time.

The whole folder moves here from the stage. Until its row in the ledger is written it holds a file `unsettled`: recovery
writes the row if its owner died in between. If the same delivery comes again, the folder that lies here is moved aside
and the new one takes its place; nothing that a description tells of is ever changed or removed in place.

Whoever moves a folder here or away keeps others off until the row tells so, too. On one host that is a lock on the
folder, which moves with it. Several hosts are kept apart by the delivery's lock in the ledger: the folder is moved
within the transaction that writes the row. Such a lock falls with its session, and a host that was only stopped may
move a folder later. So what lies aside (`.stage/<process>.<id>.<random>`) is removed by who has committed, and by
recovery unless the row tells that it is kept and nothing else lies at its place: then it is put back.
"""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from receiver.core.delivery import Part, Receipt
from receiver.core.problems import Code, Problem
from receiver.core.work import Step, timed
from receiver.store import durable, folders, kept, stage
from receiver.store.durable import storage
from receiver.store.entry import Attempt, Entry
from receiver.store.ledger import KEPT, AlreadyAcceptedError, Ledger
from receiver.store.publish import PATIENCE, duplicate
from receiver.store.stage import Stage, lock_folder
from receiver.store.staged import Staged

FOLDER = "quarantine"
DESCRIPTION = "problem.json"
UNSETTLED = "unsettled"
PROPOSAL = "proposal.json"  # what one person has proposed for it (`proposals.py`)
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
    """Keep a held or refused delivery, and write its row; durable on return.

    Where the same delivery was accepted before, nothing is kept, and the receipt is that one's. Raises Problem.
    """
    place, asides = folder(data, entry.process, entry.id), list[Path]()
    staged.write()
    with _beside(data, staged) as near:
        _put_together(near, place, entry, parts, detail)
        try:
            if ledger.hosts:
                owned = entry._replace(stage=str(staged.folder))
                ledger.quarantine(owned, _attempt(entry), partial(_lay_alone, near.folder, place, asides))
            else:
                with _laid(near.folder, place, asides):
                    ledger.quarantine(entry, _attempt(entry))
        except AlreadyAcceptedError as accepted:
            kept.take_away(place)
            return duplicate(ledger, accepted.winner, entry.arrival)
        _settle(place)
        for aside in asides:
            stage.discard(aside)
    return entry.receipt()


def discard(data: Path, process: str, id: str) -> None:  # noqa: A002 (the ledger's word)
    """Remove a kept delivery, if there is one: as a rule there is none.

    Raises Problem.
    """
    if os.path.lexists(f"{data}/{FOLDER}/{process}/{id}"):
        kept.take_away(folder(data, process, id))


def let_go(ledger: Ledger, data: Path, entry: Entry, attempt: Attempt) -> bool:
    """Remove a held or refused delivery: its row says why, then its folder goes.

    False, with nothing done, if somebody is at work on it, or it came again since `entry` was read.

    Raises Problem.
    """
    place = folder(data, entry.process, entry.id)
    aside = kept.beside(place)
    with _held(ledger, place) as held:
        if not held and place.exists():
            return False
        # What may lie there by now, though nothing did, comes again: it is not ours to move.
        take = [partial(kept.move_aside, place, aside)] if held else []
        if not ledger.discard(entry, attempt, *take):
            return False
        stage.discard(aside)
    return True


def write_beside(ledger: Ledger, data: Path, entry: Entry, name: str, content: bytes) -> bool:
    """Write a file beside the parts, or over it; False if somebody is at work there.

    Raises Problem.
    """
    place = folder(data, entry.process, entry.id)

    def write(_: Entry | None) -> None:
        durable.write_over(place / name, content, place / f".{name}.{durable.new_name()}")

    with _held(ledger, place) as held:
        if held:
            ledger.alone(entry, write)
    return held


def places(data: Path) -> list[Path]:
    """Return the folder of every kept delivery. Raises Problem."""
    return folders.within(data.absolute() / FOLDER, depth=2)


def finish(ledger: Ledger, place: Path) -> bool:
    """Write a dead owner's row, or remove what a row says is gone; False if none is.

    A ledger that was restored from a backup has no row of what came later, either.

    Raises Problem.
    """
    known = ledger.find(place.name)
    if known is not None and not place.joinpath(UNSETTLED).exists() and not _gone(known):
        return False
    with _held(ledger, place) as held:
        if held and _gone(ledger.find(place.name)):
            _remove_gone(ledger, place)
        elif held:
            found = kept.load(place / DESCRIPTION)
            ledger.quarantine(found.entry, _attempt(found.entry), partial(_require_unchanged, place, found), once=True)
            _settle(place)
    return held


def _remove_gone(ledger: Ledger, place: Path) -> None:
    aside = kept.beside(place)
    work = lambda known: _gone(known) and kept.move_aside(place, aside)  # noqa: E731
    if ledger.alone(_named(place.parent.name, place.name), work):
        stage.discard(aside)


def _require_unchanged(place: Path, found: kept.Kept) -> None:
    """Raise Problem if another attempt at it lies there by now."""
    if kept.load(place / DESCRIPTION) != found:
        raise _busy()


def finish_aside(ledger: Ledger, data: Path, aside: Path) -> bool:
    """Put back what somebody who died moved aside, if its row tells that it is kept.

    Else it is removed.

    False if its owner lives, or what lies at its place is still to be settled. Raises Problem.
    """
    process, id_, _ = aside.name.split(".")
    place = folder(data, process, id_)

    def put_back(known: Entry | None) -> None:
        if known is None or _gone(known) or os.path.lexists(place):
            return
        with storage("put a kept delivery back"):
            durable.move_new(aside, place)
        durable.sync_folder(place.parent)

    with _held(ledger, aside) as held:
        if not held or place.joinpath(UNSETTLED).exists():
            return False
        ledger.alone(_named(process, id_), put_back)
        stage.discard(aside)  # unless it was put back
    return True


def _named(process: str, id_: str) -> Entry:
    """Return what a delivery is locked by of which nothing else is known."""
    return Entry(id_, process, "", None, datetime.now(UTC), "", "")


@contextmanager
def _held(ledger: Ledger, place: Path) -> Iterator[bool]:
    """Hold the lock on a kept delivery; yield False if it is gone, or held.

    Several hosts are kept apart by the ledger itself.
    """
    if ledger.hosts:
        yield os.path.lexists(place)
        return
    lock = lock_folder(place)
    try:
        yield lock is not None
    finally:
        if lock is not None:
            os.close(lock)


def _gone(entry: Entry | None) -> bool:
    """Return whether a delivery's row says that it is in quarantine no longer."""
    return entry is not None and entry.status not in KEPT


def _attempt(entry: Entry) -> Attempt:
    return Attempt.of(entry.arrival, entry.status.value, entry.code or "")


@contextmanager
def _beside(data: Path, staged: Staged) -> Iterator[Staged]:
    """Yield a stage that can be renamed to quarantine: usually the one there is.

    Two mounts of one file system, as containers and ReadWritePaths= make them, tell the same device and rename nothing.
    """
    root = data / FOLDER
    if durable.leads_to(staged.folder, root):
        yield staged
        return
    with Stage(root / kept.SCRATCH).open() as copied:
        yield copied


def _put_together(near: Staged, place: Path, entry: Entry, parts: Sequence[Part], detail: str) -> None:
    """Make all of a delivery durable that is to lie at its place. Raises Problem."""
    folders.make_folders(str(place.parent), str(place.parents[1]))
    _remove_but(near.folder, {part.file for part in parts})
    for part in parts:
        kept.put(part, near.folder)
    near.describe(DESCRIPTION, kept.describe(entry, parts, detail))
    _unsettle(near.folder)
    near.seal()


@contextmanager
def _laid(near: Path, place: Path, asides: list[Path]) -> Iterator[None]:
    """Have a delivery lie at its place, whose lock is held meanwhile.

    The lock on a folder moves with it.

    Raises Problem: BUSY if somebody is at work on what lies there for too long.
    """
    deadline = time.monotonic() + PATIENCE
    with ExitStack() as locks:
        while not _lay(near, place):
            if (lock := lock_folder(place)) is not None:
                locks.callback(os.close, lock)
                _make_room(near, place, asides)
            elif time.monotonic() > deadline:
                raise _busy()
            else:
                time.sleep(PAUSE)
        yield


def _lay_alone(near: Path, place: Path, asides: list[Path]) -> None:
    """Have a delivery lie at its place, from which the ledger keeps others.

    Raises Problem.
    """
    _make_room(near, place, asides)
    if not _lay(near, place):
        raise _busy()


def _make_room(near: Path, place: Path, asides: list[Path]) -> None:
    """Move aside the same delivery as it came before; proposals for it go along.

    Raises Problem.
    """
    with storage("keep a delivery"):
        if place.joinpath(PROPOSAL).exists() and not near.joinpath(PROPOSAL).exists():
            durable.link_or_copy(place / PROPOSAL, near / PROPOSAL)
            durable.sync_folder(near)
    aside = kept.beside(place)
    asides.append(aside)
    if kept.move_aside(place, aside):
        durable.sync_folder(aside.parent)


def _lay(near: Path, place: Path) -> bool:
    """Move a delivery to its place, durably; False if one lies there. Raises Problem."""
    with storage("move a delivery to quarantine"):
        try:
            durable.move_new(near, place)
        except FileExistsError:
            return False
    durable.sync_folder(place.parent)
    return True


def _busy() -> Problem:
    return Problem(Code.BUSY, "an earlier attempt at this delivery is still being kept")


def _unsettle(place: Path) -> None:
    """Mark that the row is not written yet; durable with the folder's next fsync."""
    with storage("keep a delivery"):
        place.joinpath(UNSETTLED).touch(mode=durable.FILE_MODE)


def _settle(place: Path) -> None:
    """Remove that mark; it need not be durable, a crash only settles again."""
    with storage("keep a delivery"):
        place.joinpath(UNSETTLED).unlink(missing_ok=True)


def _remove_but(folder: Path, names: set[str]) -> None:
    """Remove what was staged beside the parts; records will be rendered anew."""
    with storage("clear the stage"):
        for path in folder.iterdir():
            if path.name not in names:
                folders.remove(path)
