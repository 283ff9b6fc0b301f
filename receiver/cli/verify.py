"""`receiver verify`: what the ledger tells against what lies on disk."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import click

from receiver.cli.deliveries import entries, open_ledger
from receiver.cli.terminal import moment
from receiver.core.settings import Settings
from receiver.operations.verify import Finding, Unknown, nameless, unknown, verify, verify_batches
from receiver.store.ledger import Ledger

RESTORED = "what is not said to be published: docs/operations.md, Backup and restore, tells what to do with it"


@click.command()
@click.option("--process", metavar="PROCESS", help="Deliveries of this process.")
@click.option("--since", type=moment, metavar="TIME", help="Received since 2026-03-01, 2026-03-01T14:30 (UTC) or 2h.")
@click.option("--every-file", is_flag=True, help="Also files in the output that have no id in their names.")
def command(process: str | None, since: datetime | None, every_file: bool) -> None:
    """Prove by digest that published and kept files are what the ledger tells.

    A published file that is gone was taken by the importing system; one that differs is a finding, and so is one in
    the output with the id of a delivery that the ledger does not know. Reads every file once, beside the running
    service. Ends with 1 where something does not agree.
    """
    settings = Settings.from_environment()
    ledger = open_ledger(settings)
    tally = verify(ledger, settings.data, entries(ledger, process=process, since=since))
    verify_batches(ledger, process, since, tally)
    strays = list(_strays(ledger, settings, every_file))
    findings = tally.findings + [_finding(each) for each in strays]
    for finding in findings:
        click.echo(f"{finding.id}  {finding.what}")
    told = f"{tally.deliveries} deliveries: {tally.agree} files agree, {tally.taken} were taken away"
    click.secho(f"{told}, {len(findings)} findings", fg="red" if findings else "green")
    if strays:
        click.echo(RESTORED, err=True)
    sys.exit(1 if findings else 0)


def _strays(ledger: Ledger, settings: Settings, every_file: bool) -> Iterator[Unknown]:
    now = datetime.now(UTC)
    yield from unknown(ledger, settings, now)
    if every_file:
        yield from nameless(ledger, settings, entries(ledger), now)


def _finding(stray: Unknown) -> Finding:
    return Finding(
        stray.id or "-" * 20, f"{stray.path} lies in the output, and the ledger does not say that it was published"
    )
