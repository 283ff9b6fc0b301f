"""The list of deliveries, by filters and by what people know of one."""

from datetime import UTC, datetime
from typing import Any

from flask import render_template, request

from receiver.core.delivery import Status
from receiver.store.entry import DamagedRow
from receiver.web.console import showing
from receiver.web.console.pages import pages, service

PAGE = 100  # deliveries on one page of the list


@pages.get("/deliveries")
def deliveries() -> str:
    """List deliveries by filters that stand in the URL: never a value."""
    filters = {name: request.args.get(name, "") for name in ("process", "status", "before")}
    return _list(filters, "")


@pages.post("/deliveries")
def search() -> str:
    """List the deliveries of one sourceId: by POST, so that it stands in no URL and no log."""
    return _list({"process": "", "status": "", "before": ""}, request.form.get("source_id", "").strip())


def _list(filters: dict[str, str], source_id: str) -> str:
    context = service().context
    wanted: dict[str, Any] = {
        "process": filters["process"] or None,
        "status": Status(filters["status"]) if filters["status"] in set(Status) else None,
        "source_id": source_id or None,
        "until": _moment(filters["before"]),
    }
    found = [each for each in context.ledger.search(**wanted, limit=PAGE) if not isinstance(each, DamagedRow)]
    older = showing.moment(found[-1].received_at) if len(found) == PAGE else ""
    return render_template(
        "deliveries.html",
        entries=found,
        filters=filters,
        source_id=source_id,
        older=older,
        processes=sorted(context.processes),
        statuses=list(Status),
    )


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
