"""Judges kept deliveries anew, by today's configuration, as every delivery is.

What is published by it leaves quarantine, with the time at which it first came in; what is not stays there, with
today's reason. What was published before stays as it is: nothing is published twice. Each replay is an attempt in
the ledger.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from receiver.core.delivery import Arrival, Part, Replay, Section, Status
from receiver.core.problems import Code, Problem
from receiver.delivery import receive
from receiver.delivery.context import Context
from receiver.site.process import Process
from receiver.store import originals, quarantine
from receiver.store.entry import Attempt, Entry
from receiver.store.kept import Kept
from receiver.store.ledger import ACCEPTED


class Result(StrEnum):
    """How the replay of one delivery ends."""

    PUBLISHED = "published"
    BEFORE = "published before"
    HELD = "held"
    REFUSED = "refused"
    FAILED = "failed"  # it could not be judged, and is as it was


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of one kept delivery."""

    result: Result
    entry: Entry  # as the ledger tells it now; under another id where today's configuration reads another sourceId
    problem: Problem | None = None  # why it is not published


def replay(context: Context, entry: Entry, how: Replay) -> Replayed:
    """Judge a kept delivery anew, and publish it if it may be.

    Raises Problem if the ledger fails.
    """
    if entry.status in ACCEPTED:
        return Replayed(Result.BEFORE, entry)
    try:
        process, kept = find(context, entry)
        if how.corrections is None:
            how = replace(how, corrections=kept.corrections)
        arrival = Arrival(first_received(entry), entry.peer, how)
        receipt = receive.receive(context, process, sections(kept), arrival)
    except Problem as problem:
        if not problem.kept_as:
            return Replayed(Result.FAILED, entry, problem)
        return Replayed(Result.REFUSED, _settled(context, entry, problem.kept_as, how), problem)
    result = Result.HELD if receipt.status is Status.HELD else Result.BEFORE if receipt.duplicate else Result.PUBLISHED
    return Replayed(result, _settled(context, entry, receipt.id, how), receipt.problem)


def find(context: Context, entry: Entry) -> tuple[Process, Kept]:
    """Return what a delivery is judged by today, and where it lies.

    Raises Problem if one of them is gone.
    """
    process = context.processes.get(entry.process)
    if process is None:
        raise Problem(Code.NO_SUCH_PROCESS, f"There is no process {entry.process} any more.")
    room = originals if entry.status in ACCEPTED else quarantine
    if not room.folder(context.settings.data, entry.process, entry.id).exists():
        raise Problem(Code.STORAGE_FAILED, _missing(entry))
    return process, room.load(context.settings.data, entry.process, entry.id)


def _missing(entry: Entry) -> str:
    if entry.status in ACCEPTED:
        return "Its originals are not kept, or not any more ([retention] originals)."
    return "It is in quarantine no longer."


def sections(kept: Kept) -> Iterator[Section]:
    """Yield the parts of a kept delivery as they came in.

    Raises Problem for one that is not what came in.
    """
    for part in kept.parts:
        if not _intact(part):
            raise Problem(Code.STORAGE_FAILED, "A part is missing or damaged: it is not what was received.")
        yield Section(part.name, part.filename, part.type, part.charset, part.path)


def _intact(part: Part) -> bool:
    try:
        with part.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == part.sha256
    except OSError:
        return False


def first_received(entry: Entry) -> datetime:
    """Return when a delivery came in for the first time."""
    return min([entry.received_at, *(attempt.at for attempt in entry.attempts[:1])])


def _settled(context: Context, entry: Entry, id_: str, how: Replay) -> Entry:
    """Return the delivery's entry now.

    One that has another id than before leaves quarantine under the old one.
    """
    if id_ != entry.id:
        note = f"{how.note}: it is {id_} now"
        quarantine.let_go(
            context.ledger, context.settings.data, entry, Attempt(how.at, "", Status.DISCARDED, note=note)
        )
    return context.ledger.find(id_) or entry
