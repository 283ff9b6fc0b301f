"""`receiver init`: makes an empty site."""

from pathlib import Path

import click

from receiver.authoring.draft import draft


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def command(folder: Path) -> None:
    """Make an empty site in DIR: folders, schemas of NEXTSTEP's metadata, a README.

    DIR must not hold anything yet. Ends with 0, or with 2 if it does.
    """
    try:
        written = draft.create_site(folder)
    except FileExistsError:
        raise click.UsageError(f"{folder} holds something already") from None
    for name in written:
        click.echo(f"  {folder / name}")
    click.echo(f"Next: export RECEIVER_SITE={folder}, then receiver new PROCESS --from FILE…")
