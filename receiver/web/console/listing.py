"""The list of deliveries, by filters and by what people know of one."""

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
FILTERS = ("process", "status", "before")


@pages.get("/deliveries")
def deliveries() -> str:
    """List deliveries by filters that stand in the URL: never a value."""
    return _list({name: request.args.get(name, "") for name in FILTERS})


@pages.post("/deliveries")
def search() -> str:
    """List what people know by a sourceId, an id or a key: by POST, so that it stands in no URL and no log."""
    context, text = service().context, request.form.get("known", "").strip()
    found = [*context.ledger.search(source_id=text, limit=PAGE), context.ledger.find(text.upper())] if text else []
    if text and g.user.role.includes(Role.OPERATOR):
        data = context.settings.data
        found += context.ledger.having([digests.digest(data, name, text) for name in _keys()], PAGE)
    accounts().note(g.user.name, "search")
    entries = {entry.id: entry for entry in found if isinstance(entry, Entry)}
    return _shown(dict.fromkeys(FILTERS, ""), list(entries.values()), text)


def _keys() -> set[str]:
    return {name for process in service().context.processes.values() for name in process.config.console.keys}


def _list(filters: dict[str, str]) -> str:
    wanted: dict[str, Any] = {
        "process": filters["process"] or None,
        "status": Status(filters["status"]) if filters["status"] in set(Status) else None,
        "until": moment_of(filters["before"]),
    }
    found = service().context.ledger.search(**wanted, limit=PAGE)
    return _shown(filters, [entry for entry in found if isinstance(entry, Entry)], "")


def _shown(filters: dict[str, str], entries: list[Entry], known: str) -> str:
    older = showing.moment(entries[-1].received_at) if len(entries) == PAGE and not known else ""
    return render_template(
        "deliveries.html",
        entries=entries,
        filters=filters,
        known=known,
        keys=sorted(_keys()),
        older=older,
        processes=sorted(service().context.processes),
        statuses=list(Status),
    )


def moment_of(text: str) -> datetime | None:
    """Return a moment of a filter; None if it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
