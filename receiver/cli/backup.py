"""`receiver backup`: a copy of the ledger beside the running service."""

from pathlib import Path

import click

from receiver.cli.deliveries import open_ledger
from receiver.core.problems import Problem
from receiver.core.settings import Settings
from receiver.store.backup import backup


@click.command()
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
def command(target: Path) -> None:
    """Copy the ledger to the new file TARGET while the service goes on.

    The copy is as of one moment.

    Quarantine and originals are plain folders: copy them after the ledger, with whatever copies your files.
    docs/operations.md tells how to restore.
    """
    if target.exists():
        raise click.ClickException(f"{target} is there, and a backup overwrites nothing: name a new file")
    if not target.parent.is_dir():
        raise click.ClickException(f"there is no folder {target.parent}: make it, or name another")
    ledger = open_ledger(Settings.from_environment())
    if ledger.path is None:
        raise click.ClickException("the ledger is on PostgreSQL: pg_dump copies it while the service goes on")
    try:
        backup(ledger.path, target)
    except Problem as problem:
        raise click.ClickException(problem.detail) from None
    click.echo(f"{target}  {target.stat().st_size} bytes")
