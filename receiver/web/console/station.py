"""The queue of a process's held deliveries, worked through by keyboard."""

from datetime import UTC, datetime

from flask import abort, current_app, g, render_template, request
from markupsafe import Markup

from receiver.core.delivery import Status
from receiver.core.problems import Problem
from receiver.store.accounts import Role
from receiver.store.entry import Entry
from receiver.store.reservations import Reservations
from receiver.web.console import correcting, showing
from receiver.web.console.access import needs
from receiver.web.console.pages import accounts, entry_of, pages, service

COUNTED = 10_000  # held deliveries that are counted: some milliseconds
LOOKED_AT = 200  # held deliveries, the oldest first, of which the first free one is taken: each has some before them


@pages.get("/station/<process>")
@needs(Role.OPERATOR)
def station(process: str) -> str:
    """Show the first held delivery that nobody else has."""
    _require(process)
    waiting = service().context.ledger.count(process=process, status=Status.HELD, most=COUNTED)
    return render_template("station.html", process=process, waiting=waiting, item=_next(process))


@pages.get("/station/<process>/next")
@needs(Role.OPERATOR)
def following(process: str) -> tuple[str, int]:
    """Return the next one, for the page that has some already."""
    _require(process)
    item = _next(process)
    return (item, 200) if item else ("", 204)


@pages.post("/station/<process>/<id_>")
@needs(Role.OPERATOR)
def publish(process: str, id_: str) -> tuple[str, int]:
    """Publish a delivery by its form; a refused one comes back with its faults."""
    entry = entry_of(id_)
    if entry.process != process:
        abort(404)
    correcting.require_unchanged(entry)
    found, replayed = correcting.publish(entry, correcting.corrections(entry))
    if found.problem:
        return _item(replayed.entry if replayed else entry, found), 200
    return "", 204 if replayed else 202


def _require(process: str) -> None:
    if process not in service().context.processes:
        abort(404, "There is no such process.")


def _next(process: str) -> Markup:
    """Return the next delivery as HTML; "" if there is none.

    One that cannot be shown is passed over.
    """
    context, passed = service().context, set(request.args.getlist("not"))
    queue = context.ledger.search(process=process, status=Status.HELD, limit=LOOKED_AT, oldest_first=True)
    held = (entry for entry in queue if isinstance(entry, Entry) and entry.id not in passed)
    entries = {entry.id: entry for entry in held if not correcting.is_own_proposal(entry)}
    while entries:
        id_ = _reservations().first(entries, g.user.name, datetime.now(UTC))
        if id_ is None:
            return Markup()
        entry = entries.pop(id_)
        try:
            proposal = correcting.proposed(entry)
            preview = showing.preview(context, entry, proposal.corrections if proposal else None)
        except Problem:
            continue
        accounts().note(g.user.name, "view", entry.id, "station")
        return _item(entry, preview)
    return Markup()


def _item(entry: Entry, preview: showing.Preview) -> Markup:
    proposal = correcting.proposed(entry)
    html = render_template("item.html", entry=entry, preview=preview, proposal=proposal)
    return Markup(html)  # noqa: S704 (escaped by its template)


def _reservations() -> Reservations:
    found: Reservations = current_app.extensions["reservations"]
    return found
