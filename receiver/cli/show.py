"""`receiver show`: everything that is known of one delivery."""

import json
from collections.abc import Iterator
from pathlib import Path

import click

from receiver.cli.deliveries import find, open_ledger, to_dict, whereabouts
from receiver.cli.terminal import COLOURS, show_heading, show_table, shown
from receiver.core.batches import Batch
from receiver.core.settings import Settings
from receiver.store import quarantine
from receiver.store.entry import Entry
from receiver.store.ledger import KEPT


@click.command()
@click.argument("id_", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def command(id_: str, as_json: bool) -> None:
    """Show everything that the ledger holds of the delivery ID.

    The start of an ID is enough.

    Tells of each file that was published whether it is still there. Ends with 1 if no such delivery is known.
    """
    settings = Settings.from_environment()
    kept = open_ledger(settings)
    entry = find(kept, id_)
    batches = kept.batches.of_deliveries([entry.id]).get(entry.id, [])
    place = quarantine.folder(settings.data, entry.process, entry.id) if entry.status in KEPT else None
    if as_json:
        click.echo(json.dumps(_told(entry, place, batches), ensure_ascii=False, indent=2))
    else:
        _show(entry, place, batches)


def _told(entry: Entry, place: Path | None, batches: list[Batch]) -> dict[str, object]:
    on_disk = {output.path: whereabouts(output) for output in entry.outputs}
    return to_dict(entry) | {
        "onDisk": on_disk,
        "quarantine": str(place) if place and place.exists() else None,
        "batches": [each.id for each in batches],
    }


def _show(entry: Entry, place: Path | None, batches: list[Batch]) -> None:
    click.echo(f"{click.style(entry.id, bold=True)}  {click.style(entry.status, fg=COLOURS.get(entry.status))}")
    show_table(list(_facts(entry, place)), indent="  ")
    _section("parts", [(p.name, p.role, p.type or "-", f"{p.size} bytes", p.sha256) for p in entry.parts])
    _section(
        "published",
        [(o.kind, whereabouts(o), f"{o.size} bytes", o.sha256 or "-", o.target) for o in entry.outputs],
    )
    _section("in batches", [(each.id, each.status, each.file.target if each.file else "-") for each in batches])
    _section("violations", [(v.where, v.rule, v.message, v.schema or "") for v in entry.violations])
    kept = len(entry.attempts)
    count = str(kept) if kept == entry.attempt_count else f"{kept} of {entry.attempt_count}"
    _section(
        f"attempts ({count})", [(shown(a.at), a.outcome, a.code or "-", a.peer or "-", a.note) for a in entry.attempts]
    )


def _facts(entry: Entry, place: Path | None) -> Iterator[tuple[str, str]]:
    yield "process", entry.process
    yield "sourceId", entry.source_id or "-"
    yield "version", str(entry.version or "-")
    yield "received", f"{shown(entry.received_at)} from {entry.peer or '-'}"
    if entry.committed_at:
        yield "accepted", shown(entry.committed_at)
        yield "published", shown(entry.published_at)
    if entry.code:
        yield "code", entry.code
    yield "configuration", entry.configuration
    if place:
        yield "kept in", str(place) if place.exists() else f"{place} (which is gone)"


def _section(name: str, rows: list[tuple[str, ...]]) -> None:
    if rows:
        show_heading(name)
        show_table(rows, indent="  ")
