"""The list of deliveries, by filters and by what people know of one."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from flask import g, render_template, request

from receiver.core.delivery import Status
from receiver.store import digests
from receiver.store.accounts import Role
from receiver.store.entry import Entry
from receiver.web.console import showing
from receiver.web.console.pages import accounts, pages, service

PAGE = 100  # deliveries on one page of the list
COUNTED = 1_000  # deliveries that are counted: some milliseconds; what are more, nobody goes through one by one
FILTERS = {"process": "", "status": "", "since": "received since ", "before": "received before "}


@pages.get("/deliveries")
def deliveries() -> str:
    """List deliveries by filters that stand in the URL: never a value."""
    filters = {name: request.args.get(name, "") for name in FILTERS}
    wanted = wanted_by(filters)
    filters = {name: filters[name] if value else "" for name, value in zip(FILTERS, wanted.values(), strict=True)}
    older = moment_of(request.args.get("older", ""))
    ledger = service().context.ledger
    page = wanted | {"until": min(filter(None, (wanted["until"], older)), default=None)}
    found = ledger.search(**page, limit=PAGE)
    count = ledger.count(**wanted, most=COUNTED + 1)
    return _shown(filters, [entry for entry in found if isinstance(entry, Entry)], count, older=older)


@pages.post("/deliveries")
def search() -> str:
    """Search by sourceId, id or key; by POST, so that it is in no URL and no log."""
    context, text = service().context, request.form.get("known", "").strip()
    found = [*context.ledger.search(source_id=text, limit=PAGE), context.ledger.find(text.upper())] if text else []
    if text and g.user.role.includes(Role.OPERATOR):
        data = context.settings.data
        found += context.ledger.having([digests.digest(data, name, text) for name in _keys()], PAGE)
    accounts().note(g.user.name, "search")
    entries = {entry.id: entry for entry in found if isinstance(entry, Entry)}
    return _shown(dict.fromkeys(FILTERS, ""), list(entries.values()), len(entries), known=text)


def _keys() -> set[str]:
    return {name for process in service().context.processes.values() for name in process.config.console.keys}


def wanted_by(filters: Mapping[str, str]) -> dict[str, Any]:
    """Return what the ledger is asked for by filters; impossible ones are left out."""
    return {
        "process": filters["process"] or None,
        "status": Status(filters["status"]) if filters["status"] in set(Status) else None,
        "since": moment_of(filters["since"]),
        "until": moment_of(filters["before"]),
    }


def _shown(
    filters: dict[str, str], entries: list[Entry], count: int, *, known: str = "", older: datetime | None = None
) -> str:
    given = {name: value for name, value in filters.items() if value}
    return render_template(
        "deliveries.html",
        entries=entries,
        filters=filters,
        given=given,
        chips=[(f"{FILTERS[name]}{value}", given | {name: None}) for name, value in given.items()],
        count=f"more than {COUNTED:,}" if count > COUNTED else count,
        known=known,
        keys=sorted(_keys()),
        newest=older is None,
        older=showing.moment(entries[-1].received_at) if len(entries) == PAGE and not known else "",
        processes=sorted(service().context.processes),
        statuses=list(Status),
    )


def moment_of(text: str) -> datetime | None:
    """Return a moment of a filter, in UTC; None if it is none."""
    with suppress(ValueError, OverflowError):  # the year 1 in the east is before all years in UTC
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    return None
