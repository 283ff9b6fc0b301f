"""`receiver new`: drafts a process out of what the platform sends."""

from collections.abc import Sequence
from pathlib import Path

import click

from receiver.authoring.draft.draft import TEMPLATES, Draft, draft, save
from receiver.authoring.draft.reading import Reading
from receiver.authoring.draft.rows import DraftedTable
from receiver.authoring.draft.sources import UnusableError
from receiver.authoring.draft.wanted import Wanted, WrongOptionError
from receiver.core.settings import Settings
from receiver.metadata import json, xml
from receiver.site.config.site import MAPPINGS, NAME
from receiver.templates.templates import DELIMITERS

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("process")
@click.option("--from", "first", type=FILE, required=True, multiple=True, metavar="FILE...", help="What was sent.")
@click.argument("more", nargs=-1, type=FILE, metavar="")
@click.option("--format", "form", type=click.Choice(list(TEMPLATES)), default="json", show_default=True)
@click.option("--delimiter", type=click.Choice(list(DELIMITERS)), help="What stands between the cells of CSV.")
@click.option("--fields", metavar="PATH", help="Where the fields stand in the metadata: JMESPath, or XPath.")
@click.option("--name", metavar="PATH", help="A field's name, seen from the field.")
@click.option("--value", metavar="PATH", help="A field's value, seen from the field.")
@click.option("--confidence", metavar="PATH", help='A field\'s confidence, seen from the field; "none": none is sent.')
@click.option("--source-id", metavar="PATH", help="The document's own id.")
def command(
    process: str,
    first: Sequence[Path],
    more: Sequence[Path],
    form: str,
    delimiter: str | None,
    **paths: str | None,
) -> None:
    """Draft PROCESS from samples.

    Those are metadata files (.json, .xml), captured raw requests, and documents beside them.

    Finds the fields, the tables and the document's id in metadata of any shape, tells where, and writes process.toml,
    schemas, a template that prints every field, and the samples with what they become. The more samples, the better
    it knows what is optional and what form a value has. What the samples have and the template does not print is
    listed: nested values, rows of tables, what stands beside the fields. A token in a captured request is left out.

    Ends with 0 if the process is drafted, 1 if the samples are of no use, 2 if it was called wrongly.
    """
    settings = Settings.from_environment()
    _refuse(process, settings.site)
    if delimiter and form != "csv":
        raise click.UsageError("--delimiter is for --format csv")
    try:
        cut = DELIMITERS[delimiter or ","]
        drafted = draft(process, [*first, *more], form, settings, Wanted(**paths), cut)
        written = save(drafted, settings.site)
    except WrongOptionError as error:
        raise click.BadParameter(str(error), param_hint=error.option) from None
    except UnusableError as error:
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
    _show_reading(drafted.reading)
    for table in drafted.tables:
        where = f"{table.rows} within each row of {table.within}" if table.within else table.rows
        click.echo(f"Table {table.name}: {table.count} rows of {len(table.seen)} columns at {where}")
    for name in written:
        click.echo(f"  {name}")
    in_tables = [path for path in drafted.left_out if any(_lies_in(table, path) for table in drafted.tables)]
    others = [path for path in drafted.left_out if path not in in_tables]
    _list("Left out, for it is neither a field nor said of one:", others)
    _list("Left out of the template, but in tables, for which process.toml has the loops:", in_tables)
    for reason in drafted.refused:
        click.secho(f"not published: {reason}", fg="yellow")
    click.echo(f"Next: receiver check {process}, receiver test {process}, and read {MAPPINGS}/{process}/process.toml")


def _lies_in(table: DraftedTable, path: str) -> bool:
    """Return whether a path leads into the rows of a table, in JMESPath or XPath."""
    return not table.within and path.startswith((f"{table.rows.removesuffix('[]')}[].", f"{table.rows}/"))


def _list(heading: str, paths: Sequence[str]) -> None:
    if paths:
        click.secho(heading, fg="yellow")
    for path in paths:
        click.echo(f"  {path}")


def _show_reading(reading: Reading) -> None:
    """Print what was found, in the words of process.toml."""
    shape = f"as {reading.known} has it" if reading.known else "of a shape of its own"
    count = len(reading.fields)
    click.echo(f"Metadata {shape}: {count} fields at {reading.each}, the document's id at {reading.source_id}")
    click.echo(f"  name        {reading.name}")  # no name itself: where the guess is wrong, it is a patient's value
    click.echo(f"  value       {reading.value}")
    sure = reading.confidence and reading.confidence not in (json.NO_CONFIDENCE, xml.NO_CONFIDENCE)
    click.echo(f"  confidence  {f'{reading.confidence}, 0 to {reading.scale}' if sure else 'none'}")
    if reading.place:
        click.echo(f"  on page     {reading.place[0]}, at {reading.place[1]}")
    if reading.single:
        click.secho(
            "Each single value became a field of its own, for no list of names with values is seen.", fg="yellow"
        )
    if reading.single or not reading.known:
        click.echo("If that is not so, say where they stand: --fields, --name, --value, --confidence, --source-id PATH")
