"""`receiver try`: runs one delivery offline and shows what would become of it."""

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from receiver.cli.showing import show_outcome
from receiver.delivery import Incoming
from receiver.process import Process
from receiver.proving import captured
from receiver.proving.cases import delivered, is_part
from receiver.proving.files import named
from receiver.proving.outcome import Outcome, run
from receiver.proving.site import processes
from receiver.settings import Settings


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
    compiled = processes(settings, [process])[process]
    outcome = _run(compiled, files, request, settings.max_body)
    show_outcome(outcome)
    sys.exit(1 if outcome.problem else 0)


def _run(process: Process, files: Sequence[str], request: Path | None, max_body: int) -> Outcome:
    try:
        sent = captured.sections(request, max_body) if request else _sections(files, process)
    except captured.NotARequest as error:
        raise click.UsageError(str(error)) from None
    return run(process, sent, datetime.now(UTC))


def _sections(files: Sequence[str], process: Process) -> Iterator[Incoming]:
    return delivered(named(file, is_part(process)) for file in files)
