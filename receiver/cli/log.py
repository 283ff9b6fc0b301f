"""`receiver log`: what was received, the newest first."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import islice
from typing import Any

import click

from receiver.cli.deliveries import csv_lines as lines
from receiver.cli.deliveries import entries, open_ledger, require_process, with_batches
from receiver.cli.terminal import moment, show_table, shown
from receiver.core.delivery import Status
from receiver.core.settings import Settings
from receiver.store.accounts import Accounts, Look
from receiver.store.entry import Entry
from receiver.store.ledger import Ledger

VIEWS = ("TIME", "PERSON", "EVENT", "DELIVERY", "NOTE")
HEADING = ("TIME", "ID", "PROCESS", "SOURCEID", "VERSION", "STATUS", "CODE", "FILES")
LIMIT = 100  # lines: a few screens
LONGEST = 40  # characters shown of a sourceId: one of 256 would push the rest off the screen


@click.command()
@click.option("--process", metavar="PROCESS", help="Of this process.")
@click.option("--status", type=click.Choice([status.value for status in Status]), help="That stand like this.")
@click.option("--source-id", metavar="ID", help="With this sourceId, exactly.")
@click.option("--since", type=moment, metavar="TIME", help="Received since 2026-03-01, 2026-03-01T14:30 (UTC) or 2h.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help=f"At most so many.  [default: {LIMIT}]")
@click.option("--json", "as_json", is_flag=True, help="All that the ledger holds, one JSON object a line, no limit.")
@click.option("--views", is_flag=True, help="Who looked at what, and did what, in the console.")
@click.option("--csv", "as_csv", is_flag=True, help="All that the ledger holds, for a spreadsheet, no limit.")
def command(
    process: str | None,
    status: str | None,
    source_id: str | None,
    since: datetime | None,
    limit: int | None,
    as_json: bool,
    as_csv: bool,
    views: bool,
) -> None:
    """Show the deliveries that were received, the newest first. Times are UTC.

    FILES counts documents and records; BATCH tells where the records are that are no files of their own. Beside
    the running service this only reads. The value of a field is nowhere in what is shown.
    """
    wanted: dict[str, Any] = {"process": process, "source_id": source_id, "since": since}
    settings = Settings.from_environment()
    kept = open_ledger(settings)
    if views:
        if process or status or source_id or since or as_csv:
            raise click.UsageError("--views goes with --limit and --json only")
        _show_views(Accounts(kept.connections).looks(limit=limit or LIMIT), as_json=as_json)
        return
    require_process(kept, settings, process)
    found = entries(kept, status=Status(status) if status else None, **wanted)
    if as_json and as_csv:
        raise click.UsageError("name one of the two: --json or --csv")
    if as_json:
        for entry in islice(found, limit):
            click.echo(json.dumps(with_batches(kept, entry), ensure_ascii=False))
    elif as_csv:
        for line in lines(kept, islice(found, limit)):
            click.echo(line, nl=False)
    else:
        _show(kept, found, limit or LIMIT)


def _show_views(looks: Sequence[Look], *, as_json: bool) -> None:
    if as_json:
        for look in looks:
            click.echo(json.dumps(asdict(look), ensure_ascii=False))
    else:
        show_table(
            [(each.at, each.person or "-", each.event, each.delivery or "-", each.note) for each in looks], VIEWS
        )


def _show(kept: Ledger, found: Iterator[Entry], limit: int) -> None:
    listed = list(islice(found, limit))
    rows = [_row(entry) for entry in listed]
    if batches := kept.batches.of_deliveries([entry.id for entry in listed]):
        names = [", ".join(f"{each.name}/{each.number}" for each in batches.get(entry.id, [])) for entry in listed]
        show_table([(*row, name or "-") for row, name in zip(rows, names, strict=True)], (*HEADING, "BATCH"))
    else:
        show_table(rows, HEADING)
    if len(rows) == limit and next(found, None):
        click.echo(f"and older ones: --limit {10 * limit} shows more", err=True)


def _row(entry: Entry) -> tuple[str, ...]:
    return (
        shown(entry.received_at),
        entry.id,
        entry.process,
        _cut(entry.source_id) or "-",
        str(entry.version or "-"),
        entry.status,
        entry.code or "-",
        str(entry.file_count),
    )


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
