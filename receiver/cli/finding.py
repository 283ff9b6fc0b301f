"""Finds deliveries in the ledger of the service, beside which these verbs work."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TypedDict, Unpack

import click

from receiver.delivery import Status
from receiver.faults import did_you_mean
from receiver.settings import Settings
from receiver.store import ledger
from receiver.store.entry import Entry

PAGE = 500  # entries read at once: some megabytes
CANDIDATES = 6  # entries told where the start of an id fits several


class Filter(TypedDict, total=False):
    """Which entries are asked for."""

    process: str | None
    status: Status | None
    source_id: str | None
    since: datetime | None


def open_ledger(settings: Settings) -> ledger.Ledger:
    """Return the ledger of the service. A missing one is not created: nothing was received there."""
    opened = ledger.Ledger(settings.ledger)
    if not opened.path.exists():
        raise click.UsageError(f"there is no ledger {opened.path}: is RECEIVER_DATA set as it is for the service?")
    return opened


def require_process(kept: ledger.Ledger, settings: Settings, name: str | None) -> None:
    """End the verb where a process of this name is neither configured nor in the ledger: an empty answer would lie."""
    configured = {path.parent.name for path in settings.site.glob("mappings/*/process.toml")}
    if name is not None and name not in configured and not kept.search(process=name, limit=1):
        hint = did_you_mean(name, configured)
        raise click.UsageError(f"there is no process {name}, and none in the ledger{hint and f': {hint}'}")


def find(kept: ledger.Ledger, start: str) -> Entry:
    """Return the entry whose id starts so; where there is none, or several, the verb ends."""
    found = kept.starting(start.upper(), CANDIDATES)
    if not found:
        raise click.ClickException(f"no delivery has an id that starts with {start}")
    if len(found) > 1 and found[0].id != start.upper():
        told = ", ".join(entry.id for entry in found)
        raise click.UsageError(f"{start} is the start of several ids: {told}")
    return found[0]


def entries(kept: ledger.Ledger, **wanted: Unpack[Filter]) -> Iterator[Entry]:
    """Yield entries, the newest first, page by page: an audit trail may be longer than memory."""
    last: datetime | None = None
    told: set[str] = set()  # of the last moment: the next page begins with it
    while page := [entry for entry in kept.search(**wanted, until=_after(last), limit=PAGE) if entry.id not in told]:
        yield from page
        before, last = last, page[-1].received_at
        told = (told if last == before else set()) | {entry.id for entry in page if entry.received_at == last}


def _after(last: datetime | None) -> datetime | None:
    return last + timedelta(microseconds=1) if last else None
