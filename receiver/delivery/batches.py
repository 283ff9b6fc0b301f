"""Batches: from the records of deliveries to one file with header and trailer.

`store/batches.py` describes the states on disk and in the ledger, and what a crash at each of them means. A batch is
closed by the delivery that fills it, by housekeeping when its time is over, or by hand; whoever closes it makes its
file, and housekeeping makes what was left. Batches of one name are published in the order of their numbers.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from receiver import log
from receiver.core.batches import Addition, Batch, BatchStatus
from receiver.core.delivery import Delivery, Kind, Output, Record
from receiver.core.problems import Code, Problem
from receiver.delivery.context import Context
from receiver.site.process import BatchRule, Process
from receiver.store import batches
from receiver.store.durable import storage
from receiver.templates import Template

BY_TIME = "time"  # what the ledger says of a batch that was not filled, and that nobody closed


def additions(process: Process, delivery: Delivery, records: Iterable[Record]) -> tuple[Addition, ...]:
    """Return what a delivery adds to batches.

    So a value that a trailer cannot add up is a fault of its delivery, and never of the batch, which is accepted.

    Raises `Problem` if header, trailer or path could not be rendered with it.
    """
    gathered: dict[str, list[Record]] = {}
    for record in records:
        if record.batch:
            gathered.setdefault(record.batch, []).append(record)
    found = tuple(_addition(process.batches[name], each) for name, each in gathered.items())
    for addition in found:
        rule = process.batches[addition.batch]
        names = names_of(alone(delivery, addition), [record.exported for record in addition.records])
        for template in (rule.path, rule.header, rule.trailer):
            if template:
                template.render(names)
    return found


def _addition(rule: BatchRule, records: Sequence[Record]) -> Addition:
    """End each record's last line, and remove its byte order mark.

    Others surround it.
    """
    mark = _mark(rule)
    line_end = rule.line_end.encode(rule.encoding).removeprefix(mark)
    rows = []
    for record in records:
        row = record.content.removeprefix(mark).removesuffix(line_end) + line_end
        rows.append(Record("", row, rule.name, record.exported))
    return Addition(rule.name, rule.closing, tuple(rows))


def _mark(rule: BatchRule) -> bytes:
    """Return how a file in this encoding begins: the byte order mark of "utf-8-sig"."""
    return "".encode(rule.encoding)


def alone(delivery: Delivery, addition: Addition) -> Batch:
    """Return the batch that a delivery would make alone."""
    at, count = delivery.received_at, len(addition.records)
    return Batch(delivery.process, addition.batch, 1, BatchStatus.CLOSED, at, at, None, BY_TIME, count, addition.size)


def rendered_alone(process: Process, delivery: Delivery, found: Iterable[Addition]) -> tuple[Record, ...]:
    """Return the files of batches with this delivery alone, for samples and tries.

    Raises `Problem`.
    """
    files = []
    for addition in found:
        rule = process.batches[addition.batch]
        names = names_of(alone(delivery, addition), [record.exported for record in addition.records])
        content = b"".join(written(rule, names, [record.content for record in addition.records]))
        files.append(Record(rule.path.render(names), content))
    return tuple(files)


def names_of(batch: Batch, exported: Sequence[Mapping[str, str]]) -> dict[str, object]:
    """Return what header, trailer and path are rendered with."""
    values = {
        "name": batch.name,
        "number": batch.number,
        "opened_at": batch.opened_at,
        "closed_at": batch.closed_at,
        "count": batch.count,
    }
    return {"batch": values, "exported": list(exported)}


def written(rule: BatchRule, names: dict[str, object], records: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a batch piece by piece. Raises `Problem`."""
    mark = _mark(rule)
    yield mark
    if rule.header:
        yield _piece(rule, rule.header, names).removeprefix(mark)
    yield from records
    if rule.trailer:
        yield _piece(rule, rule.trailer, names).removeprefix(mark)


def _piece(rule: BatchRule, template: Template, names: dict[str, object]) -> bytes:
    text = template.render(names).replace("\r\n", "\n").replace("\n", rule.line_end)
    if text and not text.endswith(rule.line_end):
        text += rule.line_end
    return text.encode(rule.encoding)


def publish_closed_by(context: Context, process: Process, delivery: str) -> None:
    """Publish the batches that a delivery has closed.

    Raises Problem if the ledger fails; housekeeping goes on.
    """
    for batch in context.ledger.batches.closed_by(delivery, process.name):
        publish_next(context, batch.process, batch.name)


def publish_next(context: Context, process: str, name: str) -> None:
    """Publish the closed batches of a name in order; a failure stops later ones.

    Whoever has published one looks again, so that one that was closed meanwhile waits for nobody.
    """
    while (batch := context.ledger.batches.first(process, name)) and batch.status is not BatchStatus.OPEN:
        try:
            if batch.status is BatchStatus.CLOSED:
                _publish(context, batch)
            elif not batches.finish_one(context.ledger, batch):
                return  # its owner, or who finishes it, looks again when it has done
        except Problem as problem:
            log.batch_waits(batch, problem)
            return


def _publish(context: Context, batch: Batch) -> None:
    """Make the file of a closed batch and publish it, unless it has been done.

    Raises `Problem`.
    """
    process, rule = rule_of(context, batch)
    names = names_of(batch, context.ledger.batches.exported(batch))
    path = rule.path.render(names)
    with storage("make the file of a batch"), context.stage(process).open() as staged:
        file = staged.part()
        for piece in written(rule, names, context.ledger.batches.contents(batch)):
            file.write(piece)
        folder = rule.root or process.output
        root = f"{folder}/"
        output = Output(Kind.RECORD, file.name, context.shown(root) + path, root + path, file.size, file.sha256)
        group = process.further[folder] if rule.root else process.group
        if batches.publish(context.ledger, staged, batch, output, folder, group):
            log.batch_published(batch)


def rule_of(context: Context, batch: Batch) -> tuple[Process, BatchRule]:
    """Return the process of a batch, and how its file is made.

    Raises `Problem` if either is gone.
    """
    process = context.processes.get(batch.process)
    if process is None or batch.name not in process.batches:
        detail = "its process is gone, or has no such batch any more: its records wait until the configuration is back"
        raise Problem(Code.STORAGE_FAILED, detail)
    return process, process.batches[batch.name]


def look(context: Context, now: datetime) -> None:
    """Close the batches whose time is over, and publish what is closed.

    Raises Problem if the ledger fails.
    """
    context.ledger.batches.forget_published()
    names: dict[tuple[str, str], None] = {}
    for batch in context.ledger.batches.unpublished():
        if batch.status is BatchStatus.OPEN:
            _close_if_due(context, batch, now)
        names[batch.process, batch.name] = None
    for process_name, name in names:
        publish_next(context, process_name, name)


def _close_if_due(context: Context, batch: Batch, now: datetime) -> None:
    try:
        _, rule = rule_of(context, batch)
    except Problem as problem:
        log.batch_waits(batch, problem)
        return
    if rule.closing.is_due(batch.opened_at, now):
        context.ledger.batches.close(batch, BY_TIME)


def close(context: Context, batch: Batch, by: str) -> Batch:
    """Close a batch by hand, publish it, and return it as it is now. Raises Problem."""
    context.ledger.batches.close(batch, by)
    publish_next(context, batch.process, batch.name)
    return context.ledger.batches.find(batch.process, batch.name, batch.number) or batch
