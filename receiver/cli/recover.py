"""`receiver recover`: finishes what a crash left behind."""

import sys
from datetime import UTC, datetime

import click

from receiver.cli.deliveries import open_context, report_away
from receiver.cli.terminal import shown
from receiver.core.settings import Settings
from receiver.delivery.context import Context
from receiver.store import journal
from receiver.store.entry import Entry
from receiver.store.recover import Report, complete


@click.command()
@click.option("--after-restore", is_flag=True, help="First complete a restored ledger by the journals of the outputs.")
def command(after_restore: bool) -> None:
    """Publish what was accepted and not yet published; sweep what a crash left.

    Every start of the service does the same. Safe beside the running service, and as often as you like. Ends with
    1 where something could not be finished; it is tried again next time.

    With --after-restore, before the service is started on a ledger from a backup: what was published since then is
    known again, so that the platform may send all of it again, and none of it is published twice.
    """
    context = open_context(Settings.from_environment())
    whole = not after_restore or _completed(context)
    report = context.recover()
    _show(report)
    sys.exit(1 if report_away(context) or report.failed or not whole else 0)


def _completed(context: Context) -> bool:
    """Complete the ledger, and show how; False if a duplicate is still possible."""
    latest = next((entry for entry in context.ledger.search(limit=1) if isinstance(entry, Entry)), None)
    outputs = {each.output for each in context.processes.values()}
    further = {folder for each in context.processes.values() for folder in each.further if journal.is_kept(folder)}
    done = complete(context.ledger, outputs | further, datetime.now(UTC))
    for id_, reason in done.failed.items():
        click.echo(f"{id_}  {click.style('failed', fg='red')}  {reason}")
    for output in sorted(done.without):
        click.echo(f"{output}  has no journal ([output] journal): what was taken from it since is not known", err=True)
    since = f"what came until {shown(latest.received_at)}" if latest else "nothing"
    click.secho(f"the ledger knew {since}; {len(done.added)} published since were added", bold=True)
    click.echo("have the platform send again what it sent since then")
    return not done.failed and not done.without


def _show(report: Report) -> None:
    for id_ in report.finished:
        click.echo(f"{id_}  {click.style('published', fg='green')}")
    for id_, problem in report.failed.items():
        click.echo(f"{id_}  {click.style('failed', fg='red')}  {problem.code}: {problem.detail}")
    done = (
        f"{len(report.finished)} published, {report.swept} leftovers swept, {report.quarantined} in quarantine settled"
    )
    click.secho(f"{done}, {len(report.failed)} failed", bold=True)
