"""What a delivery is to become on disk and in the ledger: an entry, with every file under its final name."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from receiver.core.delivery import Delivery, Part, Receipt, Status, delivery_id
from receiver.core.problems import PASSING, Code, Problem
from receiver.delivery.context import Context, Intake
from receiver.delivery.parts import Collected
from receiver.delivery.render import Rendered
from receiver.site.process import Process
from receiver.store import originals, quarantine
from receiver.store.entry import Entry, Kind, Output, PartLine
from receiver.store.stage import Staged


def plan(intake: Intake, delivery: Delivery, parts: Sequence[Part], rendered: Rendered) -> Entry:
    """Stage what was rendered beside the parts, and return the entry that the ledger is to commit."""
    context, process, staged = intake.context, intake.process, intake.staged
    outputs = tuple(stage_outputs(context, process, rendered, staged))
    known = {"version": delivery.version, "outputs": outputs, "output": str(process.output)}
    entry = _entry(intake, delivery.id, delivery.source_id, parts, **known, stage=str(staged.folder))
    if not process.config.retention.originals:
        return entry
    return replace(entry, outputs=(*outputs, originals.lay_out(context.settings.data, staged, entry, parts)))


def put_aside(intake: Intake, collected: Collected, source_id: str, problem: Problem) -> Receipt:
    """Keep what is not accepted in quarantine; return the receipt of what is held, raise `problem` for the rest."""
    if problem.code in PASSING or not collected.whole:
        raise problem
    context, process = intake.context, intake.process
    id_ = delivery_id(process.name, source_id, collected.parts)
    status = Status.HELD if holds(process, problem.code) else Status.REFUSED
    known = {"version": None, "status": status, "code": problem.code, "violations": problem.violations}
    entry = _entry(intake, id_, source_id, collected.parts, **known)
    receipt = quarantine.set_aside(
        context.ledger, context.settings.data, intake.staged, entry, collected.parts, problem.detail
    )
    if receipt.status is Status.REFUSED:
        problem.kept_as = id_
        raise problem
    return receipt


def holds(process: Process, code: Code) -> bool:
    """Tell whether the process keeps such a delivery for repair, rather than turn it away."""
    if code is Code.CONFIDENCE_LOW:
        return process.config.confidence.below == "hold"
    if code is Code.NO_RECORD:
        return process.config.delivery.without_records == "hold"
    return process.config.delivery.on_invalid == "hold" and code is not Code.SOURCE_ID_CONFLICT


def _entry(intake: Intake, id_: str, source_id: str, parts: Sequence[Part], **known: Any) -> Entry:
    return Entry(
        id=id_,
        process=intake.process.name,
        source_id=source_id,
        received_at=intake.arrival.at,
        peer=intake.arrival.peer,
        configuration=intake.process.digest,
        parts=tuple(map(PartLine.of, parts)),
        replay=intake.arrival.replay,
        **known,
    )


def stage_outputs(context: Context, process: Process, rendered: Rendered, staged: Staged) -> Iterator[Output]:
    """Stage what was rendered beside the parts, and yield every file with its final name."""
    root = f"{process.output}/"
    told = root.removeprefix(f"{context.settings.output.absolute()}/")  # as the receipt tells it
    for part, path in rendered.documents:
        yield Output(Kind.DOCUMENT, part.path.name, told + path, root + path, part.size, part.sha256)
    for kind, path, content in _contents(rendered):
        file = staged.add(content)
        yield Output(kind, file.name, told + path, root + path, file.size, file.sha256)


def _contents(rendered: Rendered) -> Iterator[tuple[Kind, str, bytes]]:
    for record in rendered.records:
        yield Kind.RECORD, record.path, record.content
    if rendered.marker:
        yield Kind.MARKER, rendered.marker, b""
