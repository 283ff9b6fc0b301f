"""Publishes files again that downstream has lost, from the originals.

Nothing is judged anew. What today's configuration would make otherwise is refused, since downstream is to get what it
was sent before. The delivery is accepted once more, for the files that are missing, and published along the same steps:
a crash on the way is finished by recovery.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from receiver.core.batches import Batch, BatchStatus
from receiver.core.delivery import Delivery, Kind, Output, Record, Status
from receiver.core.problems import Code, Problem
from receiver.delivery import batches, receive
from receiver.delivery.context import Context
from receiver.delivery.parts import collect
from receiver.delivery.render import Rendered, as_published, groups_of, render, stage_outputs
from receiver.operations.replay import find, sections
from receiver.site.process import Process
from receiver.store import batches as publication
from receiver.store import publish
from receiver.store.durable import storage
from receiver.store.entry import Attempt, Entry
from receiver.store.kept import Kept
from receiver.store.staged import Staged

OUTCOME = "republished"
WHY_NOT = {
    Status.COMMITTED: "It is accepted and not yet published: receiver recover finishes it.",
    Status.HELD: "It was never published: receiver replay judges it anew.",
    Status.REFUSED: "It was never published: receiver replay judges it anew.",
    Status.DISCARDED: "It was never published, and is kept no longer.",
}


@dataclass(frozen=True, slots=True)
class Republished:
    """How many files were published again, or would be, and how many are still there."""

    again: int
    there: int


def republish(context: Context, entry: Entry, at: datetime, by: str, *, dry_run: bool = False) -> Republished:
    """Publish again what is missing of a published delivery.

    Raises Problem if that cannot be the same files.
    """
    if entry.status is not Status.PUBLISHED:
        raise Problem(Code.STORAGE_FAILED, WHY_NOT[entry.status])
    process, kept = find(context, entry)
    with storage("publish a delivery again"), context.stage(process).open() as staged:
        made = _made(context, process, entry, kept, staged)
        missing = [output for output in made if not lies_there(output)]
        if missing and not dry_run:
            attempt = Attempt(at, "", OUTCOME, note=f"{len(missing)} files again, by {by}")
            publish.again(
                context.ledger,
                staged,
                _reopened(process, entry, made, missing, staged),
                missing,
                attempt,
                process.group,
            )
    return Republished(len(missing), len(made) - len(missing))


def _made(context: Context, process: Process, entry: Entry, kept: Kept, staged: Staged) -> list[Output]:
    """Stage what was published, made anew.

    Raises Problem if it would be anything else.
    """
    rendered = _rendered(context, process, entry, kept, staged)
    made = list(stage_outputs(context, process, rendered, staged))
    if {_identity(output) for output in made} != {_identity(output) for output in _published(entry)}:
        detail = (
            "Today's configuration makes other files of it than were published: receiver replay --dry-run shows which. "
            "Put the former configuration back for as long as this takes."
        )
        raise Problem(Code.RECORD_INVALID, detail)
    return made


def render_again(context: Context, entry: Entry, staged: Staged) -> Rendered:
    """Render a published delivery anew, out of its originals. Raises Problem."""
    process, kept = find(context, entry)
    return _rendered(context, process, entry, kept, staged)


def _rendered(context: Context, process: Process, entry: Entry, kept: Kept, staged: Staged) -> Rendered:
    config = process.config
    collected = collect(config.parts, config.delivery.unknown_parts, sections(kept), staged)
    reading = receive.read(process, collected, kept.corrections)
    before = receive.previous(context.ledger.before_version(entry))
    delivery = Delivery(entry.id, process.name, entry.source_id, entry.received_at, entry.version or 1, before)
    return render(process, delivery, reading, as_published(process, collected.parts, staged), accept_rules=True)


def _published(entry: Entry) -> list[Output]:
    return [output for output in entry.outputs if output.kind is not Kind.ORIGINALS]


def _identity(output: Output) -> tuple[Kind, str, str]:
    return output.kind, output.target, output.sha256


def lies_there(output: Output) -> bool:
    """Return whether a file lies in the output still.

    Raises Problem if another one has its name.
    """
    with storage("look for a published file"):
        try:
            with Path(output.target).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            return False
    if digest != output.sha256:
        raise Problem(Code.NAME_TAKEN, "A file under one of its names differs from what was published: move it away.")
    return True


def _reopened(process: Process, entry: Entry, made: list[Output], missing: list[Output], staged: Staged) -> Entry:
    """Return the entry with what is missing in the stage; the rest has no file there."""
    gone = staged.free(".published").name
    outputs = [output if output in missing else output._replace(staged=gone) for output in made]
    outputs += [output._replace(staged=gone) for output in entry.of_kind(Kind.ORIGINALS)]
    return entry._replace(outputs=tuple(outputs), stage=str(staged.folder), groups=groups_of(process))


OTHER = (
    "Today's configuration makes another file of it than was published, or of one of its records. "
    "Put the former configuration back for as long as this takes."
)


def republish_batch(context: Context, batch: Batch, *, dry_run: bool = False) -> Republished:
    """Publish again the file of a published batch.

    Raises Problem if that cannot be the same file.
    """
    if batch.status is not BatchStatus.PUBLISHED or batch.file is None:
        raise Problem(Code.STORAGE_FAILED, "It was never published: receiver batch close does it.")
    if lies_there(batch.file):
        return Republished(0, 1)
    process, rule = batches.rule_of(context, batch)
    records = list(_records(context, process, batch))
    names = batches.names_of(batch, [record.exported for record in records])
    with storage("publish a batch again"), context.stage(process).open() as staged:
        made = staged.part()
        for piece in batches.written(rule, names, [record.content for record in records]):
            made.write(piece)
        if made.sha256 != batch.file.sha256:
            raise Problem(Code.RECORD_INVALID, OTHER)
        if not dry_run:
            folder = rule.root or process.output
            group = process.further[folder] if rule.root else process.group
            publication.again(context.ledger, staged, batch, batch.file._replace(staged=made.name), folder, group)
    return Republished(1, 0)


def _records(context: Context, process: Process, batch: Batch) -> Iterator[Record]:
    """Yield the records of a batch, made anew in their order.

    Raises Problem if one would be another.
    """
    rows = context.ledger.batches.deliveries(batch)
    wanted = [sha256 for _, _, sha256 in rows]
    for id_ in dict.fromkeys(id_ for id_, _, _ in rows):
        for record in _of_delivery(context, process, id_, batch.name):
            if hashlib.sha256(record.content).hexdigest() != wanted.pop(0):
                raise Problem(Code.RECORD_INVALID, OTHER)
            yield record


def _of_delivery(context: Context, process: Process, id_: str, name: str) -> tuple[Record, ...]:
    entry = context.ledger.find(id_)
    if entry is None:
        raise Problem(Code.STORAGE_FAILED, f"The ledger knows the delivery {id_} no longer, whose record is in it.")
    with context.stage(process).open() as staged:
        rendered = render_again(context, entry, staged)
    return next((each.records for each in rendered.additions if each.batch == name), ())
