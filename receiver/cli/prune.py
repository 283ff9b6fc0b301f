"""`receiver prune`: removes what its process keeps no longer."""

import sys
from datetime import UTC, datetime

import click

from receiver.cli.deliveries import open_context, report_away
from receiver.cli.terminal import show_table
from receiver.core.settings import Settings
from receiver.operations.retention import Pruned, prune, unconfigured_processes


@click.command()
@click.option("--dry-run", is_flag=True, help="Remove nothing: tell what would be.")
def command(dry_run: bool) -> None:
    """Remove originals, quarantined deliveries and rows whose time is over.

    Each process says under [retention] how long it keeps them; what it does not say is kept. What is accepted but
    not published is never touched. The service does the same once an hour. Ends with 1 where something failed.
    """
    context = open_context(Settings.from_environment())
    done = list(prune(context, datetime.now(UTC), dry_run=dry_run))
    heading = ("PROCESS", "KIND", "WOULD GO" if dry_run else "REMOVED", "KEPT", "RULE")
    show_table([_row(each) for each in done], heading)
    for name in sorted(unconfigured_processes(context)):
        click.echo(
            f"{name}: something is kept of it, but it is configured no longer; nothing of it is removed", err=True
        )
    sys.exit(1 if report_away(context) or any(each.problem for each in done) else 0)


def _row(pruned: Pruned) -> tuple[str, ...]:
    if pruned.problem:
        return pruned.process, pruned.kind, "-", "-", f"failed: {pruned.problem.detail}"
    return pruned.process, pruned.kind, str(pruned.removed), str(pruned.kept), pruned.rule
