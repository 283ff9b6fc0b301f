"""`receiver try`: runs one delivery offline and shows what would become of it."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

import click

from receiver import intake
from receiver.cli import captured
from receiver.cli.files import named
from receiver.cli.showing import show_fields, show_parts, show_problem, show_records
from receiver.compiling import proven
from receiver.delivery import Delivery, Incoming, delivery_id
from receiver.parts import collect
from receiver.problems import Problem
from receiver.process import Process
from receiver.rendering import render
from receiver.settings import Settings
from receiver.store.stage import Stage


@click.command()
@click.argument("process")
@click.argument("files", nargs=-1)
@click.option("--request", type=click.Path(exists=True, path_type=Path), help="A captured raw HTTP request.")
def command(process: str, files: Sequence[str], request: Path | None) -> None:
    """Run one delivery of FILES, or of a captured request, through PROCESS: offline, publishing nothing.

    Shows the fields, every violation and the records. Ends with 0 where it would be published, 1 where not. How a
    file's part is told, `receiver send --help` explains.
    """
    if bool(files) == bool(request):
        raise click.UsageError("give the files of one delivery, or --request with a captured one")
    settings = Settings.from_environment()
    processes = proven(settings, os.environ, only=process)
    if process not in processes:
        raise click.UsageError(f"no such process: {process}")
    compiled = processes[process]
    incoming = captured.sections(request, settings.max_body) if request else _sections(files, compiled)
    sys.exit(0 if run(compiled, incoming) else 1)


def run(process: Process, incoming: Iterable[Incoming]) -> bool:
    """Show what would become of one delivery; tell whether it would be published."""
    with tempfile.TemporaryDirectory() as folder, Stage(Path(folder)).open() as staged:
        try:
            collected = collect(process.config.parts, process.config.delivery.unknown_parts, incoming, staged)
            show_parts(collected.parts)
            reading = intake.read(process, collected)
            show_fields(reading)
            intake.judge_confidence(process, reading)
            id_ = delivery_id(process.name, reading.source_id, collected.parts)
            delivery = Delivery(id_, process.name, reading.source_id, datetime.now(UTC), 1)
            show_records(render(process, delivery, reading, collected.parts))
        except Problem as problem:
            show_problem(problem)
            return False
    return True


def _sections(files: Sequence[str], process: Process) -> Iterator[Incoming]:
    for file in files:
        part = named(file, _is_part(process))
        yield Incoming(part.section, part.path)


def _is_part(process: Process) -> Callable[[str], bool]:
    return lambda name: any(fnmatchcase(name, rule.name) for rule in process.config.parts)
