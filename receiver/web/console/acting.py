"""Actions on held or refused deliveries, one or many: replay, release, discard."""

from datetime import UTC, datetime

from receiver.core.delivery import Replay, Status
from receiver.core.problems import Code, Problem
from receiver.delivery.context import Context
from receiver.operations import rehearsal, replay
from receiver.operations.replay import Replayed
from receiver.store import quarantine
from receiver.store.entry import Attempt, Entry
from receiver.store.ledger import KEPT

TWO = "two people release it one by one"
ACTIONS = {
    "replay": "judged anew",
    "release": "released",
    "overrule": "judged without the rules that hold it",
    "discard": "discarded",
}


def redo(context: Context, entry: Entry, action: str, person: str) -> Replayed:
    """Judge a delivery anew, with low confidence, or also broken rules, accepted.

    Raises Problem.
    """
    confidence, rules = _accepted(action)
    how = Replay(datetime.now(UTC), f"{person} (console)", confidence, accept_rules=rules)
    return replay.replay(context, entry, how)


def _accepted(action: str) -> tuple[bool, bool]:
    """Return whether an action accepts low confidence, and rules that hold."""
    return action in ("release", "overrule"), action == "overrule"


def discard(context: Context, entry: Entry, person: str, reason: str) -> None:
    """Keep a delivery no longer.

    Raises Problem if it is not kept, or somebody is at work on it.
    """
    if entry.status not in KEPT:
        raise Problem(Code.BUSY, "Only what is held or refused can be discarded.")
    note = f"discarded by {person} (console){f': {reason}' if reason else ''}"
    attempt = Attempt(datetime.now(UTC), "", Status.DISCARDED, note=note)
    if not quarantine.let_go(context.ledger, context.settings.data, entry, attempt):
        raise Problem(Code.BUSY, "Somebody is at work on this delivery, or it came again. Look again.")


def act(context: Context, entry: Entry, action: str, person: str, reason: str) -> str:
    """Act on a delivery, and return in a few words what became of it. Raises Problem."""
    if action == "discard":
        discard(context, entry, person, reason)
        return "discarded"
    if _needs_two(context, entry, action):
        return TWO
    replayed = redo(context, entry, action, person)
    return _worded(replayed.result, replayed.problem)


def rehearse(context: Context, entry: Entry, action: str) -> str:
    """Return what an action would do, in a few words; nothing is changed.

    Raises Problem.
    """
    if action == "discard":
        return "would be discarded" if entry.status in KEPT else "is not kept"
    if _needs_two(context, entry, action):
        return TWO
    confidence, rules = _accepted(action)
    found = rehearsal.rehearse(context, entry, accept_confidence=confidence, accept_rules=rules)
    return _worded(found.result, found.problem)


def _needs_two(context: Context, entry: Entry, action: str) -> bool:
    process = context.processes.get(entry.process)
    return any(_accepted(action)) and process is not None and process.config.confidence.four_eyes


def _worded(result: str, problem: Problem | None) -> str:
    return f"{result}: {problem.code}" if problem else str(result)
