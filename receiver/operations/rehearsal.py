"""Rehearses a replay: what it would do by today's configuration, writing nothing."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from os.path import lexists
from pathlib import Path, PurePosixPath

from receiver.authoring.cases.outcome import Outcome, run
from receiver.authoring.cases.verdict import forms
from receiver.core.delivery import Kind, Output, Previous, Role
from receiver.core.problems import PASSING, Code, Problem
from receiver.delivery import receive
from receiver.delivery.context import Context
from receiver.delivery.render import Rendered, holds
from receiver.formats.comparing import RecordStyle, differences
from receiver.operations.replay import find, first_received, sections
from receiver.site.process import Process
from receiver.store.entry import Entry
from receiver.store.kept import Kept
from receiver.store.ledger import ACCEPTED


class Result(StrEnum):
    """How the rehearsal of one replay ends."""

    PUBLISHED = "would be published"
    BEFORE = "published before"
    SAME = "same"
    DIFFERENT = "different"
    HELD = "would be held"
    REFUSED = "would be refused"
    FAILED = "failed"  # it cannot be judged


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What would become of one kept delivery."""

    result: Result
    problem: Problem | None = None
    lines: tuple[str, ...] = ()  # the files that would be published, or each difference to what was


class PublishedBeforeError(Problem):
    """The delivery was published before, under its id of today or its sourceId."""

    def __init__(self, id_: str) -> None:
        super().__init__(Code.BUSY, f"This delivery was published before, as {id_}.")
        self.id = id_


def rehearse(
    context: Context, entry: Entry, *, accept_confidence: bool = False, accept_rules: bool = False
) -> Rehearsed:
    """Judge a kept delivery without publishing, or compare it with what was.

    What a person accepted when it was published is accepted here.
    """
    accepted = entry.status in ACCEPTED
    try:
        process, kept = find(context, entry)
        if accepted and (how := kept.entry.replay):
            accept_confidence, accept_rules = how.accept_confidence, how.accept_rules
        outcome = judge(context, process, kept, entry, accept_confidence=accept_confidence, accept_rules=accept_rules)
    except Problem as problem:
        return Rehearsed(Result.FAILED, problem)
    if isinstance(outcome.problem, PublishedBeforeError):
        return Rehearsed(Result.BEFORE, lines=(f"as {outcome.problem.id}",))
    if outcome.problem or outcome.rendered is None:
        return _not_published(process, outcome.problem)
    if accepted:
        try:
            found = (*_compared(process, entry, outcome.rendered), *_added(context, entry, outcome.rendered))
        except Problem as problem:
            return Rehearsed(Result.FAILED, problem)
        return Rehearsed(Result.DIFFERENT if found else Result.SAME, lines=found)
    return _published(process, outcome.rendered)


def judge(
    context: Context,
    process: Process,
    kept: Kept,
    entry: Entry,
    *,
    accept_confidence: bool,
    accept_rules: bool = False,
    corrections: Mapping[str, str] | None = None,
) -> Outcome:
    """Run a kept delivery as the version it is or would be.

    Without corrections it is judged with those that it is kept with, as a replay does.
    All that the real pass refuses is found by it, but for what needs a scanner, and names that are taken.

    Raises Problem if its parts cannot be read.
    """
    incoming = list(sections(kept))
    received_at: datetime = entry.received_at if entry.version else first_received(entry)

    def version(id_: str, source_id: str) -> tuple[int, Previous | None]:
        if entry.version:
            return entry.version, receive.previous(context.ledger.before_version(entry))
        known = context.ledger.find(id_)
        if known and known.status in ACCEPTED:
            raise PublishedBeforeError(id_)
        latest = context.ledger.latest(process.name, source_id)
        if latest and process.config.delivery.same_source_id == "ignore":
            raise PublishedBeforeError(latest.id)
        return receive.next_version(process, latest)

    return run(
        process,
        incoming,
        received_at,
        version=version,
        accept_confidence=accept_confidence,
        accept_rules=accept_rules,
        corrections=kept.corrections if corrections is None else corrections,
    )


def _not_published(process: Process, problem: Problem | None) -> Rehearsed:
    if problem is None or problem.code in PASSING:
        return Rehearsed(Result.FAILED, problem)
    return Rehearsed(Result.HELD if holds(process, problem) else Result.REFUSED, problem)


def _published(process: Process, rendered: Rendered) -> Rehearsed:
    """Return the files that a delivery would become, unless their names are taken."""
    names = [*(path for _, path in rendered.documents), *_written(rendered)]
    taken = [name for name in names if lexists(process.output / name)]
    if taken:
        detail = "The output folder already holds a file of one of the names."
        return _not_published(process, Problem(Code.NAME_TAKEN, detail))
    batches = (f"batch {addition.batch}: {len(addition.records)} records" for addition in rendered.additions)
    return Rehearsed(Result.PUBLISHED, lines=(*names, *batches))


def _written(rendered: Rendered) -> Mapping[str, bytes]:
    """Return what would be written, by name: the records, and the marker."""
    records = {record.shown_path: record.content for record in rendered.records}
    return records | ({rendered.marker: b""} if rendered.marker else {})


def _compared(process: Process, entry: Entry, rendered: Rendered) -> Iterator[str]:
    """Yield one line for each difference to what was published."""
    before = {_name(output, entry): output for output in entry.outputs if output.kind is not Kind.ORIGINALS}
    contents = _written(rendered)
    digests = {path: part.sha256 for part, path in rendered.documents if part.role is not Role.METADATA}
    digests |= {path: hashlib.sha256(content).hexdigest() for path, content in contents.items()}
    if str(process.output) != entry.output:
        yield f"output folder: was {entry.output}, is {process.output} now"
    renamed = _renamed(before, digests)
    yield from (f"{old}: is called {new} now" for old, new in renamed.items())
    for name, output in before.items():
        if name in renamed:
            continue
        if name not in digests:
            yield f"{name}: is not written any more"
        elif digests[name] != output.sha256:
            yield from _changed(process, name, output, contents.get(name))
    yield from (f"{name}: is new" for name in digests if name not in before and name not in renamed.values())


def _added(context: Context, entry: Entry, rendered: Rendered) -> Iterator[str]:
    """Yield a line for each batch to which other records would be added.

    Raises Problem.
    """
    batches = context.ledger.batches
    before = {
        batch.name: [sha256 for id_, _, sha256 in batches.deliveries(batch) if id_ == entry.id]
        for batch in batches.of_deliveries([entry.id]).get(entry.id, [])
    }
    now = {
        addition.batch: [hashlib.sha256(record.content).hexdigest() for record in addition.records]
        for addition in rendered.additions
    }
    for name in sorted(before.keys() | now.keys()):
        if name not in now:
            yield f"batch {name}: nothing is added to it any more"
        elif name not in before:
            yield f"batch {name}: is added to now"
        elif before[name] != now[name]:
            yield f"batch {name}: what is added to it differs"


def _name(output: Output, entry: Entry) -> str:
    """Return a file's name in its output folder, as its process names it."""
    return output.target.removeprefix(f"{entry.output}/")


def _renamed(before: Mapping[str, Output], digests: Mapping[str, str]) -> dict[str, str]:
    """Return the new name of each file that has only another name."""
    free = {digest: name for name, digest in digests.items() if name not in before}
    gone = {name: output.sha256 for name, output in before.items() if name not in digests}
    return {name: free.pop(digest) for name, digest in gone.items() if digest in free}


def _changed(process: Process, name: str, output: Output, content: bytes | None) -> Iterator[str]:
    """Yield the differences of one file, if the published one is still there."""
    old = _unchanged(Path(output.target), output.sha256)
    if content is None or old is None:
        where = "what was published is not there any more to be compared" if old is None else "another document"
        yield f"{name}: differs ({where})"
        return
    form = forms(process.config).get(PurePosixPath(name).suffix, RecordStyle())
    yield from (f"{name}  {each}" for each in differences(form, old, content))


def _unchanged(path: Path, sha256: str) -> bytes | None:
    try:
        content = path.read_bytes()
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest() == sha256 else None
