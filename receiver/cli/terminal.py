"""The terminal: tables, moments, outcomes of deliveries, and watching files.

A delivery is shown to the person whose delivery it is, so its values are shown here.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from receiver.core import units

if TYPE_CHECKING:
    from receiver.authoring.cases.outcome import Outcome
    from receiver.core.delivery import Part, Reading, Record, Row
    from receiver.core.problems import Problem
    from receiver.delivery.render import Rendered

COLOURS: Mapping[str, str] = {
    "committed": "yellow",
    "published": "green",
    "accepted": "green",
    "held": "yellow",
    "refused": "red",
    "discarded": "magenta",
    "gone": "yellow",
    "changed": "red",
}


def show_table(rows: Sequence[Sequence[str]], heading: Sequence[str] = (), indent: str = "") -> None:
    """Print rows of the same length.

    A cell that is a status, or what became of a file, has its colour.
    """
    widths = [max(map(len, column)) for column in zip(*([heading] if heading else []), *rows, strict=True)]
    if heading:
        click.echo(indent + click.style(_line(heading, widths, [""] * len(heading)), bold=True))
    for row in rows:
        click.echo(indent + _line(row, widths, [COLOURS.get(cell, "") for cell in row]))


def show_heading(text: str, colour: str | None = None) -> None:
    """Print a line above what follows."""
    click.secho(text, bold=True, fg=colour)


def _line(cells: Sequence[str], widths: Sequence[int], colours: Sequence[str]) -> str:
    last = len(cells) - 1
    padded = [cell if place == last else cell.ljust(widths[place]) for place, cell in enumerate(cells)]
    styled = (click.style(cell, fg=colour) if colour else cell for cell, colour in zip(padded, colours, strict=True))
    return "  ".join(styled).rstrip()


LONGEST = 500  # characters of one line of a record: an embedded document would fill the screen


def show_outcome(outcome: "Outcome", *, whole: bool = False) -> None:
    """Show the outcome of a delivery; `whole` with lines of any length."""
    _show_parts(outcome.parts)
    if outcome.reading:
        _show_fields(outcome.reading)
        _show_tables(outcome.reading)
    if outcome.rendered:
        _show_records(outcome.rendered, outcome.batches, whole=whole)
    if outcome.problem:
        _show_problem(outcome.problem, held=outcome.held)


def _show_parts(parts: "Sequence[Part]") -> None:
    """List the parts as they were matched."""
    show_heading("parts")
    show_table([(part.name, part.role, part.type or "-", f"{part.size} bytes") for part in parts], indent="  ")


def _show_fields(reading: "Reading") -> None:
    """List the fields with their confidence."""
    show_heading(f"fields (sourceId {reading.source_id})")
    rows = []
    for name, value in reading.fields.items():
        confidence = reading.confidence.get(name)
        rows.append((name, "" if confidence is None else f"{confidence:.2f}", repr(value)))
    show_table(rows, indent="  ")


def _show_tables(reading: "Reading") -> None:
    """List the rows of each table by cell, with confidences; nested rows below."""
    sure = {cell.steps: cell.confidence for cell in reading.cells}
    for name, rows in reading.tables.items():
        show_heading(f"table {name} ({len(rows)} row{'' if len(rows) == 1 else 's'})")
        show_table(list(_cells(rows, ("tables", name), sure)), indent="  ")


def _cells(
    rows: "Sequence[Row]", steps: tuple[str | int, ...], sure: Mapping[Any, float | None]
) -> Iterator[tuple[str, str, str, str]]:
    for number, row in enumerate(rows):
        for name, value in row.items():
            where = (*steps, number, name)
            if where in sure:
                confidence = sure[where]
                yield (
                    "/".join(map(str, where[2:-1])),
                    name,
                    "" if confidence is None else f"{confidence:.2f}",
                    repr(value),
                )
            else:
                yield from _cells(value, where, sure)


def _show_records(rendered: "Rendered", batches: "Sequence[Record]", *, whole: bool) -> None:
    """Show every file that would be published: names of documents, and records."""
    show_heading("documents")
    show_table([(path, f"{part.size} bytes") for part, path in rendered.documents], indent="  ")
    files = [("record", each) for each in rendered.records] + [("batch of this alone", each) for each in batches]
    for kind, record in files:
        show_heading(f"{kind} {record.shown_path}")
        for line in record.content.decode("utf-8", "replace").splitlines():
            shown = line if whole or len(line) <= LONGEST else f"{line[:LONGEST]}… ({len(line)} characters: --whole)"
            click.echo(f"  {shown}")
    if rendered.marker:
        show_heading(f"marker {rendered.marker}")


def _show_problem(problem: "Problem", *, held: bool) -> None:
    """Show why a delivery is not published: every violation."""
    show_heading(f"{'held' if held else 'refused'}: {problem.code}", colour="yellow" if held else "red")
    click.echo(f"  {problem.detail}")
    show_table([(each.where, each.rule, each.message, each.schema or "") for each in problem.violations], indent="  ")


def moment(text: str) -> datetime:
    """Read an ISO date or time (UTC by default), or how long ago: 2h, 3d.

    Raises click.BadParameter.
    """
    try:
        return datetime.now(UTC) - units.duration(text)
    except (ValueError, OverflowError):
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        expected = 'write "2026-03-01", "2026-03-01T14:30", or how long ago: "2h", "3d", "6w"'
        raise click.BadParameter(expected) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def shown(moment: datetime | None) -> str:
    """Write a moment to the second: 2026-03-01 14:30:05Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ") if moment else "-"


PAUSE = 0.25  # seconds between two looks: a site has hundreds of files, and looking at them takes milliseconds

State = dict[Path, tuple[int, int]]


def again_on_change(action: Callable[[], None], roots: Iterable[Path]) -> None:
    """Do it now, and again when a file at or below `roots` changes, until Ctrl-C."""
    places = list(roots)
    try:
        while True:
            seen = _state(places)
            click.clear()
            action()
            click.secho(f"\nwatching {', '.join(map(str, places))}: again on every save, until Ctrl-C", dim=True)
            while _state(places) == seen:
                time.sleep(PAUSE)
    except KeyboardInterrupt:
        click.echo()


def _state(roots: Iterable[Path]) -> State:
    """Return time and size of each file; one that is gone in between is left out."""
    state: State = {}
    for root in roots:
        for path in [root, *root.rglob("*")] if root.is_dir() else [root]:
            try:
                status = path.stat()
            except OSError:
                continue
            state[path] = status.st_mtime_ns, status.st_size
    return state
