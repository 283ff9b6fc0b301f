"""Shows what the sample cases leave untried."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from math import floor

import click

from receiver.authoring.cases import coverage
from receiver.authoring.cases.coverage import FieldCoverage, FileCoverage
from receiver.authoring.cases.proof import Proof
from receiver.authoring.check import shape
from receiver.core.settings import Settings
from receiver.schemas.json_library import Library
from receiver.site.compiling import SCHEMAS
from receiver.site.process import Process
from receiver.templates import Trace


def show(traces: Sequence[tuple[Process, Trace]], proofs: Sequence[Proof], settings: Settings) -> float:
    """Show what of each process was tried; return how much of all templates was, from 0 to 100."""
    files: list[FileCoverage] = []
    for process, trace in traces:
        for file in coverage.of_templates(trace):
            files.append(file)
            _show_file(file)
        outcomes = [proof.outcome for proof in proofs if proof.case.process is process]
        _show_fields(process, coverage.of_fields(process, _known_fields(process, settings), outcomes))
    total = coverage.percent(files)
    click.echo(f"{_percent(total)} of the lines and conditions of all templates were tried")
    return total


def _show_file(file: FileCoverage) -> None:
    click.echo(click.style(f"{_percent(file.percent):>4}", bold=True) + f"  {file.file}")
    if file.lines:
        click.echo(f"      never rendered: {_ranges(file.lines)}")
    for way in (True, False):
        places = [f"{place.line}:{place.column}" for place, never in file.never if never is way]
        if places:
            click.echo(f"      never {str(way).lower()}: {', '.join(places)}")


def _show_fields(process: Process, fields: FieldCoverage) -> None:
    for names, told in ((fields.unread, "no template reads"), (fields.uncarried, "no sample carries")):
        if names:
            click.echo(f"      fields of {process.name} that {told}: {', '.join(names)}")


def _known_fields(process: Process, settings: Settings) -> list[str]:
    """Return the fields that the schema of a process speaks of."""
    name, schemas = process.config.fields.schema, settings.site / SCHEMAS
    library = Library(schemas, settings.site)
    document = library.add(schemas / name) if name else None
    return list(shape.of(shape.root(document, library), library).members) if document else []


def _ranges(lines: Sequence[int]) -> str:
    return ", ".join(_span(lines))


def _span(lines: Sequence[int]) -> Iterator[str]:
    """Yield lines that follow each other together: 9-11."""
    for _, group in groupby(enumerate(lines), lambda pair: pair[1] - pair[0]):
        following = [line for _, line in group]
        yield f"{following[0]}-{following[-1]}" if len(following) > 1 else str(following[0])


def _percent(value: float) -> str:
    """Return a whole percentage, never rounded up: 100% means all of it."""
    return f"{floor(value)}%"
