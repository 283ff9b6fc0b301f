"""One delivery: its pages, fields and records, and the actions on it."""

from collections.abc import Mapping
from dataclasses import asdict, replace

from flask import Response, abort, current_app, g, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from receiver.core.problems import Problem
from receiver.operations import rehearsal as rehearsals
from receiver.operations.replay import Result
from receiver.store.accounts import Role
from receiver.store.entry import Entry
from receiver.web.console import acting, correcting, places, showing
from receiver.web.console.access import needs
from receiver.web.console.images import Images
from receiver.web.console.pages import accounts, entry_of, pages, service
from receiver.web.replies import STATUSES

DONE = acting.ACTIONS | {"correct": "corrected", "propose": "proposed, and waits for a second person"}


@pages.get("/deliveries/<id_>")
def delivery(id_: str) -> str:
    """Show one delivery: the trail to everybody, what it says to operators."""
    entry = entry_of(id_)
    preview, missing = None, ""
    if g.user.role.includes(Role.OPERATOR):
        try:
            proposal = correcting.proposed(entry)
            preview = showing.preview(service().context, entry, proposal.corrections if proposal else None)
            accounts().note(g.user.name, "view", entry.id)
        except Problem as problem:
            missing = problem.detail
    return _show(entry, preview, missing)


@pages.get("/deliveries/<id_>/documents/<int:number>/<int:page>.png")
@needs(Role.OPERATOR)
def page(id_: str, number: int, page: int) -> Response:
    """Draw a page of a document: our own image, never a sender's bytes."""
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
def act(id_: str, action: str) -> AnyResponse | str | tuple[str, int]:
    """Replay, release or discard a delivery, unless it changed meanwhile."""
    entry = entry_of(id_)
    if action not in acting.ACTIONS:
        abort(404)
    correcting.require_unchanged(entry)
    if action == "discard":
        try:
            acting.discard(service().context, entry, g.user.name, request.form.get("reason", "")[:200])
        except Problem as problem:
            return showing.failure(409, problem.detail)
        accounts().note(g.user.name, action, entry.id)
        return redirect(url_for("pages.delivery", id_=entry.id, done=action), 303)
    if action == "release":
        return _published(entry, correcting.kept(entry), action)
    if action == "overrule" and correcting.needs_second(entry, said := correcting.kept(entry)):
        correcting.propose(entry, said)
        return redirect(url_for("pages.delivery", id_=entry.id, done="propose"), 303)
    replayed = acting.redo(service().context, entry, action, g.user.name)
    accounts().note(g.user.name, action, entry.id, replayed.result)
    if replayed.problem and replayed.result is Result.FAILED:
        return showing.failure(503, replayed.problem.detail)
    if replayed.problem:
        preview = showing.preview(service().context, replayed.entry)
        return _show(replayed.entry, replace(preview, problem=replayed.problem), "")
    return redirect(url_for("pages.delivery", id_=replayed.entry.id, done=action), 303)


@pages.post("/deliveries/<id_>/correct")
@needs(Role.OPERATOR)
def correct(id_: str) -> AnyResponse | str | tuple[str, int]:
    """Publish a delivery with corrected fields, or show why they are refused."""
    entry = entry_of(id_)
    correcting.require_unchanged(entry)
    corrections = correcting.corrections(entry)
    if not corrections and not correcting.kept(entry):
        return _show(entry, showing.preview(service().context, entry), "")
    return _published(entry, corrections, "correct")


def _published(entry: Entry, corrections: Mapping[str, str], done: str) -> AnyResponse | str:
    preview, replayed = correcting.publish(entry, corrections)
    if preview.problem:
        return _show(replayed.entry if replayed else entry, preview, "")
    if replayed:
        return redirect(url_for("pages.delivery", id_=replayed.entry.id, done=done), 303)
    return redirect(url_for("pages.delivery", id_=entry.id, done="propose"), 303)


@pages.post("/deliveries/<id_>/places")
@needs(Role.OPERATOR)
def where(id_: str) -> Response:
    """Return where records have a field; by POST, since names may be a sender's."""
    found = places.places(service().context, entry_of(id_), request.form.get("name", ""))
    return jsonify([asdict(each) for each in found])


@pages.post("/deliveries/<id_>/region")
@needs(Role.OPERATOR)
def region(id_: str) -> Response:
    """Return where on its pages a delivery has a field; by POST, as `where`."""
    try:
        found = places.on_page(service().context, entry_of(id_), request.form.get("name", ""))
    except Problem as problem:  # it was published meanwhile, and is kept no longer
        found = places.OnPage(problem.detail)
    return jsonify(asdict(found))


def _drawn(entry: Entry, number: int, page: int) -> bytes:
    try:
        _, part = showing.document(service().context, entry, number)
    except IndexError:
        abort(404, "There is no such document.")
    images: Images = current_app.extensions["images"]
    return images.page(part, page, entry.process, small="small" in request.args)


def _show(entry: Entry, preview: showing.Preview | None, missing: str) -> str:
    done = DONE.get(request.args.get("done", ""), "")
    looks = accounts().looks(delivery=entry.id)
    proposal = correcting.proposed(entry) if preview else None
    shown = {"entry": entry, "preview": preview, "missing": missing, "looks": looks, "done": done, "proposal": proposal}
    return render_template("delivery.html", **shown, reason=_reason(entry))


def _reason(entry: Entry) -> Problem | None:
    """Return why a delivery was held or refused, as far as the ledger has it."""
    return Problem(entry.code, f"{STATUSES[entry.code][1]}.", entry.violations) if entry.code else None
