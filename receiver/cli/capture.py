"""`receiver capture`: makes a sample case of a delivery that was kept."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from receiver.authoring.cases.capturing import laid_out, sent
from receiver.authoring.cases.cases import EXPECTED, SAMPLES, Case, processes
from receiver.authoring.cases.verdict import files, prove, write
from receiver.authoring.scrub import Scrubbed, scrub
from receiver.authoring.scrub.inventing import CannotScrubError
from receiver.cli.terminal import show_outcome
from receiver.core.problems import Problem
from receiver.core.settings import Settings
from receiver.store import originals, quarantine
from receiver.store.kept import Kept

ID = re.compile(r"[A-Z2-7]{20}")
KEPT = (
    (quarantine.FOLDER, quarantine.DESCRIPTION, quarantine.load),
    (originals.FOLDER, originals.DESCRIPTION, originals.load),
)
UMASK = 0o027  # files 0640, folders 0750: a case may hold a patient's data
AS_ROOT = "Run this as root: the case will belong to the owner of the site"
CASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")  # a folder's name on any file system


@click.command()
@click.argument("id_", metavar="ID")
@click.option("--as", "name", metavar="CASE", required=True, help="Name of the new sample case.")
@click.option(
    "--scrub/--real",
    "scrubbing",
    default=True,
    show_default=True,
    help="With invented values and blank pages, or with a patient's own.",
)
def command(id_: str, name: str, scrubbing: bool) -> None:
    """Make a sample case of a kept delivery, with what it becomes in expected/.

    ID is that of one in quarantine or among the originals.

    It holds nothing of the original: values of the same shape are invented, and judged in the same way. Look at the
    case before you share it all the same. Ends with 1 if that cannot be done; --real then takes the delivery as it
    is, data of a patient. The files belong to the owner of the site, readable for its group alone.
    """
    if not CASE.fullmatch(name):
        raise click.UsageError("a case's name has letters, digits, -, _ and . and begins with a letter or digit")
    settings = Settings.from_environment()
    _require_readable(settings.data)
    kept = _kept(settings.data, id_)
    process = processes(settings, [kept.entry.process])[kept.entry.process]
    case = Case(process, process.config.folder / SAMPLES / name)
    if case.folder.exists():
        raise click.UsageError(f"there is a case {name} already: {case.folder}")
    _require_writable(process.config.folder)
    try:
        scrubbed = scrub(process, sent(kept)) if scrubbing else Scrubbed(sent(kept), ())
    except CannotScrubError as error:
        click.echo(f"not captured: {error} (--real takes it as it is)", err=True)
        sys.exit(1)
    with _private(case):
        _write(case, scrubbed, settings.max_body)
    if kept.corrections:
        click.echo(f"{len(kept.corrections)} of its values were corrected by a person: the case has what was sent")


def _require_readable(data: Path) -> None:
    """End the verb if kept deliveries are unreadable: an empty answer would be wrong."""
    for folder in (data, *(data / each for each, _, _ in KEPT)):
        if folder.exists() and not os.access(folder, os.R_OK | os.X_OK):
            raise click.ClickException(f"{folder} cannot be read: it belongs to {_owner(folder)}. {AS_ROOT}")


def _require_writable(folder: Path) -> None:
    """End the verb where no case can be written beside a process."""
    samples = folder / SAMPLES
    place = samples if samples.exists() else folder
    if not os.access(place, os.W_OK | os.X_OK):
        raise click.ClickException(f"no case can be written to {place}: it belongs to {_owner(place)}. {AS_ROOT}")


def _owner(path: Path) -> str:
    try:
        return path.owner()
    except KeyError:
        return f"user {path.stat().st_uid}"


@contextmanager
def _private(case: Case) -> Iterator[None]:
    """Write a case for the owner of the site, and for nobody beyond its group."""
    site = case.process.config.folder.stat()
    new = [path for path in (case.folder.parent, case.folder) if not path.exists()]
    before = os.umask(UMASK)
    try:
        yield
    finally:
        os.umask(before)
        if os.geteuid() == 0:
            for path in {*new, *case.folder.rglob("*")}:
                os.chown(path, site.st_uid, site.st_gid)


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
        names = ", ".join(sorted(delivery.kept))
        click.echo(f"left as they were, for nothing else may stand there: {names}")
