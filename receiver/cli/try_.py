"""`receiver try`: runs one delivery offline and shows what would become of it."""

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from receiver.authoring.cases.cases import (
    EXPECTED,
    SAMPLES,
    Case,
    Named,
    NotARequestError,
    captured_sections,
    delivered,
    is_part,
    named,
    processes,
)
from receiver.authoring.cases.outcome import run
from receiver.authoring.cases.verdict import Status, Verdict, prove
from receiver.cli.terminal import again_on_change, show_heading, show_outcome
from receiver.core.faults import ConfigurationError
from receiver.core.settings import Settings
from receiver.site.compiling import SCHEMAS
from receiver.site.config.site import MAPPINGS
from receiver.site.process import Process


@click.command()
@click.argument("process")
@click.argument("files", nargs=-1)
@click.option("--request", type=click.Path(exists=True, path_type=Path), help="A captured raw HTTP request.")
@click.option("--watch", is_flag=True, help="Again on every save of the process, of schemas/ and of the files.")
@click.option("--whole", is_flag=True, help="Show also lines that would fill the screen.")
def command(process: str, files: Sequence[str], request: Path | None, watch: bool, whole: bool) -> None:
    """Run one delivery through PROCESS, offline and publishing nothing.

    FILES are its parts, a captured request or a sample case.

    Shows the fields, every violation and the records. A sample case is given by its folder, or by its name alone,
    and is compared with its expected/ as well. How a file's part is told, `receiver send --help` explains. Ends with
    0 if the delivery would be published, or the case becomes what it must, and with 1 if not.
    """
    if bool(files) == bool(request):
        raise click.UsageError("give the files of one delivery, a sample case, or --request with a captured one")
    settings = Settings.from_environment()
    folder = settings.site / MAPPINGS / process
    case = _case_folder(files, folder / SAMPLES)
    attempt = partial(_attempt, settings, process, files, case, request, whole=whole)
    if not watch:
        sys.exit(0 if attempt() else 1)
    given = [case] if case else [request] if request else [named(file).path for file in files]
    others = [path for path in given if not path.resolve().is_relative_to(folder.resolve())]
    again_on_change(lambda: _report_misuse(attempt), [folder, settings.site / SCHEMAS, *others])


def _case_folder(files: Sequence[str], samples: Path) -> Path | None:
    """Return the folder of the sample case that is meant; None if files are."""
    if len(files) != 1:
        return None
    given = Path(files[0])
    return next((path for path in (given, samples / given) if path.is_dir()), None)


def _attempt(
    settings: Settings, name: str, files: Sequence[str], case: Path | None, request: Path | None, *, whole: bool
) -> bool:
    """Run and show the delivery; return whether all is well with it."""
    process = processes(settings, [name])[name]
    if case:
        proof = prove(Case(process, case), settings.max_body)
        show_outcome(proof.outcome, whole=whole)
        _show_verdict(proof.verdict)
        return proof.verdict.status is Status.OK or (proof.verdict.status is Status.NEW and not proof.outcome.problem)
    try:
        sent = captured_sections(request, settings.max_body) if request else delivered(_files(files, process))
    except NotARequestError as error:
        raise click.UsageError(str(error)) from None
    outcome = run(process, sent, datetime.now(UTC))
    show_outcome(outcome, whole=whole)
    return outcome.problem is None


def _show_verdict(verdict: Verdict) -> None:
    """Show how a sample case compares with its expected/."""
    if verdict.status is Status.OK:
        show_heading("as expected", colour="green")
    elif verdict.status is Status.NEW:
        show_heading("nothing is expected yet: receiver test --update writes this to expected/", colour="yellow")
    else:
        show_heading("not as expected", colour="red")
    for difference in verdict.differences:
        click.echo(f"  {difference}")


def _files(files: Sequence[str], process: Process) -> list[Named]:
    """Accept `samples/case/*`, too: it includes the folder expected/."""
    parts = [named(file, is_part(process)) for file in files if Path(file).name != EXPECTED]
    for part in parts:
        if not part.path.is_file():
            raise click.UsageError(f"there is no file {part.path}, and no sample case of this name")
    return parts


def _report_misuse(attempt: Callable[[], bool]) -> None:
    """Go on after what would end the verb: the next save may mend it."""
    try:
        attempt()
    except ConfigurationError as error:
        click.echo(str(error))
    except click.UsageError as error:
        click.echo(error.format_message())
