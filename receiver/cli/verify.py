"""`receiver verify`: what the ledger tells against what lies on disk."""

import sys
from datetime import datetime

import click

from receiver.cli.finding import entries, open_ledger
from receiver.cli.times import moment
from receiver.keeping.verifying import verify
from receiver.settings import Settings


@click.command()
@click.option("--process", metavar="PROCESS", help="Of this process.")
@click.option("--since", type=moment, metavar="TIME", help="Received since 2026-03-01, 2026-03-01T14:30 (UTC) or 2h.")
def command(process: str | None, since: datetime | None) -> None:
    """Prove by digest that published files, originals and quarantine are what the ledger tells.

    A published file that is gone was taken by the importing system; one that differs is a finding. Reads every
    file once, beside the running service. Ends with 1 where something does not agree.
    """
    settings = Settings.from_environment()
    ledger = open_ledger(settings)
    tally = verify(ledger, settings.data, entries(ledger, process=process, since=since))
    for finding in tally.findings:
        click.echo(f"{finding.id}  {finding.what}")
    told = f"{tally.deliveries} deliveries: {tally.agree} files agree, {tally.taken} were taken away"
    click.secho(f"{told}, {len(tally.findings)} findings", fg="red" if tally.findings else "green")
    sys.exit(1 if tally.findings else 0)
