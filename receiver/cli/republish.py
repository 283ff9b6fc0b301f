"""`receiver republish`: publishes again what downstream has lost of a delivery."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import click

from receiver.cli.batch import find_batch
from receiver.cli.deliveries import find, open_context
from receiver.cli.replay import person
from receiver.core.batches import Batch
from receiver.core.problems import Problem
from receiver.core.settings import Settings
from receiver.delivery.context import Context
from receiver.operations.republish import republish, republish_batch
from receiver.store.entry import Entry


@click.command()
@click.argument("ids", metavar="ID…", nargs=-1, required=True)
@click.option("--dry-run", is_flag=True, help="Write nothing: tell how many files would be published again.")
def command(ids: Sequence[str], dry_run: bool) -> None:
    """Publish again what is missing in the output of each delivery ID.

    The start of an ID is enough.

    A batch is named as `receiver batch list` does: referrals/daily/7.

    The files are made anew of the originals ([retention] originals) and are the very same as before, or none is
    written. Documents come first, then records, then the marker, as ever. What still lies in the output stays. The
    importing system gets a set a second time by it: ask there first. Ends with 1 if a delivery could not be.
    """
    context = open_context(Settings.from_environment())
    chosen = [find_batch(context.ledger, id_) if "/" in id_ else find(context.ledger, id_) for id_ in ids]
    failed = [each for each in chosen if not _republished(context, each, dry_run=dry_run)]
    sys.exit(1 if failed else 0)


def _republished(context: Context, entry: Entry | Batch, *, dry_run: bool) -> bool:
    """Publish one delivery or batch again and show the result; False if that failed."""
    try:
        if isinstance(entry, Batch):
            done = republish_batch(context, entry, dry_run=dry_run)
        else:
            done = republish(context, entry, datetime.now(UTC), person(), dry_run=dry_run)
    except Problem as problem:
        click.echo(f"{entry.id}  {click.style('failed', fg='red')}  {problem.detail}")
        return False
    result = "would be published again" if dry_run else "published again"
    report = f"{done.again} files, {done.there} lie in the output still" if done.again else "nothing is missing"
    click.echo(f"{entry.id}  {click.style(result if done.again else 'published', fg='green')}  {report}")
    return True
