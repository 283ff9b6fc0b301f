"""`receiver new`: drafts a process out of what the platform sends."""

from collections.abc import Sequence
from pathlib import Path

import click

from receiver.config.site import MAPPINGS, NAME
from receiver.drafting.draft import Draft, draft, save
from receiver.drafting.sources import Unusable
from receiver.drafting.templates import TEMPLATES
from receiver.settings import Settings

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("process")
@click.option("--from", "first", type=FILE, required=True, multiple=True, metavar="FILE...", help="What was sent.")
@click.argument("more", nargs=-1, type=FILE, metavar="")
@click.option("--format", "form", type=click.Choice(list(TEMPLATES)), default="json", show_default=True)
def command(process: str, first: Sequence[Path], more: Sequence[Path], form: str) -> None:
    """Draft PROCESS from samples: metadata files (.json, .xml), captured raw requests, and documents beside them.

    Finds the fields and the document's id in metadata of any shape, and writes process.toml, schemas, a template
    that prints every field, and the samples with what they become. The more samples, the better it knows what is
    optional and what form a value has. A token in a captured request is left out.

    Ends with 0 where the process is drafted, 1 where the samples are of no use, 2 where it was called wrongly.
    """
    settings = Settings.from_environment()
    _refuse(process, settings.site)
    try:
        drafted = draft(process, [*first, *more], form, settings)
        written = save(drafted, settings.site)
    except Unusable as error:
        raise click.ClickException(str(error)) from None
    except FileExistsError as error:
        raise click.UsageError(f"{error} is there already; remove it or choose another name") from None
    _show(process, drafted, written)


def _refuse(process: str, site: Path) -> None:
    if not NAME.fullmatch(process):
        raise click.UsageError(f'"{process}" cannot be the name of a process: a-z, 0-9, - and _, at most 64')
    if (site / MAPPINGS / process).exists():
        raise click.UsageError(f"{MAPPINGS}/{process} is there already; remove it or choose another name")
    if not (site / MAPPINGS).is_dir():
        raise click.UsageError(f"{site} is no site: it has no folder {MAPPINGS}/ (receiver init makes one)")


def _show(process: str, drafted: Draft, written: Sequence[str]) -> None:
    reading = drafted.reading
    shape = f"as {reading.known} has it" if reading.known else "of a shape of its own"
    click.echo(
        f"Metadata {shape}: {len(reading.fields)} fields at {reading.each}, the document's id at {reading.source_id}"
    )
    for name in written:
        click.echo(f"  {name}")
    for reason in drafted.refused:
        click.secho(f"not published: {reason}", fg="yellow")
    click.echo(f"Next: receiver check {process}, receiver test {process}, and read {MAPPINGS}/{process}/process.toml")
