"""`receiver recover`: finishes what a crash left behind."""

import sys

import click

from receiver.cli.deliveries import open_context, report_away
from receiver.core.settings import Settings
from receiver.store.recover import Report


@click.command()
def command() -> None:
    """Publish what was accepted and not yet published, and sweep what a crash left behind.

    Every start of the service does the same. Safe beside the running service, and as often as you like. Ends with
    1 where something could not be finished; it is tried again next time.
    """
    context = open_context(Settings.from_environment())
    report = context.recover()
    _show(report)
    sys.exit(1 if report_away(context) or report.failed else 0)


def _show(report: Report) -> None:
    for id_ in report.finished:
        click.echo(f"{id_}  {click.style('published', fg='green')}")
    for id_, problem in report.failed.items():
        click.echo(f"{id_}  {click.style('failed', fg='red')}  {problem.code}: {problem.detail}")
    done = (
        f"{len(report.finished)} published, {report.swept} leftovers swept, {report.quarantined} in quarantine settled"
    )
    click.secho(f"{done}, {len(report.failed)} failed", bold=True)
