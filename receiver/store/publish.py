"""From the stage to the output: the steps, and what a crash at each means.

    write → seal → folders → ROW → documents → records → marker → originals → mark → clear
                             ↑ accepted

    step       on disk                                          ledger        a crash here
    write      stage/<folder>/ fills, its lock held             -             never answered; swept
    seal       every file, the folder and its parent fsynced    -             same
    folders    the output's folders exist                       -             same; an empty folder may stay
    ROW        unchanged                                        committed     accepted: recovery goes on from here
    documents  renamed to their names, their folders fsynced    committed     same
    records    the same                                         committed     same
    marker     the same                                         committed     same
    originals  the folder of parts renamed to originals/        committed     same
    mark       unchanged                                        committed     done; recovery finds nothing to publish
    clear      the stage's folder is empty                      committed     same; a later delivery may fill it
    (later)    unchanged                                        published     done

Three facts carry it. The row is written once everything is durable, so what is accepted can be published. A file
is published by rename, so one that left the stage was published, even where downstream has taken it away since;
and one that is still there was not. A step begins when the one before it is durable, so no reader ever sees a
record before its document.

On SQLite the mark is not waited for. It is written, and the claims on the names are given up, in the next transaction
of the same process, before anything else in it; where none comes, by itself a tenth of a second later. PostgreSQL
writes it at once, durably, before the answer. Until the mark is written whoever else reads the
ledger, a verb, the console or another worker, finds the delivery `committed`: a retry that comes to another worker
waits for the mark, a retry that comes to the same one writes it first. Recovery takes such a row for published, which
it was, once the owner is dead.

`committed` without one of its files in the stage is what a crash before the mark leaves, or a power cut between it and
the next durable commit: everything was published. Nothing is concluded where the whole stage is gone, or a folder of
it that was locked: then a disk is not mounted, or the folder was moved away.

A folder is used by several deliveries, one after the other, all of one process of ours (`stage.Spare`). The next one
may fill it before the mark of the one before is written, but its ROW is in the same transaction or a later one: at no
time, and after no crash and no power cut, do two rows that are `committed` rest on one folder. A crash that takes the
mark back finds no such row after it, and what else lies in the folder was never answered. Names are never given twice
in a folder: what a row tells of is its own file, or was published.

An output may have a journal (`journal.py`), to which a line is appended at `mark`: after a crash before the ledger has
that too, the journal has two lines, which say the same. It decides nothing here, and serves a ledger that was restored
from a backup.

Beside this path: `quarantine/<process>/<id>/` with a file `unsettled` in it is a delivery whose folder was moved there
and whose row (`held`, `refused`) is still to be written; without one, the row is there. An accepted delivery has
no business in quarantine: what is found there is swept.

Whoever does a step holds the lock of the stage's folder: the thread that received the delivery, a retry whose
predecessor died, or recovery. If several hosts share the disk, such a lock counts within one process alone. Between
processes the ledger decides (`postgres/hosts.py`): ROW needs the row of the incarnation, and another process goes on
once that row is gone. A process that was only stopped may then wake and go on as well; each file is moved once all the
same, for the move of its source has one winner.
"""

import contextlib
import errno
import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from operator import attrgetter
from pathlib import Path

from receiver.core.delivery import Arrival, Kind, Output, Receipt, Status
from receiver.core.problems import Code, Problem
from receiver.core.work import Step, timed
from receiver.store import durable, folders, journal, stage
from receiver.store.durable import storage, storage_problem
from receiver.store.entry import Attempt, Entry
from receiver.store.ledger import AlreadyAcceptedError, CommitUnknownError, Ledger, VersionTakenError
from receiver.store.sqlite.presence import LedgerMovedError
from receiver.store.staged import Staged

PATIENCE = 5.0  # seconds a retry waits for the attempt before it: longer than any commit, shorter than a timeout
FIRST_LOOK = 0.002  # seconds; the pause doubles up to the longest
LONGEST_LOOK = 0.05  # seconds


@timed(Step.COMMIT)
def commit(ledger: Ledger, staged: Staged, entry: Entry, group: int | None = None) -> Receipt:
    """Accept a delivery: its files durable, then its row.

    Its receipt is true once `publish` has returned.

    What is to be published belongs to `group` by then, if there is one.

    Where the same delivery was accepted before, the receipt is that one's, marked as a duplicate, and nothing is
    left to publish. Raises VersionTakenError if the version must be chosen anew, and Problem.
    """
    published = [output for output in entry.outputs if output.kind is not Kind.ORIGINALS]
    seal(staged, entry, published, group, whole=len(published) < len(entry.outputs))
    try:
        return _accept(ledger, staged, entry, ledger.commit, Attempt.of(entry.arrival, "accepted")).receipt()
    except AlreadyAcceptedError as accepted:
        return duplicate(ledger, accepted.winner, entry.arrival)


def again(
    ledger: Ledger, staged: Staged, entry: Entry, missing: Sequence[Output], attempt: Attempt, group: int | None
) -> None:
    """Publish the missing files of a published delivery, by the same steps.

    Those of its outputs that are not among `missing` have no file in the stage, as if they had left it already.

    Raises Problem.
    """
    seal(staged, entry, missing, group, whole=False)
    _accept(ledger, staged, entry, partial(ledger.reopen, missing=missing), attempt)
    publish(ledger, staged, entry)


def seal(staged: Staged, entry: Entry, published: Sequence[Output], group: int | None, *, whole: bool) -> None:
    """Make what is published, or the whole stage, and its target folders durable.

    Raises Problem.
    """
    names: set[str] = set()
    places: set[tuple[str, str]] = set()  # output folder, and the folder in it
    for output in published:
        names.add(output.staged)
        places.add((output.root, output.folder))
        if (owner := entry.groups.get(output.root) if output.root else group) is not None:
            staged.share([output.staged], owner)
    staged.seal(None if whole else names)
    for root, folder in places:
        if not os.path.isdir(folder):
            folders.make_folders(folder, root or entry.output)
        if (owner := entry.groups.get(root) if root else group) is not None:
            folders.share_folders(folder, root or entry.output, owner)


def _accept(
    ledger: Ledger, staged: Staged, entry: Entry, write: Callable[[Entry, Attempt], Entry], attempt: Attempt
) -> Entry:
    """Write the row.

    The stage is given up only where it is certain that there is none. Raises as `commit`.
    """
    staged.accepted = True
    try:
        return write(entry, attempt)
    except CommitUnknownError:
        with contextlib.suppress(Problem):
            ledger.settle(entry)
            known = ledger.find(entry.id)
            staged.accepted = ledger.uses_stage(staged.folder)
            if known and staged.accepted:
                return known
        raise
    except (AlreadyAcceptedError, VersionTakenError, Problem):
        staged.accepted = False
        raise


@timed(Step.PUBLISH)
def publish(ledger: Ledger, staged: Staged, entry: Entry) -> None:
    """Publish what `commit` has accepted.

    Raises Problem; a retry or recovery then goes on where this stopped.
    """
    for problem in release([entry]).values():
        raise problem
    staged.lying.difference_update(map(_staged, entry.outputs))
    _mark(ledger, [entry], later=True)
    staged.accepted = False  # nothing rests on the folder any more, once the mark is written


def _mark(ledger: Ledger, entries: Sequence[Entry], *, later: bool = False) -> None:
    """Note deliveries as published, in their outputs' journals and in the ledger.

    Raises Problem.
    """
    now = datetime.now(UTC)
    batched = () if later else ledger.batches.of_deliveries([entry.id for entry in entries])
    for entry in entries:
        if os.path.isdir(f"{entry.output}/{journal.FOLDER}"):  # as a rule there is none
            journal.note(entry, now, ledger.roots, batched=entry.id in batched)
    ledger.published(entries, now, later=later)


def duplicate(ledger: Ledger, winner: Entry, arrival: Arrival) -> Receipt:
    """Return the receipt of a delivery that was accepted before, as a duplicate.

    Waits until it is published, by its owner or, where that one is dead, by us. What was accepted stays so where that
    fails. Raises Problem: BUSY if the attempt before this one is still being published.
    """
    try:
        if published := _published(ledger, winner):
            ledger.attempted(winner.id, Attempt.of(arrival, "duplicate"))
            return published.receipt(duplicate=True)
        ledger.attempted(winner.id, Attempt.of(arrival, "busy", Code.BUSY))
    except LedgerMovedError:  # what lies in its place may know nothing of it
        raise
    except Problem:  # recovery tries it again, and tells
        return winner.receipt(duplicate=True)
    raise Problem(Code.BUSY, "an earlier attempt at this delivery is still being published")


def _published(ledger: Ledger, winner: Entry) -> Entry | None:
    """Return an accepted delivery once published; None if its owner takes too long.

    Raises Problem.
    """
    deadline = time.monotonic() + PATIENCE
    pause = FIRST_LOOK
    while winner.status is Status.COMMITTED:
        _, failed = finish(ledger, [winner])
        for problem in failed.values():
            raise problem
        winner = ledger.find(winner.id) or winner
        if winner.status is Status.COMMITTED:
            if time.monotonic() > deadline:
                return None
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_LOOK)
    return winner


_staged = attrgetter("staged")
IN_ORDER = tuple(Kind)  # an enumeration is slow to go through


def release(entries: Sequence[Entry]) -> dict[str, Problem]:
    """Publish accepted deliveries whose stage is locked; published ones stay.

    Many are done as fast as one: a folder is synced once per step. Returns the problem of each delivery, by its
    id, that could not be published to the end.
    """
    failed: dict[str, Problem] = {}
    due = [(entry, output) for entry in entries for output in entry.outputs]
    for kind in IN_ORDER:
        to_sync: dict[str, list[str]] = {}  # the ids of deliveries, by folder
        for entry, output in due:
            if output.kind is not kind or entry.id in failed:
                continue
            try:
                _place(entry, output)
            except Problem as problem:
                failed[entry.id] = problem
            else:
                to_sync.setdefault(output.folder, []).append(entry.id)
        for folder, ids in to_sync.items():
            try:
                durable.sync_folder(folder)
            except Problem as problem:
                if not _is_gone(folder):  # downstream may take files and folder away as they come
                    failed |= dict.fromkeys(ids, problem)
    return failed


def _is_gone(folder: str | Path) -> bool:
    """Return whether nothing is there, for certain: a disk that does not answer says nothing."""
    try:
        os.stat(folder)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        pass
    return False


def _place(entry: Entry, output: Output) -> None:
    """Move a file or folder to its final name, in a folder created if it is gone.

    Raises Problem.
    """
    source = f"{entry.stage}/{output.staged}"
    try:
        try:
            _move(source, output)
        except FileNotFoundError:
            if _lies(entry.stage, output.staged):  # else it was published
                root = os.path.dirname(output.folder) if output.kind is Kind.ORIGINALS else output.root or entry.output
                folders.make_folders(output.folder, root)
                _move(source, output)
    except OSError as error:
        raise storage_problem("publish a file", error) from None


def _lies(folder: str, name: str) -> bool:
    """Return whether a file has not left its folder of the stage.

    Raises OSError if the folder is not there: it may be away with the file in it.
    """
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.stat(name, dir_fd=opened, follow_symlinks=False)
    except FileNotFoundError:
        return False
    finally:
        os.close(opened)
    return True


def _move(source: str, output: Output) -> None:
    """Move one file or folder.

    Raises OSError, FileNotFoundError if it is not there or the folder it goes to, Problem.
    """
    try:
        durable.move_new(source, output.target)
    except FileExistsError:
        if output.kind is not Kind.ORIGINALS:  # those of an earlier life of the same delivery are the same
            detail = "a file that is not ours has taken a name of an accepted delivery: move it away"
            raise Problem(Code.STORAGE_FAILED, detail) from None
    except OSError as error:
        if error.errno != errno.EXDEV or output.kind is not Kind.ORIGINALS:
            raise
        with storage("keep the originals"):
            folders.move_across(Path(source), Path(output.target))


def finish(ledger: Ledger, entries: Sequence[Entry]) -> tuple[list[str], dict[str, Problem]]:
    """Publish accepted entries whose owner is dead.

    Raises Problem if the ledger fails.

    Returns the ids that are published now, and the problem of each that could not be.
    """
    failed: dict[str, Problem] = {}
    with ExitStack() as locks:
        ours, to_release = [], []
        if ledger.hosts:
            kept = locks.enter_context(ledger.hosts.finishing([entry.id for entry in entries]))
            entries = [entry for entry in entries if entry.id in kept]
        for entry in entries:
            try:
                there = lock_stage(ledger, entry, locks)
                if there is not None and _still_committed(ledger, entry):
                    ours.append(entry)
                    if there:
                        to_release.append(entry)
            except Problem as problem:
                failed[entry.id] = problem
        failed |= release(to_release)
        done = [entry for entry in ours if entry.id not in failed]
        if done:
            _mark(ledger, done)
        for entry in done:
            stage.discard(Path(entry.stage))
    return [entry.id for entry in done], failed


def lock_stage(ledger: Ledger, entry: Entry, locks: ExitStack) -> bool | None:
    """Lock an entry's folder in the stage; return whether it is there, None if its owner lives.

    A folder that is gone was removed by its owner after the last step. Raises Problem if the whole stage is gone.
    """
    folder = Path(entry.stage)
    root = folder.parent
    if ledger.hosts and root.name != ledger.owner:
        if ledger.hosts.lives(root.name):
            return None
        if not _is_gone(folder):
            return True
        root = root.parent  # what a lost host had of its own may be swept
    else:
        lock = stage.lock_folder(folder)
        if lock is not None:
            locks.callback(os.close, lock)
            return True
    if _is_gone(root):
        raise Problem(Code.STORAGE_FAILED, "the stage of an accepted delivery is not there: is its disk mounted?")
    return False if _is_gone(folder) else None


def _still_committed(ledger: Ledger, entry: Entry) -> bool:
    """Look again, now that nobody else can finish it."""
    now = ledger.find(entry.id)
    return now is not None and now.status is Status.COMMITTED
