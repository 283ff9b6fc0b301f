"""Publishes again the file of a batch that downstream has lost: the very same, out of its deliveries' originals."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace

from receiver.core.batches import Batch, BatchStatus
from receiver.core.delivery import Record
from receiver.core.problems import Code, Problem
from receiver.delivery import batches
from receiver.delivery.context import Context
from receiver.operations.republish import Republished, lies_there, render_again
from receiver.site.process import Process
from receiver.store import batches as publication
from receiver.store.durable import storage

OTHER = (
    "Today's configuration makes another file of it than was published, or of one of its records. "
    "Put the former configuration back for as long as this takes."
)


def republish_batch(context: Context, batch: Batch, *, dry_run: bool = False) -> Republished:
    """Publish again the file of a published batch. Raises Problem if that cannot be the same file."""
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
            publication.again(context.ledger, staged, batch, replace(batch.file, staged=made.name), folder, group)
    return Republished(1, 0)


def _records(context: Context, process: Process, batch: Batch) -> Iterator[Record]:
    """Yield the records of a batch, made anew in their order. Raises Problem if one would be another."""
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
