"""Actions on all deliveries of a filter: counted, tried, then done."""

from collections import Counter
from datetime import UTC, datetime

from flask import abort, current_app, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from receiver.core.delivery import Status
from receiver.store.accounts import Role
from receiver.store.jobs import GOING, Job, Jobs, State
from receiver.store.ledger import KEPT
from receiver.web.console import acting, listing
from receiver.web.console.access import needs
from receiver.web.console.pages import accounts, pages, service
from receiver.web.console.runner import Runner

MOST = 10_000  # deliveries of one job: a night's worth, judged in some minutes
SHOWN = 500  # of which are listed; all are counted


@pages.get("/jobs")
@needs(Role.OPERATOR)
def jobs() -> str:
    """List the jobs of the last months."""
    return render_template("jobs.html", jobs=_jobs().latest())


@pages.post("/jobs")
@needs(Role.OPERATOR)
def begin() -> Response:
    """Begin a job with its dry run, over what the filters match now."""
    action, status = request.form.get("action", ""), request.form.get("status", "")
    if action not in acting.ACTIONS or status not in KEPT:
        abort(400, "Choose an action, and held or refused deliveries.")
    wanted = listing.wanted_by({name: request.form.get(name, "") for name in listing.FILTERS})
    matching = service().context.ledger.matching(**wanted, limit=MOST)
    filters = _worded(**wanted)
    id_ = _jobs().begin(g.user.name, action, filters, request.form.get("reason", "")[:200], matching)
    accounts().note(g.user.name, "job", note=f"{id_}: dry run of {action}, {filters}, {len(matching)} deliveries")
    _runner().start(id_)
    return redirect(url_for("pages.job", id_=id_), 303)


def _worded(process: str | None, status: Status, since: datetime | None, until: datetime | None) -> str:
    spans = [f"{word} {at:%Y-%m-%d %H:%M} UTC" for word, at in (("since", since), ("before", until)) if at]
    return ", ".join([status, process or "every process", *spans])


@pages.get("/jobs/<id_>")
@needs(Role.OPERATOR)
def job(id_: str) -> str:
    """Show how far a job has come; `part` is for the page that looks again and again."""
    found = _job(id_)
    items = _jobs().items(id_)
    trying = found.state in (State.TRYING, State.TRIED)
    done = [item.tried if trying else item.outcome for item in items]
    return render_template(
        "progress.html" if "part" in request.args else "job.html",
        job=found,
        items=items[:SHOWN],
        total=len(items),
        done=sum(map(bool, done)),
        counts=Counter(filter(None, done)).most_common(),
        going=found.state in GOING,
        abandoned=found.is_abandoned(datetime.now(UTC)),
        most=MOST,
    )


@pages.post("/jobs/<id_>/<step>")
@needs(Role.OPERATOR)
def step(id_: str, step: str) -> Response:
    """Do what was tried, stop it, or go on with what somebody or something has ended."""
    found = _job(id_)
    if step == "stop":
        moved = _jobs().move(id_, [*GOING, State.TRIED], State.STOPPED)
    elif found.person != g.user.name:
        abort(403, "Only who has begun a job may do that.")
    elif step == "do":
        moved = _jobs().move(id_, [State.TRIED], State.RUNNING)
    elif step == "resume":
        moved = found.is_abandoned(datetime.now(UTC)) and _jobs().adopt(found)
    else:
        abort(404)
    if not moved:
        abort(409, "This job has come further meanwhile. Look again.")
    accounts().note(g.user.name, "job", note=f"{id_}: {step}")
    if step != "stop":
        _runner().start(id_)
    return redirect(url_for("pages.job", id_=id_), 303)


def _job(id_: str) -> Job:
    found = _jobs().find(id_)
    if found is None:
        abort(404, "There is no such job.")
    return found


def _jobs() -> Jobs:
    found: Jobs = current_app.extensions["jobs"]
    return found


def _runner() -> Runner:
    found: Runner = current_app.extensions["runner"]
    return found
