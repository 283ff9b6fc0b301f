"""What the sample cases leave untried: lines, conditions, rules and fields."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from receiver.authoring.cases.cases import root
from receiver.authoring.cases.outcome import Outcome
from receiver.metadata.tables import Table
from receiver.site.pieces import customs, dialect, scope_of
from receiver.site.process import Process
from receiver.templates import Condition, Items, Template, Templates, Trace
from receiver.templates.source import Place


@dataclass(frozen=True, slots=True)
class FileCoverage:
    """What was tried of one template."""

    file: str  # relative to the site
    tried: int  # lines rendered, and ways that conditions turned out
    total: int
    lines: tuple[int, ...]  # never rendered
    never: tuple[tuple[Place, bool], ...]  # conditions, and how they never turned out

    @property
    def percent(self) -> float:
        """How much was tried, from 0 to 100."""
        return 100 * self.tried / self.total if self.total else 100.0


@dataclass(frozen=True, slots=True)
class FieldCoverage:
    """What of the fields schema nobody uses."""

    unread: tuple[str, ...]  # by any template, path or condition
    uncarried: tuple[str, ...]  # by any sample case; cells of tables as well, items.sku


def traced(process: Process) -> tuple[Process, Trace]:
    """Return the process with templates that note in the trace what is rendered."""
    config, trace = process.config, Trace()
    templates = Templates(config.folder, root(process), trace, customs(config.persons))
    compiled = [
        templates.record(record.template, record.format, record.encoding, dialect(record), scope_of(templates, record))
        for record in config.records
    ]
    rules = [replace(rule, template=template) for rule, template in zip(process.records, compiled, strict=True)]
    return replace(process, records=tuple(rules)), trace


def of_templates(trace: Trace) -> list[FileCoverage]:
    """Return the coverage of each template, and of each file that one includes."""
    return [_of_file(trace, file) for file in sorted({file for file, _ in trace.lines})]


def of_fields(process: Process, known: Collection[str], outcomes: Iterable[Outcome]) -> FieldCoverage:
    """Return which of the fields that the schema knows are used by nobody."""
    read = {read.name for piece in _pieces(process) for read in piece.reads}
    readings = [outcome.reading for outcome in outcomes if outcome.reading]
    carried = {name for reading in readings for name in reading.fields}
    uncarried = [name for name in known if name not in carried]
    uncarried += _uncarried_cells(
        process.metadata.tables, {cell.name for reading in readings for cell in reading.cells}
    )
    return FieldCoverage(tuple(name for name in known if name not in read), tuple(uncarried))


def _uncarried_cells(tables: Iterable[Table], carried: Collection[str]) -> Iterator[str]:
    for table in tables:
        yield from (name for cell in table.listed if (name := f"{table.name}.{cell}") not in carried)
        yield from _uncarried_cells(table.inner, carried)


def unbroken(process: Process, outcomes: Iterable[Outcome]) -> list[str]:
    """Return the names of the rules that no delivery has broken."""
    broken = {name for outcome in outcomes if outcome.problem for name in outcome.problem.rules}
    return [rule.name for rule in process.rules if rule.name not in broken]


def percent(files: Collection[FileCoverage]) -> float:
    """Return how much of all files was tried, from 0 to 100."""
    total = sum(file.total for file in files)
    return 100 * sum(file.tried for file in files) / total if total else 100.0


def _of_file(trace: Trace, file: str) -> FileCoverage:
    lines = {line: rendered for (found, line), rendered in trace.lines.items() if found == file}
    conditions = {place: seen for place, seen in trace.conditions.items() if place.file == file}
    never = [(place, way) for place in sorted(conditions) for way in (True, False) if way not in conditions[place]]
    return FileCoverage(
        file=file,
        tried=sum(lines.values()) + sum(map(len, conditions.values())),
        total=len(lines) + 2 * len(conditions),
        lines=tuple(sorted(line for line, rendered in lines.items() if not rendered)),
        never=tuple(never),
    )


def _pieces(process: Process) -> Iterator[Template | Condition | Items]:
    yield process.documents
    if process.marker:
        yield process.marker
    yield from (rule.must for rule in process.rules)
    for record in process.records:
        yield record.template
        yield from filter(None, (record.path, record.when, record.each))
    for batch in process.batches.values():
        yield from filter(None, (batch.path, batch.header, batch.trailer))
