"""`receiver batch`: files that collect the records of many deliveries."""

import json
import sys
from datetime import datetime

import click

from receiver.cli.deliveries import open_context, open_ledger, require_process, whereabouts
from receiver.cli.replay import person
from receiver.cli.terminal import show_heading, show_table, shown
from receiver.core import units
from receiver.core.batches import Batch, BatchStatus
from receiver.core.settings import Settings
from receiver.delivery import batches
from receiver.store.ledger import Ledger

HEADING = ("OPENED", "BATCH", "STATUS", "RECORDS", "SIZE", "CLOSED", "CLOSED BY", "FILE")
LIMIT = 100  # lines: a few screens
COLOURS = {BatchStatus.OPEN: "cyan", BatchStatus.PUBLISHED: "green"}


@click.group()
def command() -> None:
    """List the batches, show what is in one, or close one by hand.

    A batch is called by its process, its name and its number: referrals/daily/7.
    """


@command.command("list")
@click.argument("process", required=False)
@click.option("--limit", type=click.IntRange(min=1), default=LIMIT, metavar="N", help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(process: str | None, limit: int, as_json: bool) -> None:
    """List the batches, of PROCESS or of all, those that were opened last first.

    An open one takes records. A closed one is about to be published; where that fails, the log says why.
    """
    settings = Settings.from_environment()
    kept = open_ledger(settings)
    require_process(kept, settings, process)
    found = kept.batches.latest(process, limit)
    if as_json:
        for batch in found:
            click.echo(json.dumps(to_dict(batch), ensure_ascii=False))
    else:
        show_table([_row(batch) for batch in found], HEADING)


@command.command()
@click.argument("batch")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def show(batch: str, as_json: bool) -> None:
    """Show BATCH, such as referrals/daily/7, and the delivery of each record."""
    kept = open_ledger(Settings.from_environment())
    found = find_batch(kept, batch)
    rows = kept.batches.deliveries(found)
    if as_json:
        records = [{"delivery": id_, "size": size, "sha256": sha256} for id_, size, sha256 in rows]
        click.echo(json.dumps(to_dict(found) | {"records": records}, ensure_ascii=False, indent=2))
        return
    show_heading(f"{found.id}  {found.status}", COLOURS.get(found.status, "yellow"))
    show_table(list(zip(HEADING, _row(found), strict=True)), indent="  ")
    if found.file:
        show_heading("file")
        place = whereabouts(found.file) if found.status is BatchStatus.PUBLISHED else found.status.value
        show_table([(place, f"{found.file.size} bytes", found.file.sha256, found.file.target)], indent="  ")
    show_heading(f"records ({len(rows)})")
    show_table([(id_, f"{size} bytes", sha256) for id_, size, sha256 in rows], indent="  ")


@command.command()
@click.argument("which", metavar="[PROCESS | PROCESS/NAME]", required=False)
def close(which: str | None) -> None:
    """Close the open batches of all processes, of one, or of one name; publish them.

    What was closed before and could not be published is tried again. Ends with 1 if something is not published.
    """
    settings = Settings.from_environment()
    context = open_context(settings)
    process, _, name = (which or "").partition("/")
    require_process(context.ledger, settings, process or None)
    chosen = [each for each in context.ledger.batches.unpublished() if _is_meant(each, process, name)]
    closed = [batches.close(context, each, person()) for each in chosen]
    if not closed:
        click.echo("no batch is open")
    show_table([_row(each) for each in closed], HEADING if closed else ())
    sys.exit(0 if all(each.status is BatchStatus.PUBLISHED for each in closed) else 1)


def _is_meant(batch: Batch, process: str, name: str) -> bool:
    return process in ("", batch.process) and name in ("", batch.name)


def find_batch(kept: Ledger, written: str) -> Batch:
    """Return the batch that is meant; if there is none, the verb ends."""
    process, name, number = (*written.split("/"), "", "")[:3]
    found = kept.batches.find(process, name, int(number)) if number.isascii() and number.isdecimal() else None
    if found is None:
        raise click.ClickException(f"there is no batch {written}: it is written PROCESS/NAME/NUMBER, as `list` does")
    return found


def _row(batch: Batch) -> tuple[str, ...]:
    return (
        shown(batch.opened_at),
        batch.id,
        batch.status,
        str(batch.count),
        f"{batch.size} bytes",
        shown(batch.closed_at),
        batch.closed_by or "-",
        batch.file.path if batch.file else "-",
    )


def to_dict(batch: Batch) -> dict[str, object]:
    """Return a batch as JSON has it."""
    return {
        "id": batch.id,
        "process": batch.process,
        "name": batch.name,
        "number": batch.number,
        "status": batch.status.value,
        "openedAt": units.stamp(batch.opened_at),
        "closedAt": _stamp(batch.closed_at),
        "publishedAt": _stamp(batch.published_at),
        "closedBy": batch.closed_by,
        "count": batch.count,
        "size": batch.size,
        "file": batch.file and {name: getattr(batch.file, name) for name in ("path", "target", "size", "sha256")},
    }


def _stamp(moment: datetime | None) -> str | None:
    return units.stamp(moment) if moment else None
