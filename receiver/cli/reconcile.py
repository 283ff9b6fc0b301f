"""`receiver reconcile`: the platform's list of documents against the ledger."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import click

from receiver.cli.deliveries import entries, open_ledger
from receiver.cli.terminal import moment, show_heading
from receiver.core.batches import BatchStatus
from receiver.core.settings import Settings
from receiver.operations.reconcile import UnreadableListError, source_ids
from receiver.store.ledger import ACCEPTED, Ledger


@click.command()
@click.argument("listing", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--column", metavar="NAME", help="Where the sourceIds stand.  [default: sourceId or the like]")
@click.option("--process", metavar="PROCESS", help="Only deliveries of this process count.")
@click.option("--since", type=moment, metavar="TIME", help="Extra are only those received since 2026-03-01 or 2d.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def command(listing: Path, column: str | None, process: str | None, since: datetime | None, as_json: bool) -> None:
    """Compare LISTING, the platform's list of documents, with the ledger.

    LISTING is JSON or CSV.

    Missing are those that never arrived; not published those that were held, refused or let go; in a batch those whose
    record waits in one; extra those that were published and are not in the list. Ends with 1 where any is missing.
    """
    try:
        listed = source_ids(listing.read_bytes(), column)
    except UnreadableListError as error:
        raise click.UsageError(str(error)) from None
    ledger = open_ledger(Settings.from_environment())
    compared = _compared(ledger, listed, process, since)
    if as_json:
        click.echo(json.dumps(compared, ensure_ascii=False))
    else:
        _show(compared, len(listed))
    sys.exit(1 if compared["missing"] else 0)


def _compared(
    ledger: Ledger, listed: Iterable[str], process: str | None, since: datetime | None
) -> dict[str, list[str]]:
    missing, unpublished, in_batch = [], [], []
    for source_id in listed:
        if ledger.search(source_id=source_id, process=process, limit=1) == []:
            missing.append(source_id)
            continue
        known_as = entries(ledger, source_id=source_id, process=process)
        accepted_as = [entry.id for entry in known_as if entry.status in ACCEPTED]
        if not accepted_as:
            unpublished.append(source_id)
        elif _waits(ledger, accepted_as):
            in_batch.append(source_id)
    known = set(listed)
    accepted = (entry for entry in entries(ledger, process=process, since=since) if entry.status in ACCEPTED)
    extra = dict.fromkeys(entry.source_id for entry in accepted if entry.source_id not in known)
    return {"missing": missing, "notPublished": unpublished, "inBatch": in_batch, "extra": list(extra)}


def _waits(ledger: Ledger, ids: Sequence[str]) -> bool:
    """Return whether a record of some deliveries waits in a batch."""
    found = ledger.batches.of_deliveries(ids)
    return any(batch.status is not BatchStatus.PUBLISHED for each in found.values() for batch in each)


def _show(compared: dict[str, list[str]], listed: int) -> None:
    colours = {"missing": "red", "notPublished": "yellow", "inBatch": "cyan", "extra": None}
    for name, colour in colours.items():
        if compared[name]:
            show_heading({"notPublished": "not published", "inBatch": "in a batch"}.get(name, name), colour)
            for source_id in compared[name]:
                click.echo(f"  {source_id}")
    counts = ", ".join(f"{len(compared[name])} {name}" for name in ("missing", "extra"))
    click.echo(f"{listed} listed: {counts}, {len(compared['notPublished'])} not published")
