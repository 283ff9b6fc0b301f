"""From an open batch to its file: the steps, and what a crash at each means.

    add → close → write → seal → COMMIT → rename → mark → clear

    step    on disk                                 batch in the ledger   a crash here
    add     unchanged                               open                  the row of the delivery and its records are
                                                                          one transaction: both are there, or neither
    close   unchanged                               closed                its records are settled; housekeeping goes on
    write   stage/<folder>/ has header, records     closed                the folder is swept; it is written again
            and trailer, its lock held
    seal    the file, its folder and parent fsynced closed                the same
    COMMIT  unchanged                               committed             recovery goes on from here
    rename  renamed to its name, its folder fsynced committed             the same: what left the stage was published
    mark    unchanged                               published             done; housekeeping removes what contents of
                                                                          records are left in the ledger
    clear   the stage's folder is empty             published             done

Several may make the file of one batch at once. One of them commits; the others find that it is not `closed` any more.
From there on it is as `publish.py` says of deliveries.
"""

from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from receiver.core.batches import Batch, BatchStatus
from receiver.core.delivery import Output
from receiver.core.problems import Code, Problem
from receiver.store import journal, stage
from receiver.store.entry import Entry
from receiver.store.ledger import CommitUnknownError, Ledger
from receiver.store.publish import lock_stage, release, seal
from receiver.store.staged import Staged


def publish(ledger: Ledger, staged: Staged, batch: Batch, file: Output, output: Path, group: int | None = None) -> bool:
    """Publish a closed batch, staged already; False if somebody else does it.

    From the commit on recovery finishes what fails.

    Raises Problem.
    """
    entry = _publication(batch, file, str(output), str(staged.folder))
    seal(staged, entry, entry.outputs, group, whole=False)
    if not _commit(ledger, staged, batch, entry, BatchStatus.CLOSED):
        return False
    _release(ledger, staged, replace(batch, file=file), entry)
    return True


def again(ledger: Ledger, staged: Staged, batch: Batch, file: Output, output: Path, group: int | None = None) -> None:
    """Publish the missing file of a published batch once more. Raises Problem."""
    entry = _publication(batch, file, str(output), str(staged.folder))
    seal(staged, entry, entry.outputs, group, whole=False)
    if not _commit(ledger, staged, batch, entry, BatchStatus.PUBLISHED):
        raise Problem(Code.BUSY, "the batch is being published by somebody else")
    _release(ledger, staged, replace(batch, file=file), entry)


def _release(ledger: Ledger, staged: Staged, batch: Batch, entry: Entry) -> None:
    """Publish what is accepted.

    Raises Problem; recovery then goes on where this stopped.
    """
    for problem in release([entry]).values():
        raise problem
    _mark(ledger, batch, entry)
    staged.accepted = False  # nothing rests on the folder any more


def _commit(ledger: Ledger, staged: Staged, batch: Batch, entry: Entry, before: BatchStatus) -> bool:
    """Accept the file.

    The stage is given up only if it is certain that the file is not accepted.
    """
    staged.accepted = True
    try:
        staged.accepted = ledger.batches.commit(batch, entry, before)
    except CommitUnknownError:
        with suppress(Problem):
            ledger.settle(entry)
            staged.accepted = ledger.uses_stage(staged.folder)
        if not staged.accepted:
            raise
    except Problem:
        staged.accepted = False
        raise
    return staged.accepted


def finish(ledger: Ledger) -> tuple[list[str], dict[str, Problem]]:
    """Publish accepted files whose owner is dead. Raises Problem if the ledger fails.

    Returns the ids of the batches that are published now, and the problem of each that could not be.
    """
    done: list[str] = []
    failed: dict[str, Problem] = {}
    for batch in ledger.batches.unpublished():
        try:
            if finish_one(ledger, batch):
                done.append(batch.id)
        except Problem as problem:
            failed[batch.id] = problem
    return done, failed


def finish_one(ledger: Ledger, batch: Batch) -> bool:
    """Publish an accepted file if its owner is dead; False if somebody else did.

    Raises Problem.
    """
    if batch.file is None:  # not accepted yet
        return False
    entry = _publication(batch, batch.file, batch.output, batch.stage)
    with ExitStack() as locks:
        if ledger.hosts and not locks.enter_context(ledger.hosts.finishing([entry.id])):
            return False
        there = lock_stage(ledger, entry, locks)
        if there is None or not _still_committed(ledger, batch):
            return False
        for problem in release([entry] if there else []).values():
            raise problem
        _mark(ledger, batch, entry)
        stage.discard(Path(entry.stage))
    return True


def _mark(ledger: Ledger, batch: Batch, entry: Entry) -> None:
    """Note that a batch is published, in the ledger and its output's journal, if any."""
    now = datetime.now(UTC)
    if journal.is_kept(entry.output):
        journal.note_batch(entry.output, batch, ledger.batches.deliveries(batch), now, ledger.roots)
    ledger.batches.published(batch, entry, now)


def _still_committed(ledger: Ledger, batch: Batch) -> bool:
    """Look again, now that nobody else can finish it."""
    now = ledger.batches.find(batch.process, batch.name, batch.number)
    return now is not None and now.status is BatchStatus.COMMITTED


def _publication(batch: Batch, file: Output, output: str, folder: str) -> Entry:
    """Return a batch as what publishes deliveries takes it."""
    return Entry(
        id=batch.id,
        process=batch.process,
        source_id="",
        version=None,
        received_at=batch.opened_at,
        peer="",
        configuration="",
        outputs=(file,),
        output=output,
        stage=folder,
    )
