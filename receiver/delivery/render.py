"""From a reading to files and the ledger's entry: document names, checked records, the marker.

What is not published is kept in quarantine from here.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from operator import attrgetter
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from receiver import documents
from receiver.core.batches import Addition
from receiver.core.delivery import Delivery, Kind, Output, Part, Reading, Receipt, Record, Role, Status, delivery_id
from receiver.core.limits import MAX_RECORDS
from receiver.core.problems import PASSING, Code, Problem, Violation
from receiver.core.work import Step, timed
from receiver.delivery import batches
from receiver.delivery.context import Context, Intake
from receiver.delivery.each import Names, render_each, together, too_many
from receiver.delivery.parts import Collected, match
from receiver.delivery.rules import judge
from receiver.site.process import Process, RecordRule
from receiver.store import digests, originals, quarantine
from receiver.store.entry import Entry, PartLine
from receiver.store.staged import Staged
from receiver.templates.names import DocumentView, names, with_documents
from receiver.templates.source import Place

_conversion, _shown_path = attrgetter("convert"), attrgetter("shown_path")
LINE = re.compile(r"line (\d+)")  # as the formats' checks begin a place


class Rendered(NamedTuple):
    """Everything a delivery becomes, by paths below the process's output folder."""

    documents: tuple[tuple[Part, str], ...]
    records: tuple[Record, ...]
    marker: str | None
    additions: tuple[Addition, ...] = ()  # to batches


@timed(Step.RENDER)
def as_published(process: Process, parts: Sequence[Part], staged: Staged) -> tuple[Part, ...]:
    """Return the parts as published: on disk, and converted to PDF if asked for.

    Raises `Problem`.
    """
    staged.write([part.file for part in parts if part.role is not Role.METADATA])
    rules = process.config.parts
    converted = list(filter(_conversion, rules))
    if not converted:
        return tuple(parts)
    return tuple(
        documents.as_pdf(part, staged, process.name) if match(rules, part.name)[1] in converted else part
        for part in parts
    )


@timed(Step.RENDER)
def render(
    process: Process,
    delivery: Delivery,
    reading: Reading,
    parts: Sequence[Part],
    low: Problem | None = None,
    *,
    accept_rules: bool = False,
) -> Rendered:
    """Render every file of a delivery that meets the rules.

    `low` is the problem of a confidence that is too low, to be told together with the rules that are broken.

    Raises `Problem` with the faults of all records at once.
    """
    known = names(delivery, reading)
    named, taken, views = _named(process, delivery, known, parts)
    values = with_documents(known, views)
    if process.rules or low:
        judge(process, values, low, accept=accept_rules)
    records = _records(process.records, values)
    if process.records and not records and process.config.delivery.without_records != "publish":
        reason = "No record's condition holds for this delivery, or there is nothing to make one for each of."
        raise Problem(Code.NO_RECORD, "No record applies to this delivery.", [Violation("records", "when", reason)])
    marker = process.marker.render(values) if process.marker else None
    additions = batches.additions(process, delivery, records) if process.batches else ()
    files = [record for record in records if not record.batch] if additions else records
    _refuse_clashes(taken, list(map(_shown_path, files)), marker)
    return Rendered(tuple(named), tuple(files), marker, additions)


def _records(rules: Iterable[RecordRule], values: Names) -> list[Record]:
    records: list[Record] = []
    problems: list[Problem] = []
    for rule in rules:
        try:
            if rule.each:
                records += render_each(rule.each, values, partial(_one, rule))
            elif rule.when is None or rule.when.holds(values):
                records.append(_record(rule, values))
        except Problem as problem:
            problems.append(problem)
        if len(records) > MAX_RECORDS:
            raise too_many()
    if problems:
        raise together(problems)
    return records


def _named(
    process: Process, delivery: Delivery, known: Names, parts: Sequence[Part]
) -> tuple[list[tuple[Part, str]], set[str], list[DocumentView]]:
    """Name each document and attachment; an equal name gets -2 before its suffix.

    Returns these, the names that are taken, folded, and what templates see of the documents.
    """
    named: list[tuple[Part, str]] = []
    views: list[DocumentView] = []
    taken: set[str] = set()
    last: dict[str, int] = {}  # of each name, the number given last: a thousand pages may have the same
    for part in parts:
        if part.role is Role.METADATA:
            continue
        view = DocumentView(part, delivery.process)
        path = process.documents.render(with_documents(known, [view]))
        first = _folded(path)
        unique, folded, count = path, first, last.get(first, 1)
        while folded in taken:
            count += 1
            unique = str(PurePosixPath(path).with_stem(f"{PurePosixPath(path).stem}-{count}"))
            folded = _folded(unique)
        last[first] = count
        taken.add(folded)
        named.append((part, unique))
        if part.role is Role.DOCUMENT:
            view["path"] = unique
            views.append(view)
    return named, taken, views


def _one(rule: RecordRule, values: Names) -> list[Record]:
    """Render the record of a rule; none if its condition does not hold."""
    return [_record(rule, values)] if rule.when is None or rule.when.holds(values) else []


def _record(rule: RecordRule, values: Names) -> Record:
    path = rule.path.render(values) if rule.path else ""
    exported: dict[str, str] = {}
    seen = {**values, "exported": exported} if rule.batch else values
    text = rule.template.render(seen).replace("\n", rule.line_end)
    content = text.encode(rule.encoding)  # whatever it is: each value was proven when it was printed
    violations = rule.check(text)
    if violations:
        raise _invalid(rule, violations, seen)
    return Record(path, content, rule.batch.name, exported) if rule.batch else Record(path, content, root=rule.root)


def _invalid(rule: RecordRule, violations: Sequence[Violation], values: Names) -> Problem:
    """Return the problem of a record, each fault with its template's line."""
    lines = rule.template.lines(values) or [Place(rule.template.name, 1, 1)]  # none: it is empty
    placed = [replace(each, where=f"{_written(lines, each.where)}, record {each.where}") for each in violations]
    return Problem(Code.RECORD_INVALID, f"The record of {rule.template.name} is not as it must be.", placed)


def _written(lines: Sequence[Place], where: str) -> str:
    """Return the template's place for what a violation names, as "line 3, PID-7"."""
    named = LINE.match(where)
    number = int(named[1]) if named else 1
    place = lines[min(number, len(lines)) - 1]
    return f"{place.file}:{place.line}"


def _refuse_clashes(documents: Iterable[str], records: Sequence[str], marker: str | None) -> None:
    """Raise `Problem` if two files get the same name, or one that a folder needs.

    Names of documents are folded.
    """
    files = [*documents, *map(_folded, records), *([_folded(marker)] if marker else [])]
    folders: set[str] = set()
    for path in files:
        if "/" in path:
            folders.update(map(str, PurePosixPath(path).parents))
    if len(set(files)) < len(files) or not folders.isdisjoint(files):
        reason = _same_record(records) or "Two files of this delivery would get the same name."
        violation = Violation("path", "unique", reason)
        raise Problem(Code.NAME_TAKEN, "Give each record and the marker a path of its own.", [violation])


def _same_record(records: Sequence[str]) -> str:
    """Return which records have one path, or ""."""
    first: dict[str, int] = {}
    for number, path in enumerate(map(_folded, records), start=1):
        if path in first:
            return f"Of the records of this delivery, number {first[path]} and number {number} would get the same name."
        first[path] = number
    return ""


def _folded(path: str) -> str:
    """Fold a path as the least careful file system does: no case, one Unicode form."""
    return unicodedata.normalize("NFC", path).casefold()


def plan(
    intake: Intake, delivery: Delivery, parts: Sequence[Part], rendered: Rendered, fields: Mapping[str, Any]
) -> Entry:
    """Stage the rendered files beside the parts, and return the entry to commit."""
    context, process, staged = intake.context, intake.process, intake.staged
    outputs = stage_outputs(context, process, rendered, staged)
    entry = _entry(
        intake,
        delivery.id,
        delivery.source_id,
        parts,
        version=delivery.version,
        outputs=outputs,
        output=str(process.output),
        stage=str(staged.folder),
        groups=groups_of(process),
        additions=rendered.additions,
        digests=_digests(intake, fields) if process.config.console.keys else None,
    )
    if not process.config.retention.originals:
        return entry
    return entry._replace(outputs=(*outputs, originals.lay_out(context.settings.data, staged, entry, parts)))


def keep_in_quarantine(intake: Intake, collected: Collected, source_id: str, problem: Problem) -> Receipt:
    """Keep a delivery in quarantine; return a held one's receipt, or raise `problem`."""
    if problem.code in PASSING or not collected.whole:
        raise problem
    context, process = intake.context, intake.process
    id_ = delivery_id(process.name, source_id, collected.parts, process.config.delivery.identity)
    status = Status.HELD if holds(process, problem) else Status.REFUSED
    known = {"version": None, "status": status, "code": problem.code, "violations": problem.violations}
    found = _digests(intake, _peeked(process, collected.parts)) if process.config.console.keys else None
    entry = _entry(intake, id_, source_id, collected.parts, **known, digests=found)
    receipt = quarantine.keep(
        context.ledger, context.settings.data, intake.staged, entry, collected.parts, problem.detail
    )
    if receipt.status is Status.REFUSED:
        problem.kept_as = id_
        raise problem
    return receipt._replace(problem=problem) if receipt.status is Status.HELD else receipt


def _digests(intake: Intake, fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the digests that a delivery is found by, of the fields that the process names."""
    return digests.digests(intake.context.settings.data, intake.process.config.console.keys, fields)


def _peeked(process: Process, parts: Sequence[Part]) -> Mapping[str, Any]:
    """Return the fields of a refused delivery, as far as they are readable."""
    metadata = [part for part in parts if part.role is Role.METADATA]
    if len(metadata) != 1:
        return {}
    try:
        return process.metadata.peek(metadata[0].read(), metadata[0].charset).fields
    except Problem:
        return {}


def holds(process: Process, problem: Problem) -> bool:
    """Return whether the process holds such a delivery for repair, not refuses it."""
    if problem.held is not None:
        return problem.held
    code = problem.code
    if code is Code.CONFIDENCE_LOW:
        return process.config.confidence.below == "hold"
    if code is Code.MALWARE_FOUND:
        return True
    if code is Code.NO_RECORD:
        return process.config.delivery.without_records == "hold"
    return process.config.delivery.on_invalid == "hold" and code is not Code.SOURCE_ID_CONFLICT


def _entry(intake: Intake, id_: str, source_id: str, parts: Sequence[Part], **known: Any) -> Entry:
    return Entry(
        id=id_,
        process=intake.process.name,
        source_id=source_id,
        received_at=intake.arrival.at,
        peer=intake.arrival.peer,
        configuration=intake.process.digest,
        parts=tuple(map(PartLine.of, parts)),
        replay=intake.arrival.replay,
        **known,
    )


def stage_outputs(context: Context, process: Process, rendered: Rendered, staged: Staged) -> tuple[Output, ...]:
    """Stage the rendered files beside the parts; return all with their final names."""
    root = f"{process.output}/"
    shown = context.shown(root)
    outputs = [
        Output(Kind.DOCUMENT, part.file, shown + path, root + path, part.size, part.sha256)
        for part, path in rendered.documents
    ]
    for record in rendered.records:
        file = staged.add(record.content)
        outputs.append(Output(Kind.RECORD, file.name, shown + record.path, root + record.path, file.size, file.sha256))
        if record.root:
            outputs[-1] = _in_root(outputs[-1], record.root, record.path, context)
    if rendered.marker:
        file = staged.add(b"")
        path = rendered.marker
        outputs.append(Output(Kind.MARKER, file.name, shown + path, root + path, file.size, file.sha256))
    return tuple(outputs)


def _in_root(output: Output, root: Path, path: str, context: Context) -> Output:
    """Return an output that is published in another folder than the process's own."""
    target = f"{root}/{path}"
    return output._replace(path=context.shown(target), target=target, root=str(root))


def groups_of(process: Process) -> dict[str, int]:
    """Return the groups of a process's further output folders, by folder."""
    return {str(root): group for root, group in process.further.items() if group is not None}
