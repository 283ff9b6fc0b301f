"""The workbench: edit a process's file, and see its effect before it is in force."""

from flask import abort, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from receiver.authoring.cases.cases import NotARequestError, cases
from receiver.authoring.cases.outcome import Outcome
from receiver.core.faults import ConfigurationError
from receiver.core.problems import Problem
from receiver.core.settings import Settings
from receiver.store.accounts import Role
from receiver.store.entry import Entry
from receiver.store.ledger import KEPT
from receiver.web.console import drafts, showing
from receiver.web.console.access import needs
from receiver.web.console.correcting import MEANWHILE
from receiver.web.console.pages import accounts, entry_of, pages, service

OFFERED = 30  # kept deliveries of each status that may be tried: the newest
READ_ONLY = "The site is read-only here: save this file where the site comes from."


@pages.get("/workbench/<process>")
@needs(Role.OWNER)
def workbench(process: str) -> str:
    """Show a file of a process for editing."""
    name = _name(process, request.args.get("file", ""))
    content = drafts.path_of(service().settings, process, name).read_bytes()
    return _page(process, name, content.decode("utf-8", "replace"), drafts.digest(content), [])


@pages.post("/workbench/<process>/try")
@needs(Role.OWNER)
def attempt(process: str) -> str:
    """Show what check says of a draft, and what a case or delivery becomes by it."""
    name, content, _ = _draft(process)
    with drafts.drafted(service().settings, process, name, content) as draft:
        found = drafts.findings(draft, process)
        outcome, missing = _outcome(draft, process)
    records = list(showing.records(outcome)) if outcome else []
    problem = outcome.problem if outcome else None
    here = f"mappings/{process}/{name}"
    return render_template("tried.html", found=found, here=here, missing=missing, problem=problem, records=records)


@pages.post("/workbench/<process>/save")
@needs(Role.OWNER)
def save(process: str) -> Response | str:
    """Save a draft without findings of check and test; the former state is kept."""
    name, content, seen = _draft(process)
    settings = service().settings
    path = drafts.path_of(settings, process, name)
    former = drafts.digest(path.read_bytes())
    if seen != former:
        abort(409, MEANWHILE)
    if drafts.is_read_only(path):
        abort(403, READ_ONLY)
    with drafts.drafted(settings, process, name, content) as draft:
        against = drafts.against(draft, process)
    if against:
        return _page(process, name, content.decode(), seen, against)
    drafts.save(settings, process, name, content)
    accounts().note(g.user.name, "save", note=f"{process}/{name}: {former[:16]} → {drafts.digest(content)[:16]}")
    return redirect(url_for("pages.workbench", process=process, file=name, saved=1), 303)


def _name(process: str, wanted: str) -> str:
    """Return the wanted file, or the first one; 404 for others."""
    names = drafts.names(service().settings, process) if process in service().context.processes else []
    if not names or (wanted and wanted not in names):
        abort(404, "There is no such file of a process.")
    return wanted or names[0]


def _draft(process: str) -> tuple[str, bytes, str]:
    """Return name, content and what was seen of the file, as the form has them."""
    request.max_content_length = request.max_form_memory_size = 4 * drafts.LONGEST  # as a form writes it
    name = _name(process, request.form.get("file", ""))
    former = drafts.path_of(service().settings, process, name).read_bytes()
    seen = request.headers.get("If-Match", "").strip('"') or request.form.get("seen", "")
    return name, drafts.as_saved(request.form.get("text", ""), former), seen


def _outcome(draft: Settings, process: str) -> tuple[Outcome | None, str]:
    """Return what a case or delivery becomes by a draft, or why it cannot be tried."""
    kind, _, name = request.form.get("source", "").partition(":")
    try:
        if kind == "case":
            return drafts.of_case(draft, process, name), ""
        if kind == "delivery":
            return drafts.of_kept(draft, service().context, _viewed(process, name)), ""
    except (Problem, NotARequestError) as error:
        return None, str(error)
    except ConfigurationError:
        pass  # the findings say it
    return None, ""


def _viewed(process: str, id_: str) -> Entry:
    """Return a delivery whose values are about to be seen."""
    entry = entry_of(id_)
    if entry.process != process:
        abort(404)
    accounts().note(g.user.name, "view", entry.id, "workbench")
    return entry


def _page(process: str, name: str, text: str, seen: str, against: list[str]) -> str:
    context = service().context
    kept = [each for status in KEPT for each in context.ledger.search(process=process, status=status, limit=OFFERED)]
    return render_template(
        "workbench.html",
        process=process,
        name=name,
        names=drafts.names(service().settings, process),
        text=text,
        seen=seen,
        against=against,
        cases=[case.name for case in cases(context.processes[process])],
        kept=[each for each in kept if isinstance(each, Entry)],
        read_only=READ_ONLY if drafts.is_read_only(drafts.path_of(service().settings, process, name)) else "",
        saved="saved" in request.args,
    )
