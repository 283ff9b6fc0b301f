"""The pages: now, deliveries, one delivery with its actions, the audit trail."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, abort, current_app, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from receiver import documents
from receiver.core.delivery import Replay, Status
from receiver.core.problems import Problem
from receiver.delivery.context import Context
from receiver.operations import health, replay
from receiver.operations import rehearsal as rehearsals
from receiver.store import quarantine
from receiver.store.entry import Attempt, DamagedRow, Entry
from receiver.store.ledger import KEPT
from receiver.store.sqlite.accounts import Accounts, Role
from receiver.web.console import showing
from receiver.web.console.access import needs
from receiver.web.console.service import Service

PAGE = 100  # deliveries on one page of the list
MEANWHILE = "Somebody else, or the platform, was at this delivery meanwhile. Look again."
ACTIONS = {"replay": "judged anew", "release": "released", "discard": "discarded", "correct": "corrected"}


pages = Blueprint("pages", __name__)


@pages.get("/")
def now() -> str:
    """Show each process, its last hours, and what is not well."""
    context, moment = _service().context, datetime.now(UTC)
    processes = [
        asdict(each) | {"bars": showing.bars(context.ledger, each.process, moment)} for each in health.survey(context)
    ]
    wrong = [check for check in health.checks(context, look_only=True) if not check.ready]
    return render_template("now.html", processes=processes, wrong=wrong)


@pages.get("/deliveries")
def deliveries() -> str:
    """List deliveries by filters that stand in the URL: never a value."""
    filters = {name: request.args.get(name, "") for name in ("process", "status", "before")}
    return _list(filters, "")


@pages.post("/deliveries")
def search() -> str:
    """List the deliveries of one sourceId: by POST, so that it stands in no URL and no log."""
    return _list({"process": "", "status": "", "before": ""}, request.form.get("source_id", "").strip())


@pages.get("/deliveries/<id_>")
def delivery(id_: str) -> str:
    """Show one delivery: the trail to everybody, what it says to operators."""
    entry = _entry(id_)
    inside, missing = None, ""
    if g.user.role.includes(Role.OPERATOR):
        try:
            inside = showing.inside(_service().context, entry)
            _accounts().note(g.user.name, "view", entry.id)
        except Problem as problem:
            missing = problem.detail
    return _show(entry, inside, missing)


@pages.get("/deliveries/<id_>/documents/<int:number>/<int:page>.png")
@needs(Role.OPERATOR)
def page(id_: str, number: int, page: int) -> Response:
    """Draw a page of a document: only what we rendered ourselves, never the bytes of a sender."""
    try:
        image = _drawn(_entry(id_), number, page)
    except Problem:
        image = _drawn(_entry(id_), number, page)  # published meanwhile, it lies elsewhere
    return Response(image, content_type="image/png")


@pages.get("/deliveries/<id_>/rehearsal")
@needs(Role.OPERATOR)
def rehearsal(id_: str) -> str:
    """Show what a replay would change today."""
    entry = _entry(id_)
    found = rehearsals.rehearse(_service().context, entry, accept_confidence=True)
    _accounts().note(g.user.name, "view", entry.id, "rehearsal")
    return render_template("rehearsal.html", found=found)


@pages.post("/deliveries/<id_>/<action>")
@needs(Role.OPERATOR)
def act(id_: str, action: str) -> AnyResponse | tuple[str, int]:
    """Replay, release or discard a delivery, unless somebody was at it since it was shown."""
    entry = _entry(id_)
    if action not in ACTIONS or action == "correct":
        abort(404)
    if request.form.get("seen") != str(entry.attempt_count):
        return showing.failure(409, MEANWHILE)
    if action == "discard":
        _discard(entry, request.form.get("reason", "")[:200])
        _accounts().note(g.user.name, action, entry.id)
        return redirect(url_for("pages.delivery", id_=entry.id, done=action), 303)
    how = Replay(datetime.now(UTC), f"{g.user.name} (console)", action == "release")
    replayed = replay.replay(_service().context, entry, how)
    _accounts().note(g.user.name, action, entry.id, replayed.result)
    if replayed.problem:
        return showing.failure(503, replayed.problem.detail)
    return redirect(url_for("pages.delivery", id_=replayed.entry.id, done=action), 303)


@pages.post("/deliveries/<id_>/correct")
@needs(Role.OPERATOR)
def correct(id_: str) -> AnyResponse | str | tuple[str, int]:
    """Publish a delivery with corrected fields; where schema, templates or record checks refuse them, show why."""
    entry = _entry(id_)
    if request.form.get("seen") != str(entry.attempt_count):
        return showing.failure(409, MEANWHILE)
    context = _service().context
    corrections = _corrections(context, entry)
    found = showing.inside(context, entry, corrections)
    if found.problem or not corrections:
        return _show(entry, found, "")
    how = Replay(datetime.now(UTC), f"{g.user.name} (console)", True, corrections)
    replayed = replay.replay(context, entry, how)
    known = context.processes[entry.process].metadata.known
    names = ", ".join(name if name in known else "a field" for name in corrections)
    _accounts().note(g.user.name, "correct", entry.id, f"{names}: {replayed.result}")
    if replayed.problem:
        return showing.failure(503, replayed.problem.detail)
    return redirect(url_for("pages.delivery", id_=replayed.entry.id, done="correct"), 303)


@pages.get("/audit")
def audit() -> str:
    """Show who looked at what."""
    person, delivery = request.args.get("person", ""), request.args.get("delivery", "")
    looks = _accounts().looks(person=person, delivery=delivery)
    return render_template("audit.html", looks=looks, person=person, delivery=delivery)


def _drawn(entry: Entry, number: int, page: int) -> bytes:
    try:
        _, part = showing.document(_service().context, entry, number)
    except IndexError:
        abort(404, "There is no such document.")
    return documents.page(part, page, entry.process)


def _show(entry: Entry, inside: showing.Inside | None, missing: str) -> str:
    done = ACTIONS.get(request.args.get("done", ""), "")
    looks = _accounts().looks(delivery=entry.id)
    return render_template("delivery.html", entry=entry, inside=inside, missing=missing, looks=looks, done=done)


def _corrections(context: Context, entry: Entry) -> dict[str, str]:
    """Return what a form says otherwise than the delivery, by the names of its fields."""
    before = {field.name: field.value for field in showing.inside(context, entry, {}).fields if field.single}
    said = {name.removeprefix("field."): text for name, text in request.form.items() if name.startswith("field.")}
    return {name: text for name, text in said.items() if name in before and text.strip() != before[name].strip()}


def _list(filters: dict[str, str], source_id: str) -> str:
    context = _service().context
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


def _service() -> Service:
    found: Service = current_app.extensions["service"]
    return found


def _accounts() -> Accounts:
    found: Accounts = current_app.extensions["accounts"]
    return found


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _entry(id_: str) -> Entry:
    entry = _service().context.ledger.find(id_)
    if entry is None:
        abort(404, "The ledger knows no such delivery.")
    return entry


def _discard(entry: Entry, reason: str) -> None:
    if entry.status not in KEPT:
        abort(409, "Only what is held or refused can be discarded.")
    note = f"discarded by {g.user.name} (console){f': {reason}' if reason else ''}"
    context = _service().context
    attempt = Attempt(datetime.now(UTC), "", Status.DISCARDED, note=note)
    if not quarantine.let_go(context.ledger, context.settings.data, entry, attempt):
        abort(409, "Somebody is at work on this delivery, or it came again. Look again.")
