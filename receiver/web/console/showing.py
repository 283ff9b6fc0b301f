"""What the pages show of deliveries, as plain values for the templates."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import render_template

from receiver import documents
from receiver.authoring.cases.outcome import Outcome
from receiver.core.delivery import Part, Reading, Role, Row
from receiver.core.positions import pointed_names, pointer_to
from receiver.core.problems import Problem, Violation
from receiver.delivery.context import Context
from receiver.metadata.tables import CELL
from receiver.operations import rehearsal, replay
from receiver.schemas import words
from receiver.site.process import Process
from receiver.store.entry import Entry
from receiver.store.kept import Kept
from receiver.store.ledger import Ledger

ROWS = 200  # of a table that are shown: more would make the page slow, and nobody corrects them by hand
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
class Table:
    """A table, cell by cell; what a row does not have is None."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Shown | None, ...], ...]
    more: int  # rows that are not shown


@dataclass(frozen=True, slots=True)
class Document:
    """A document that can be shown."""

    label: str
    size: int  # bytes
    pages: int  # 0 if they cannot be counted


@dataclass(frozen=True, slots=True)
class Preview:
    """What a delivery holds: fields, documents and what it would become today."""

    fields: tuple[Shown, ...]
    documents: tuple[Document, ...]  # those that can be shown, in their order
    records: tuple[tuple[str, str], ...]  # path and text
    problem: Problem | None
    tables: tuple[Table, ...]
    corrections: Mapping[str, str]  # that are tried
    placed: bool  # whether anything may say where on a page a field stands: coordinates, or text

    @property
    def every(self) -> list[Shown]:
        """All fields and cells; a cell is named by its place: /tables/items/0/sku."""
        cells = (cell for table in self.tables for row in table.rows for cell in row if cell)
        return [*self.fields, *cells]


def preview(context: Context, entry: Entry, corrections: Mapping[str, str] | None = None) -> Preview:
    """Return what a kept delivery says with corrections, by default its own.

    Raises Problem if it is kept no longer.
    """
    process, kept = replay.find(context, entry)
    tried = kept.corrections if corrections is None else corrections
    outcome = rehearsal.judge(context, process, kept, entry, accept_confidence=True, corrections=tried)
    reading = outcome.reading or _peek(process, kept)
    return Preview(
        tuple(_fields(process, outcome, reading, tried)),
        tuple(Document(part.label, part.size, page_count(part, process.name)) for part in documents_of(kept)),
        tuple(records(outcome)),
        outcome.problem,
        tuple(_tables(process, outcome, reading, tried)),
        tried,
        process.metadata.has_places or any(map(documents.has_text, documents_of(kept))),
    )


def document(context: Context, entry: Entry, number: int) -> tuple[Kept, Part]:
    """Return one of the documents of a kept delivery, counted from 0.

    Raises Problem, or IndexError.
    """
    _, kept = replay.find(context, entry)
    return kept, documents_of(kept)[number]


def documents_of(kept: Kept) -> list[Part]:
    """Return the documents of a delivery that can be shown, in their order."""
    return [part for part in kept.parts if part.role is Role.DOCUMENT and part.type in documents.CONVERTIBLE]


def page_count(part: Part, process: str) -> int:
    """Return how many pages a document has; 0 if they cannot be counted."""
    try:
        return documents.pages(part, process)
    except Problem:
        return 0


def metadata_of(kept: Kept) -> Part | None:
    """Return the metadata of a delivery, if it has exactly one such part."""
    metadata = [part for part in kept.parts if part.role is Role.METADATA]
    return metadata[0] if len(metadata) == 1 else None


def steps(name: str) -> list[str]:
    """Return the steps to a field or cell by what it is called in a form."""
    return pointed_names(name) if name.startswith(CELL) else ["fields", name]


def values(process: Process, kept: Kept, name: str) -> list[str]:
    """Return each value that came of a field or cell, and its correction."""
    reading = _peek(process, kept)
    value: Any = {"fields": reading.fields, "tables": reading.tables} if reading else {}
    for step in steps(name):
        try:
            value = value[int(step) if isinstance(value, list) else step]
        except (LookupError, ValueError, TypeError):
            value = None
    found = value if isinstance(value, list) else [value]
    return [text for each in (*found, kept.corrections.get(name)) if (text := _text(each).strip())]


def _peek(process: Process, kept: Kept) -> Reading | None:
    """Return the fields of a delivery that is refused for them."""
    metadata = metadata_of(kept)
    with suppress(Problem):
        return process.metadata.peek(metadata.read(), metadata.charset) if metadata else None
    return None


def _fields(
    process: Process, outcome: Outcome, reading: Reading | None, corrections: Mapping[str, str]
) -> Iterator[Shown]:
    broken, absent = _broken(outcome.problem.violations if outcome.problem else ())
    rule = process.config.confidence
    own = {name: text for name, text in corrections.items() if not name.startswith(CELL)}
    fields = {**(reading.fields if reading else {}), **own}
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
            missed = [message for message in absent if words.name(name) in message]
            yield Shown(name, "", None, 0, False, (*broken.pop(name, ()), *missed), True, False)


def _broken(violations: Iterable[Violation]) -> tuple[dict[str, list[str]], list[str]]:
    """Return what is said of each field; of those that did not come, at none."""
    broken: dict[str, list[str]] = {}
    absent = []
    for violation in violations:
        place = violation.where.strip("/").split("/")
        if place[0] == "fields" and len(place) > 1:
            broken.setdefault(place[1], []).append(violation.message)
        elif place == ["fields"] and violation.rule == "required":
            absent.append(violation.message)
    return broken, absent


def _tables(
    process: Process, outcome: Outcome, reading: Reading | None, corrections: Mapping[str, str]
) -> Iterator[Table]:
    broken: dict[str, list[str]] = {}
    for violation in outcome.problem.violations if outcome.problem else ():
        broken.setdefault(f"/{violation.where}", []).append(violation.message)
    cells = {pointer_to(cell.steps): cell for cell in (reading.cells if reading else ())}
    rule = process.config.confidence

    def shown(place: str, value: Any) -> Shown:
        cell = cells.get(place)
        confidence = cell.confidence if cell else None
        minimum = rule.fields.get(cell.name, rule.minimum) if cell else 0
        low = place not in corrections and minimum > 0 and (confidence is None or confidence < minimum)
        text = corrections.get(place, _text(value))
        single = not isinstance(value, list | Mapping)
        return Shown(place, text, confidence, minimum, low, tuple(broken.get(place, ())), single, place in corrections)

    for name, rows in reading.tables.items() if reading else ():
        yield from _table(name, pointer_to(["tables", name]), rows, shown)


def _table(name: str, place: str, rows: Sequence[Row], shown: Callable[[str, Any], Shown]) -> Iterator[Table]:
    """Yield a table, and then those within its rows."""
    inner = {column for row in rows for column, value in row.items() if _is_rows(value)}
    columns = tuple(dict.fromkeys(column for row in rows for column in row if column not in inner))
    listed = tuple(
        tuple(shown(place + pointer_to([number, each]), row[each]) if each in row else None for each in columns)
        for number, row in enumerate(rows[:ROWS])
    )
    yield Table(name, columns, listed, max(len(rows) - ROWS, 0))
    for number, row in enumerate(rows[:ROWS]):
        for column in sorted(inner & set(row)):
            within = place + pointer_to([number, column])
            yield from _table(f"{name}, row {number + 1}: {column}", within, row[column], shown)


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


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
    """Return how many deliveries came to each process by hour, oldest first.

    Raises Problem.
    """
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
