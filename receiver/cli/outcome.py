"""How a delivery is shown on a terminal: to the person whose delivery it is, so values are shown here."""

from collections.abc import Sequence

import click

from receiver.authoring.cases.outcome import Outcome
from receiver.authoring.cases.verdict import Status, Verdict
from receiver.core.delivery import Part, Reading
from receiver.core.problems import Problem
from receiver.delivery.render import Rendered

LONGEST = 500  # characters of one line of a record: an embedded document would fill the screen


def show_outcome(outcome: Outcome, *, whole: bool = False) -> None:
    """Show what would become of a delivery, as far as it comes; `whole` with lines of any length."""
    show_parts(outcome.parts)
    if outcome.reading:
        show_fields(outcome.reading)
    if outcome.rendered:
        show_records(outcome.rendered, whole=whole)
    if outcome.problem:
        show_problem(outcome.problem, held=outcome.held)


def show_parts(parts: Sequence[Part]) -> None:
    """List the parts as they were matched."""
    _heading("parts")
    _table([(part.name, part.role, part.type or "-", f"{part.size} bytes") for part in parts])


def show_fields(reading: Reading) -> None:
    """List the fields with their confidence."""
    _heading(f"fields (sourceId {reading.source_id})")
    rows = []
    for name, value in reading.fields.items():
        confidence = reading.confidence.get(name)
        rows.append((name, "" if confidence is None else f"{confidence:.2f}", repr(value)))
    _table(rows)


def show_records(rendered: Rendered, *, whole: bool) -> None:
    """Show every file that would be published: names of documents, and records."""
    _heading("documents")
    _table([(path, f"{part.size} bytes") for part, path in rendered.documents])
    for record in rendered.records:
        _heading(f"record {record.path}")
        for line in record.content.decode("utf-8", "replace").splitlines():
            shown = line if whole or len(line) <= LONGEST else f"{line[:LONGEST]}… ({len(line)} characters: --whole)"
            click.echo(f"  {shown}")
    if rendered.marker:
        _heading(f"marker {rendered.marker}")


def show_problem(problem: Problem, *, held: bool) -> None:
    """Show why a delivery is not published: every violation."""
    _heading(f"{'held' if held else 'refused'}: {problem.code}", colour="yellow" if held else "red")
    click.echo(f"  {problem.detail}")
    _table([(each.where, each.rule, each.message, each.schema or "") for each in problem.violations])


def show_verdict(verdict: Verdict) -> None:
    """Show how a sample case compares with its expected/."""
    if verdict.status is Status.OK:
        _heading("as expected", colour="green")
    elif verdict.status is Status.NEW:
        _heading("nothing is expected yet: receiver test --update writes this to expected/", colour="yellow")
    else:
        _heading("not as expected", colour="red")
    for difference in verdict.differences:
        click.echo(f"  {difference}")


def _heading(text: str, colour: str | None = None) -> None:
    click.echo(click.style(text, bold=True, fg=colour))


def _table(rows: Sequence[tuple[str, ...]]) -> None:
    if not rows:
        return
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo(("  " + "  ".join(cells)).rstrip())
