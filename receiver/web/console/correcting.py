"""Corrections of a delivery: read from a form, judged as ever, then published."""

from collections.abc import Container, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from flask import abort, g, request

from receiver.core.delivery import Replay
from receiver.core.problems import Problem
from receiver.operations import replay
from receiver.operations.replay import Replayed, Result
from receiver.store import digests, proposals
from receiver.store.entry import Entry
from receiver.store.proposals import Proposal
from receiver.web.console import showing
from receiver.web.console.pages import accounts, service

MEANWHILE = "Somebody else, or the platform, was at this delivery meanwhile. Look again."
PREFIX = "field."  # of a form's names


def require_unchanged(entry: Entry) -> None:
    """End the request with 409 if the delivery changed since the form was made."""
    seen = request.headers.get("If-Match", "").strip('"') or request.form.get("seen")
    if seen != str(entry.attempt_count):
        abort(409, MEANWHILE)


def corrections(entry: Entry) -> dict[str, str]:
    """Return a form's differences from the delivery, by field. Raises Problem."""
    fields = showing.preview(service().context, entry, {}).every
    before = {field.name: field.value for field in fields if field.single}
    said = {name.removeprefix(PREFIX): text for name, text in request.form.items() if name.startswith(PREFIX)}
    return {name: text for name, text in said.items() if name in before and text.strip() != before[name].strip()}


def kept(entry: Entry) -> Mapping[str, str]:
    """Return the corrections that a delivery was judged with last. Raises Problem."""
    return replay.find(service().context, entry)[1].corrections


def _note(entry: Entry, said: Mapping[str, str]) -> None:
    """Note each field with keyed digests of its value before and after."""
    context = service().context
    data, known = context.settings.data, context.processes[entry.process].metadata.known
    before = {field.name: field.value for field in showing.preview(context, entry, {}).every}
    for name, text in said.items():
        old, new = (digests.digest(data, name, value)[: digests.SHOWN] for value in (before[name], text))
        accounts().note(g.user.name, "field", entry.id, f"{_named(name, known)}: {old} → {new}")


def _named(name: str, known: Container[str]) -> str:
    """Return a field's or cell's name for the audit; unknown names may be data."""
    return name.removeprefix("/") if showing.steps(name)[-1] in known else "a field"


def proposed(entry: Entry) -> Proposal | None:
    """Return what another person, or this one, has proposed for a delivery.

    Raises Problem.
    """
    return proposals.find(service().context.settings.data, entry)


def is_own_proposal(entry: Entry) -> bool:
    """Return whether it waits for anybody but the person who asks. Raises Problem."""
    if not service().context.processes[entry.process].config.confidence.four_eyes:
        return False
    proposal = proposed(entry)
    return proposal is not None and proposal.by == g.user.name


def publish(entry: Entry, said: Mapping[str, str]) -> tuple[showing.Preview, Replayed | None]:
    """Publish a delivery with corrections, low confidence accepted.

    No result if the trial refuses them.

    Nor is there one if the process asks for a second person: then it is proposed, and waits for that one. Why it is
    not published stands in the preview, also if only the real pass has seen it. Ends the request with 409 if
    somebody else was faster, and with 503 if it failed.
    """
    context = service().context
    found = showing.preview(context, entry, said)
    if found.problem:
        return found, None
    _note(entry, said)
    if needs_second(entry, said):
        propose(entry, said)
        return found, None
    replayed = replay.replay(context, entry, Replay(datetime.now(UTC), f"{g.user.name} (console)", True, said))
    accounts().note(g.user.name, "correct" if said else "release", entry.id, replayed.result)
    if replayed.result is Result.BEFORE:
        abort(409, MEANWHILE)
    return replace(found, problem=_refused(replayed)), replayed


def _refused(replayed: Replayed) -> Problem | None:
    """Return why a delivery is held or refused after all.

    Ends the request with 503 if it could not be judged.
    """
    if replayed.problem and replayed.result is Result.FAILED:
        abort(503, replayed.problem.detail)
    return replayed.problem


def propose(entry: Entry, said: Mapping[str, str]) -> None:
    """Keep what a person says beside the delivery, for a second one. Raises Problem."""
    context = service().context
    proposals.propose(context.ledger, context.settings.data, entry, Proposal(g.user.name, datetime.now(UTC), said))
    accounts().note(g.user.name, "propose", entry.id)


def needs_second(entry: Entry, said: Mapping[str, str]) -> bool:
    """Return whether a second person must publish, and no equal proposal exists."""
    if not service().context.processes[entry.process].config.confidence.four_eyes:
        return False
    proposal = proposed(entry)
    return proposal is None or proposal.by == g.user.name or dict(proposal.corrections) != dict(said)
