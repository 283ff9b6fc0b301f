"""What the pages show of deliveries, as plain values for the templates."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import render_template

from receiver import documents
from receiver.authoring.cases.outcome import Outcome, run
from receiver.core.delivery import Part, Reading, Role
from receiver.core.problems import Problem
from receiver.delivery.context import Context
from receiver.operations import replay
from receiver.site.process import Process
from receiver.store.entry import Entry
from receiver.store.kept import Kept
from receiver.store.ledger import Ledger

HOURS = 24  # shown of each process
LONGEST = 200_000  # characters of a record that are shown: an embedded document would fill the page


@dataclass(frozen=True, slots=True)
class Shown:
    """One field, with what the process asks of it."""

    name: str
    value: str
    confidence: float | None  # 0–1
    minimum: float  # 0–1
    low: bool  # the platform is less sure than the process asks
    broken: tuple[str, ...]  # what its schema says of it
    single: bool  # one value, which a person may correct
    corrected: bool


@dataclass(frozen=True, slots=True)
class Document:
    """A document that can be shown."""

    label: str
    size: int  # bytes
    pages: int  # 0 if they cannot be counted


@dataclass(frozen=True, slots=True)
class Inside:
    """What is inside of a delivery: fields, documents and what it would become today."""

    fields: tuple[Shown, ...]
    documents: tuple[Document, ...]  # those that can be shown, in their order
    records: tuple[tuple[str, str], ...]  # path and text
    problem: Problem | None


def inside(context: Context, entry: Entry, corrections: Mapping[str, str] | None = None) -> Inside:
    """Return what a kept delivery says, with corrections to try. Raises Problem if it is kept no longer."""
    process, kept = replay.find(context, entry)
    tried = corrections or (kept.entry.replay.corrections if kept.entry.replay else {})
    outcome = run(
        process, replay.sections(kept), replay.first_received(entry), accept_confidence=True, corrections=tried
    )
    return Inside(
        tuple(_fields(process, outcome, outcome.reading or _peek(process, kept), tried)),
        tuple(Document(part.label, part.size, _pages(part, process.name)) for part in _shown_parts(kept)),
        tuple(records(outcome)),
        outcome.problem,
    )


def document(context: Context, entry: Entry, number: int) -> tuple[Kept, Part]:
    """Return one of the documents of a kept delivery, counted from 0. Raises Problem, or IndexError."""
    _, kept = replay.find(context, entry)
    return kept, _shown_parts(kept)[number]


def _shown_parts(kept: Kept) -> list[Part]:
    return [part for part in kept.parts if part.role is Role.DOCUMENT and part.type in documents.CONVERTIBLE]


def _pages(part: Part, process: str) -> int:
    try:
        return documents.pages(part, process)
    except Problem:
        return 0


def _peek(process: Process, kept: Kept) -> Reading | None:
    """Return the fields of a delivery that is refused for them."""
    metadata = [part for part in kept.parts if part.role is Role.METADATA]
    try:
        return process.metadata.peek(metadata[0].read(), metadata[0].charset) if len(metadata) == 1 else None
    except Problem:
        return None


def _fields(
    process: Process, outcome: Outcome, reading: Reading | None, corrections: Mapping[str, str]
) -> Iterator[Shown]:
    broken: dict[str, list[str]] = {}
    for violation in outcome.problem.violations if outcome.problem else ():
        place = violation.where.strip("/").split("/")
        if place[0] == "fields" and len(place) > 1:
            broken.setdefault(place[1], []).append(violation.message)
    rule = process.config.confidence
    fields = {**(reading.fields if reading else {}), **corrections}
    for name, value in fields.items():
        confidence = reading.confidence.get(name) if reading else None
        minimum = rule.fields.get(name, rule.minimum)
        low = name not in corrections and minimum > 0 and (confidence is None or confidence < minimum)
        single = not isinstance(value, list | Mapping)
        shown = Shown(
            name, _text(value), confidence, minimum, low, tuple(broken.pop(name, ())), single, name in corrections
        )
        yield shown
    for name in process.metadata.fields_schema.properties if process.metadata.fields_schema else ():
        if name not in fields:  # it did not come, and a person may know it
            yield Shown(name, "", None, 0, False, tuple(broken.pop(name, ())), True, False)


def _text(value: Any) -> str:
    """Return a value as a form shows it."""
    if isinstance(value, list):
        return "\n".join(map(_text, value))
    if isinstance(value, Mapping):
        return "\n".join(f"{name}: {_text(each)}" for name, each in value.items())
    return "" if value is None else str(value)


def records(outcome: Outcome) -> Iterator[tuple[str, str]]:
    """Yield path and text of each record, as far as it is shown."""
    for record in (*outcome.rendered.records, *outcome.batches) if outcome.rendered else ():
        text = record.content.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
        yield record.path, text[:LONGEST] + ("…" if len(text) > LONGEST else "")


def bars(ledger: Ledger, processes: Iterable[str], now: datetime) -> dict[str, list[int]]:
    """Return how many deliveries of each process came in each of the last hours, the oldest first. Raises Problem."""
    start = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
    hours = [f"{start + timedelta(hours=number):%Y-%m-%dT%H}" for number in range(HOURS)]
    found = ledger.hours(start)
    return {name: [found.get(name, {}).get(hour, 0) for hour in hours] for name in processes}


def moment(at: datetime | None) -> str:
    """Write a moment in ISO 8601, UTC: the browser shows it in its own way."""
    return at.astimezone(UTC).isoformat(timespec="seconds") if at else ""


def size(count: int) -> str:
    """Write a number of bytes for people."""
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB" if count >= 1e3 else f"{count} bytes"


def failure(status: int, detail: str) -> tuple[str, int]:
    """Return the page for what cannot be shown."""
    return render_template("failure.html", status=status, detail=detail), status
