"""Runs one delivery along the service's path, and keeps and publishes nothing."""

import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from receiver.core.delivery import Delivery, Part, Previous, Reading, Record, Section, delivery_id
from receiver.core.problems import PASSING, Problem
from receiver.delivery import receive
from receiver.delivery.batches import rendered_alone
from receiver.delivery.parts import collect
from receiver.delivery.render import Rendered, as_published, holds, render
from receiver.metadata.reader import NOTHING
from receiver.site.process import Process
from receiver.store.stage import Stage

FROZEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)  # when every sample case arrives, so that its records stay the same


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a delivery becomes, as far as it comes: nothing follows a problem."""

    parts: tuple[Part, ...] = ()  # as they were matched; their files are gone
    reading: Reading | None = None
    rendered: Rendered | None = None
    batches: tuple[Record, ...] = ()  # the files of batches, as this delivery alone would make them
    problem: Problem | None = None
    held: bool = False  # kept for repair, and not turned away


def run(
    process: Process,
    incoming: Iterable[Section],
    received_at: datetime = FROZEN,
    *,
    version: Callable[[str, str], tuple[int, Previous | None]] = lambda _id, _source_id: (1, None),
    accept_confidence: bool = False,
    accept_rules: bool = False,
    corrections: Mapping[str, str] = NOTHING,
) -> Outcome:
    """Run one delivery. `version` returns its version and the one before.

    Without it the delivery is the first of its sourceId. Raises `Problem`.
    """
    parts: tuple[Part, ...] = ()
    reading, whole = None, False
    with tempfile.TemporaryDirectory() as folder, Stage(Path(folder)).open() as staged:
        try:
            collected = collect(process.config.parts, process.config.delivery.unknown_parts, incoming, staged)
            parts, whole = collected.parts, collected.whole
            reading = receive.read(process, collected, corrections)
            low = None if accept_confidence else receive.low_confidence(process, reading)
            id_ = delivery_id(process.name, reading.source_id, parts, process.config.delivery.identity)
            number, before = version(id_, reading.source_id)
            delivery = Delivery(id_, process.name, reading.source_id, received_at, number, before)
            published = as_published(process, parts, staged)
            rendered = render(process, delivery, reading, published, low, accept_rules=accept_rules)
            return Outcome(parts, reading, rendered, batches=rendered_alone(process, delivery, rendered.additions))
        except Problem as problem:
            held = whole and problem.code not in PASSING and holds(process, problem)
            return Outcome(parts, reading, problem=problem, held=held)
