"""`receiver status`: how the service stands, readable in ten seconds."""

import sys
import time
from contextlib import suppress
from datetime import UTC, datetime

import click

from receiver.cli.deliveries import look_at_context, report_damaged
from receiver.cli.terminal import show_heading, show_table
from receiver.core.batches import Batch
from receiver.core.settings import Settings
from receiver.delivery.context import Context
from receiver.operations import health
from receiver.operations.health import MOST_FILES, Survey, survey
from receiver.operations.notify import alerts
from receiver.site.config import tokens

HEADING = ("PROCESS", "LAST SUCCESS", "HELD", "REFUSED", "UNPUBLISHED", "FILES IN OUTPUT")
TOKENS = ("PROCESS", "TOKEN", "SHA-256", "LAST USED")
HOSTS = ("HOST", "PROCESS", "RELEASE", "SITE", "HEARD OF")
BATCHES = ("BATCH", "STATUS", "RECORDS", "OPENED")
PAUSE = 2  # seconds between two looks, each of which takes some milliseconds
SPANS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


@click.command()
@click.option("--watch", is_flag=True, help="Again every two seconds, until Ctrl-C.")
def command(watch: bool) -> None:
    """Show whether a delivery would be taken, and what waits, and since when.

    HELD and REFUSED lie in quarantine. UNPUBLISHED is accepted and not yet in the output. FILES IN OUTPUT have not
    been taken away by the importing system, the oldest of them since. LAST USED tells to the minute which token is
    still in use; SHA-256 is the start of its digest. If several hosts share the ledger, each of their processes has a
    line; SITE is the digest of what it serves. Works beside the running service, and without it. Ends with 1
    where a delivery would not be taken.
    """
    settings = Settings.from_environment()
    ready = False
    with suppress(KeyboardInterrupt):
        while True:
            if watch:
                click.clear()
            context = look_at_context(settings)
            ready = _show(context)
            context.ledger.close()
            if not watch:
                break
            time.sleep(PAUSE)
    sys.exit(0 if ready else 1)


def _show(context: Context) -> bool:
    """Show how everything stands; tell whether a delivery would be taken."""
    checks = health.checks(context, look_only=True)
    answers = all(check.ready for check in checks if check.name == "ledger")
    if answers or (context.ledger.path and context.ledger.path.exists()):
        context.ledger.require_sound()
    ready = all(check.ready for check in checks)
    show_heading("ready for deliveries" if ready else "NOT ready for deliveries", "green" if ready else "red")
    show_table([(_mark(check.ready), check.name, check.reason) for check in checks], indent="  ")
    now = datetime.now(UTC)
    if answers:
        click.echo()
        show_table([_row(each, now) for each in survey(context)], HEADING)
        _show_hosts(context)
    _show_batches(context, now, answers=answers)
    _show_tokens(context, now)
    _show_told(context, now)
    for row in context.ledger.damaged() if answers else ():
        report_damaged(row)
    return ready


def _show_hosts(context: Context) -> None:
    """List the processes of all hosts that share the ledger.

    A site that differs has another digest.
    """
    if context.ledger.hosts:
        rows = [
            (each.host, str(each.process), each.release, each.site or "-", f"{each.silent:.0f} s ago")
            for each in context.ledger.hosts.listed()
        ]
        click.echo()
        show_table(rows, HOSTS)


def _show_batches(context: Context, now: datetime, *, answers: bool) -> None:
    """Tell what waits in batches, also of what is configured no longer."""
    waiting = context.ledger.batches.unpublished() if answers else []
    if waiting:
        click.echo()
        show_table([_batch_row(context, each, now) for each in waiting], BATCHES)


def _batch_row(context: Context, batch: Batch, now: datetime) -> tuple[str, ...]:
    process = context.processes.get(batch.process)
    configured = process is not None and batch.name in process.batches
    stands = batch.status.value if configured else f"{batch.status.value}, and configured no longer"
    return batch.id, stands, str(batch.count), f"{_ago(batch.opened_at, now)} ago"


def _show_tokens(context: Context, now: datetime) -> None:
    """Show when each token was last used; open processes have none."""
    rows = [
        (name, used.source, used.fingerprint or "-", f"{_ago(used.at, now)} ago" if used.at else "never")
        for name, process in sorted(context.processes.items())
        for used in tokens.last_used(context.settings.data, name, process.config)
    ]
    if rows:
        click.echo()
        show_table(rows, TOKENS)


def _show_told(context: Context, now: datetime) -> None:
    """Report what people were told ([notify]) and is not well again."""
    rows = [
        (name, fault, f"told {_ago(since, now)} ago")
        for name, faults in alerts.read(context.settings.data).items()
        for fault, since in faults.items()
    ]
    if rows:
        click.echo()
        show_heading("not well", "red")
        show_table(rows, indent="  ")


def _mark(ready: bool) -> str:
    return "ok" if ready else "no"


def _row(each: Survey, now: datetime) -> tuple[str, ...]:
    return (
        each.process,
        f"{_ago(each.last_success, now)} ago" if each.last_success else "-",
        str(each.held),
        str(each.refused),
        _with_age(str(each.unpublished), each.oldest_unpublished, now),
        _with_age(f"{each.waiting_files}{'+' if each.waiting_files >= MOST_FILES else ''}", each.oldest_file, now),
    )


def _with_age(count: str, oldest: datetime | None, now: datetime) -> str:
    return f"{count}, oldest {_ago(oldest, now)}" if oldest else count


def _ago(moment: datetime, now: datetime) -> str:
    """Write a span with its largest unit: 3 d, 12 min."""
    seconds = max(0, int((now - moment).total_seconds()))
    size, name = next((unit for unit in SPANS if seconds >= unit[0]), SPANS[-1])
    return f"{seconds // size} {name}"
