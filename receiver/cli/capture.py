"""`receiver capture`: makes a sample case of a delivery that was kept."""

import re
import sys
from pathlib import Path

import click

from receiver.authoring.cases.capturing import laid_out, sent
from receiver.authoring.cases.cases import EXPECTED, SAMPLES, Case
from receiver.authoring.cases.proof import prove
from receiver.authoring.cases.site import processes
from receiver.authoring.cases.verdict import files, write
from receiver.authoring.scrub import CannotScrub, Scrubbed, scrub
from receiver.cli.outcome import show_outcome
from receiver.core.problems import Problem
from receiver.core.settings import Settings
from receiver.store import originals, quarantine
from receiver.store.kept import Kept

ID = re.compile(r"[A-Z2-7]{20}")
KEPT = (
    (quarantine.FOLDER, quarantine.DESCRIPTION, quarantine.load),
    (originals.FOLDER, originals.DESCRIPTION, originals.load),
)
CASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")  # a folder's name on any file system


@click.command()
@click.argument("id_", metavar="ID")
@click.option("--as", "name", metavar="CASE", required=True, help="Name of the new sample case.")
@click.option("--scrub", "scrubbing", is_flag=True, help="With invented values and blank pages.")
def command(id_: str, name: str, scrubbing: bool) -> None:
    """Make a sample case of the delivery ID, kept in quarantine or among the originals, with its expected/.

    With --scrub it holds nothing of the original: values of the same shape are invented, and judged in the same
    way. Look at the case before you share it all the same. Ends with 1 where that cannot be done.
    """
    if not CASE.fullmatch(name):
        raise click.UsageError("a case's name has letters, digits, -, _ and . and begins with a letter or digit")
    settings = Settings.from_environment()
    kept = _kept(settings.data, id_)
    process = processes(settings, [kept.entry.process])[kept.entry.process]
    case = Case(process, process.config.folder / SAMPLES / name)
    if case.folder.exists():
        raise click.UsageError(f"there is a case {name} already: {case.folder}")
    try:
        scrubbed = scrub(process, sent(kept)) if scrubbing else Scrubbed(sent(kept), ())
    except CannotScrub as error:
        click.echo(f"not captured: {error}", err=True)
        sys.exit(1)
    _write(case, scrubbed, settings.max_body)


def _kept(data: Path, id_: str) -> Kept:
    """Return a kept delivery: what is in quarantine is asked for more often."""
    for folder, description, load in KEPT:
        found = sorted((data / folder).glob(f"*/{id_}/{description}")) if ID.fullmatch(id_) else []
        if found:
            try:
                return load(data, found[0].parents[1].name, id_)
            except Problem as problem:
                raise click.ClickException(problem.detail) from None
    raise click.UsageError(f"no delivery {id_} is kept in {data} (receiver log tells the ids)")


def _write(case: Case, delivery: Scrubbed, max_body: int) -> None:
    case.folder.mkdir(parents=True)
    for name, content in laid_out(case.process, delivery.parts).items():
        (case.folder / name).write_bytes(content)
    proof = prove(case, max_body)
    write(case, files(proof.outcome))
    show_outcome(proof.outcome)
    click.secho(f"captured: {case.folder} ({EXPECTED}/ says what it becomes today)", bold=True)
    if delivery.kept:
        told = ", ".join(sorted(delivery.kept))
        click.echo(f"left as they were, for nothing else may stand there: {told}")
