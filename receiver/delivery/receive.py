"""The path of a delivery: receive → read → render → commit → publish → receipt.

The web API hands in what arrives on a socket, `receiver replay` what lies in quarantine. `store/publish.py` describes
the states on disk and in the ledger, and what a crash at each of them means.
"""

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter

from receiver import log
from receiver.core.delivery import Arrival, Delivery, Part, Previous, Reading, Receipt, Role, Section, delivery_id
from receiver.core.problems import Code, Problem
from receiver.core.work import Step, timed
from receiver.delivery import batches
from receiver.delivery.context import Context, Intake
from receiver.delivery.parts import Collected, collect
from receiver.delivery.render import as_published, keep_in_quarantine, plan, render
from receiver.delivery.scan import scan
from receiver.metadata.fields import below_minimum, cells_below_minimum
from receiver.metadata.reader import NOTHING
from receiver.site.process import Process
from receiver.store import publish, quarantine
from receiver.store.durable import storage_problem
from receiver.store.entry import Entry
from receiver.store.ledger import VersionTakenError
from receiver.store.stage import Stage

_is_scanned = attrgetter("scan")


def receive(
    context: Context, process: Process, incoming: Iterable[Section], arrival: Arrival, stage: Stage | None = None
) -> Receipt:
    """Take one delivery from its first section to its receipt.

    `stage` is that of the process, if the caller has just found it.
    What the process cannot take is kept whole in quarantine before the answer says so. What could not be read
    to its end leaves nothing behind, and neither does a failure of our own: the platform sends both again.

    Raises `Problem` if it is not accepted.
    """
    receipt = None
    try:
        with (stage or context.stage(process)).open() as staged:
            receipt = _receive(Intake(context, process, arrival, staged), incoming)
    except (OSError, Problem) as error:
        problem = storage_problem("take the delivery in", error) if isinstance(error, OSError) else error
        if receipt is None:
            raise problem from None
        log.put_off(receipt.id, problem)
    return receipt


def _receive(intake: Intake, incoming: Iterable[Section]) -> Receipt:
    process = intake.process
    collected = collect(process.config.parts, process.config.delivery.unknown_parts, incoming, intake.staged)
    source_id = ""
    try:
        replay = intake.arrival.replay
        reading = read(process, collected, (replay and replay.corrections) or NOTHING)
        source_id = reading.source_id
        return _accept(intake, reading, collected.parts)
    except Problem as problem:
        return keep_in_quarantine(intake, collected, source_id or problem.source_id, problem)


@timed(Step.READ)
def read(process: Process, collected: Collected, corrections: Mapping[str, str] = NOTHING) -> Reading:
    """Return what the metadata says, but for corrections.

    Raises `Problem` for parts or metadata that are not taken.
    """
    if collected.problem:
        collected.problem.source_id = _source_id(process, collected)
        raise collected.problem
    (metadata,) = [part for part in collected.parts if part.role is Role.METADATA]
    return process.metadata.read(metadata.read(), metadata.charset, corrections)


def _source_id(process: Process, collected: Collected) -> str:
    """Return the sourceId of a delivery whose parts are refused, if it is readable.

    People search by it.
    """
    metadata = [part for part in collected.parts if part.role is Role.METADATA]
    if len(metadata) != 1:
        return ""
    try:
        return process.metadata.read(metadata[0].read(), metadata[0].charset).source_id
    except Problem as problem:
        return problem.source_id


def low_confidence(process: Process, reading: Reading) -> Problem | None:
    """Return the problem of a confidence that is too low; None if it is published."""
    rule = process.config.confidence
    if rule.below == "publish":
        return None
    known = process.metadata.known.union(rule.fields)
    measured: Mapping[str, float | None] = reading.confidence
    if rule.unknown == "low":
        measured = {**dict.fromkeys(reading.fields), **reading.confidence}
    low = below_minimum(measured, rule.minimum, rule.fields, known)
    if reading.cells:
        low += cells_below_minimum(reading.cells, rule.minimum, rule.fields, accept_unknown=rule.unknown == "accept")
    return Problem(Code.CONFIDENCE_LOW, "The platform is not sure enough of some fields.", low) if low else None


def _accept(intake: Intake, reading: Reading, parts: Sequence[Part]) -> Receipt:
    """Commit and publish a delivery once; a retry gets the first one's receipt."""
    context, process, arrival = intake.context, intake.process, intake.arrival
    id_ = delivery_id(process.name, reading.source_id, parts, process.config.delivery.identity)
    known, latest = context.ledger.before(id_, process.name, reading.source_id)
    if known:
        return publish.duplicate(context.ledger, known, arrival)
    if any(map(_is_scanned, process.config.parts)):
        scan(process, parts, intake.staged)
    how = arrival.replay
    low = None if how and how.accept_confidence else low_confidence(process, reading)
    published = as_published(process, parts, intake.staged)
    while True:
        if latest and process.config.delivery.same_source_id == "ignore":
            return publish.duplicate(context.ledger, latest, arrival)
        version, before = next_version(process, latest)
        delivery = Delivery(id_, process.name, reading.source_id, arrival.at, version, before)
        rendered = render(process, delivery, reading, published, low, accept_rules=bool(how and how.accept_rules))
        entry = plan(intake, delivery, parts, rendered, reading.fields)
        try:
            return _publish(intake, entry)
        except VersionTakenError:  # by another delivery of this sourceId: render again, as the next version
            latest = context.ledger.latest(process.name, reading.source_id)


def _publish(intake: Intake, entry: Entry) -> Receipt:
    """Commit an entry, and publish its files unless another of its id came first.

    From the commit on the answer is the receipt, whatever fails: recovery finishes what is left to be done.

    Raises `VersionTakenError`.
    """
    context = intake.context
    receipt = publish.commit(context.ledger, intake.staged, entry, intake.process.group)
    try:
        if not receipt.duplicate:
            publish.publish(context.ledger, intake.staged, entry)
            if entry.additions:
                batches.publish_closed_by(context, intake.process, entry.id)
        if receipt.again:
            quarantine.discard(context.settings.data, entry.process, entry.id)
    except Problem as problem:
        log.put_off(entry.id, problem)
    return receipt


def next_version(process: Process, latest: Entry | None) -> tuple[int, Previous | None]:
    """Return the version after the latest one of a sourceId, and that.

    Raises `Problem` if there may be only one.
    """
    before = previous(latest)
    if before is None:
        return 1, None
    if process.config.delivery.same_source_id == "refuse":
        raise Problem(Code.SOURCE_ID_CONFLICT, "This sourceId came before with other content.")
    return before.version + 1, before


def previous(entry: Entry | None) -> Previous | None:
    """Return what templates see of the version before; None if nothing was accepted."""
    if entry is None or entry.version is None:
        return None
    return Previous(entry.id, entry.version, entry.received_at)
