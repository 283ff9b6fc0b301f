"""One delivery: its page, its fields and its records side by side, and what may be done with it."""

from datetime import UTC, datetime

from flask import Response, abort, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from receiver import documents
from receiver.core.delivery import Replay, Status
from receiver.core.problems import Problem
from receiver.operations import rehearsal as rehearsals
from receiver.operations import replay
from receiver.store import quarantine
from receiver.store.accounts import Role
from receiver.store.entry import Attempt, Entry
from receiver.store.ledger import KEPT
from receiver.web.console import correcting, showing
from receiver.web.console.access import needs
from receiver.web.console.pages import accounts, entry_of, pages, service

ACTIONS = {"replay": "judged anew", "release": "released", "discard": "discarded", "correct": "corrected"}


@pages.get("/deliveries/<id_>")
def delivery(id_: str) -> str:
    """Show one delivery: the trail to everybody, what it says to operators."""
    entry = entry_of(id_)
    inside, missing = None, ""
    if g.user.role.includes(Role.OPERATOR):
        try:
            inside = showing.inside(service().context, entry)
            accounts().note(g.user.name, "view", entry.id)
        except Problem as problem:
            missing = problem.detail
    return _show(entry, inside, missing)


@pages.get("/deliveries/<id_>/documents/<int:number>/<int:page>.png")
@needs(Role.OPERATOR)
def page(id_: str, number: int, page: int) -> Response:
    """Draw a page of a document: only what we rendered ourselves, never the bytes of a sender."""
    try:
        image = _drawn(entry_of(id_), number, page)
    except Problem:
        image = _drawn(entry_of(id_), number, page)  # published meanwhile, it lies elsewhere
    return Response(image, content_type="image/png")


@pages.get("/deliveries/<id_>/rehearsal")
@needs(Role.OPERATOR)
def rehearsal(id_: str) -> str:
    """Show what a replay would change today."""
    entry = entry_of(id_)
    found = rehearsals.rehearse(service().context, entry, accept_confidence=True)
    accounts().note(g.user.name, "view", entry.id, "rehearsal")
    return render_template("rehearsal.html", found=found)


@pages.post("/deliveries/<id_>/<action>")
@needs(Role.OPERATOR)
def act(id_: str, action: str) -> AnyResponse | tuple[str, int]:
    """Replay, release or discard a delivery, unless somebody was at it since it was shown."""
    entry = entry_of(id_)
    if action not in ACTIONS or action == "correct":
        abort(404)
    correcting.require_unchanged(entry)
    if action == "discard":
        _discard(entry, request.form.get("reason", "")[:200])
        accounts().note(g.user.name, action, entry.id)
        return redirect(url_for("pages.delivery", id_=entry.id, done=action), 303)
    how = Replay(datetime.now(UTC), f"{g.user.name} (console)", action == "release")
    replayed = replay.replay(service().context, entry, how)
    accounts().note(g.user.name, action, entry.id, replayed.result)
    if replayed.problem:
        return showing.failure(503, replayed.problem.detail)
    return redirect(url_for("pages.delivery", id_=replayed.entry.id, done=action), 303)


@pages.post("/deliveries/<id_>/correct")
@needs(Role.OPERATOR)
def correct(id_: str) -> AnyResponse | str | tuple[str, int]:
    """Publish a delivery with corrected fields; where schema, templates or record checks refuse them, show why."""
    entry = entry_of(id_)
    correcting.require_unchanged(entry)
    corrections = correcting.corrections(entry)
    if not corrections:
        return _show(entry, showing.inside(service().context, entry), "")
    inside, replayed = correcting.publish(entry, corrections)
    if replayed is None:
        return _show(entry, inside, "")
    return redirect(url_for("pages.delivery", id_=replayed.entry.id, done="correct"), 303)


def _drawn(entry: Entry, number: int, page: int) -> bytes:
    try:
        _, part = showing.document(service().context, entry, number)
    except IndexError:
        abort(404, "There is no such document.")
    return documents.page(part, page, entry.process)


def _show(entry: Entry, inside: showing.Inside | None, missing: str) -> str:
    done = ACTIONS.get(request.args.get("done", ""), "")
    looks = accounts().looks(delivery=entry.id)
    return render_template("delivery.html", entry=entry, inside=inside, missing=missing, looks=looks, done=done)


def _discard(entry: Entry, reason: str) -> None:
    if entry.status not in KEPT:
        abort(409, "Only what is held or refused can be discarded.")
    note = f"discarded by {g.user.name} (console){f': {reason}' if reason else ''}"
    context = service().context
    attempt = Attempt(datetime.now(UTC), "", Status.DISCARDED, note=note)
    if not quarantine.let_go(context.ledger, context.settings.data, entry, attempt):
        abort(409, "Somebody is at work on this delivery, or it came again. Look again.")
