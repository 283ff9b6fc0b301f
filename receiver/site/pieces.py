"""Compiles one process in pieces, so that one fault hides no other."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ParamSpec, TypeVar

from receiver import documents
from receiver.core.faults import ConfigurationError, Fault, reading
from receiver.formats import checking as records
from receiver.formats.checking import Check
from receiver.formats.fhir import check as fhir
from receiver.formats.hl7 import check as hl7
from receiver.metadata import compiling
from receiver.metadata.reader import MetadataReader
from receiver.schemas.folder import Schemas
from receiver.site.config.model import BatchConfig, PersonsConfig, ProcessConfig, RecordConfig, RuleConfig
from receiver.site.config.tokens import Tokens
from receiver.site.process import BatchRule, Process, RecordRule, Rule
from receiver.store.folders import group_id
from receiver.templates import Condition, Items, Template, Templates
from receiver.templates.filters.person_words import Words, folded, folded_degrees
from receiver.templates.filters.persons import Customs
from receiver.templates.templates import EVERYWHERE, Dialect
from receiver.templates.unit import BATCH, EXPORTED, Scope

STANDARDS = {"hl7": hl7, "fhir": fhir}  # what a record may satisfy besides a schema of one's own
LINE_ENDS = {"lf": "\n", "crlf": "\r\n", "hl7": "\r", "csv": "\r\n"}

Arguments = ParamSpec("Arguments")
Piece = TypeVar("Piece")


@dataclass(frozen=True, slots=True)
class RecordPieces:
    """The compiled pieces of one record; None for faulty or absent ones."""

    config: RecordConfig
    template: Template | None
    path: Template | None
    when: Condition | None
    check: Check | None
    each: Items | None = None


@dataclass(frozen=True, slots=True)
class BatchPieces:
    """The compiled pieces of one kind of batch; None for faulty or absent ones."""

    config: BatchConfig
    record: RecordConfig  # the first that goes into it, as which header and trailer are written
    path: Template | None
    header: Template | None
    trailer: Template | None

    def rule(self, root: Path) -> BatchRule | None:
        """Put the pieces together; None if one of them is missing."""
        if self.path is None:
            return None
        encoding, line_end = self.record.encoding, LINE_ENDS.get(self.record.format, LINE_ENDS[self.record.line_ends])
        where = folder_of(self.config, root)
        return BatchRule(
            self.config.name, self.path, self.header, self.trailer, encoding, line_end, self.config.closing, where
        )


@dataclass(frozen=True, slots=True)
class Pieces:
    """The compiled pieces of one process; None for faulty or absent ones."""

    config: ProcessConfig
    tokens: Tokens
    metadata: MetadataReader | None
    documents: Template | None
    marker: Template | None
    rules: tuple[Rule | None, ...]
    records: tuple[RecordPieces, ...]
    batches: tuple[BatchPieces, ...]
    faults: tuple[Fault, ...]

    def process(self, output: Path, digest: str, root: Path = Path()) -> Process | None:
        """Put the pieces together; None if one of them is missing."""
        batches = {rule.name: rule for each in self.batches if (rule := each.rule(root))}
        rules = [
            RecordRule(
                each.template,
                each.path,
                each.when,
                each.config.encoding,
                LINE_ENDS[each.config.line_ends],
                each.check,
                each.each,
                batches.get(each.config.batch or ""),
                folder_of(each.config, root),
            )
            for each in self.records
            if each.template and each.check
        ]
        if self.faults or self.metadata is None or self.documents is None:
            return None
        return Process(
            self.config.name,
            self.config,
            self.tokens,
            self.metadata,
            self.documents,
            self.marker,
            tuple(filter(None, self.rules)),
            tuple(rules),
            batches,
            output,
            group_id(self.config.output.group),
            digest,
            further_outputs(self.config, root),
        )


def groups(config: ProcessConfig) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the groups that a process names, each with its place in process.toml."""
    named: list[tuple[tuple[str | int, ...], str | None]] = [(("output", "group"), config.output.group)]
    named += [(("records", index, "group"), record.group) for index, record in enumerate(config.records)]
    named += [(("batches", batch.name, "group"), batch.group) for batch in config.batches]
    yield from ((position, written) for position, written in named if written)


def folder_of(config: RecordConfig | BatchConfig, root: Path) -> Path | None:
    """Return the own folder of records or batches; None if it is the process's.

    It is below the root of all output.
    """
    return (root / config.directory).absolute() if config.directory else None


def further_outputs(config: ProcessConfig, root: Path) -> dict[Path, int | None]:
    """Return the output folders of a process besides its own, and whose they are.

    Raises KeyError.
    """
    found: dict[Path, int | None] = {}
    every: tuple[RecordConfig | BatchConfig, ...] = (*config.records, *config.batches)
    for each in every:
        if folder := folder_of(each, root):
            found[folder] = group_id(each.group) if each.group else found.get(folder)
    return found


def compile_process(configured: ProcessConfig, tokens: Tokens, schemas: Schemas) -> Pieces:
    """Compile every piece of a process, with the faults of all."""
    work = _Work(configured, schemas, Templates(configured.folder, schemas.site, customs=customs(configured.persons)))
    output = configured.output
    work.faults.extend(work.conversions())
    work.faults.extend(work.group())
    return Pieces(
        configured,
        tokens,
        work.attempt(compiling.compile, configured, schemas),
        work.path(output.documents, "output", "documents"),
        work.path(output.marker, "output", "marker") if output.marker else None,
        tuple(work.attempt(work.rule, rule, index) for index, rule in enumerate(configured.rules)),
        tuple(work.record(record, index) for index, record in enumerate(configured.records)),
        tuple(map(work.batch, configured.batches)),
        tuple(work.faults),
    )


def customs(written: PersonsConfig) -> Customs:
    """Return how the process's persons are called."""
    words = Words(
        titles=folded(written.titles),
        suffixes=folded(written.suffixes),
        degrees=folded_degrees(written.degrees),
        particles=folded(written.particles),
        names=folded(written.names),
    )
    return Customs(written.order, written.given_name, written.family_names, words)


def dialect(record: RecordConfig) -> Dialect:
    """Return how the record is written if its format leaves that open."""
    return Dialect(record.quote, record.delimiter, record.forbid)


def scope_of(templates: Templates, record: RecordConfig) -> Scope:
    """Return what a record may name.

    Raises `ConfigurationError` for an `each` that cannot be read.
    """
    scope = templates.scope_of_record(record.each)
    return scope.naming({EXPORTED}) if record.batch else scope


def start(configured: ProcessConfig, *position: str | int) -> tuple[int, int]:
    """Return line and column of a text's first character in process.toml."""
    line, column = configured.position(*position)
    return line, column + 1


@dataclass(frozen=True, slots=True)
class _Work:
    """Compiles piece by piece, and gathers the faults."""

    configured: ProcessConfig
    schemas: Schemas
    templates: Templates
    faults: list[Fault] = field(default_factory=list)

    def attempt(
        self, compiled: Callable[Arguments, Piece], *arguments: Arguments.args, **named: Arguments.kwargs
    ) -> Piece | None:
        try:
            with reading(self.configured.source.file):
                return compiled(*arguments, **named)
        except ConfigurationError as error:
            self.faults.extend(error.faults)
            return None

    def path(self, written: str, *position: str | int, scope: Scope = EVERYWHERE) -> Template | None:
        place = (self.configured.source.file, *start(self.configured, *position))
        return self.attempt(self.templates.path, written, *place, scope)

    def record(self, record: RecordConfig, index: int) -> RecordPieces:
        each = self.attempt(self._items, record.each, index) if record.each else None
        scope = EVERYWHERE.of_item("")  # for an `each` that has a fault: `item` has none
        if each or record.each is None:
            scope = scope_of(self.templates, record)
        return RecordPieces(
            record,
            self.attempt(self._template, record, index, scope),
            self.path(record.path, "records", index, "path", scope=scope) if record.path else None,
            self.attempt(self._condition, record.when, "records", index, "when", scope=scope) if record.when else None,
            self.attempt(self._check, record, index),
            each,
        )

    def batch(self, batch: BatchConfig) -> BatchPieces:
        record = next(each for each in self.configured.records if each.batch == batch.name)
        where = ("batches", batch.name)
        return BatchPieces(
            batch,
            record,
            self.path(batch.path, *where, "path", scope=BATCH),
            self.attempt(self._written, batch.header, record, *where, "header") if batch.header else None,
            self.attempt(self._written, batch.trailer, record, *where, "trailer") if batch.trailer else None,
        )

    def _template(self, record: RecordConfig, index: int, scope: Scope) -> Template:
        return self._compiled(record.template, record, scope, "records", index, "template")

    def _written(self, template: str, record: RecordConfig, *position: str) -> Template:
        """Compile a batch's template in its records' dialect, which it need not repeat."""
        if record.format == "csv" and record.delimiter is None:
            record = replace(record, delimiter=self._delimiter(record))
        return self._compiled(template, record, BATCH, *position)

    def _compiled(self, name: str, record: RecordConfig, scope: Scope, *position: str | int) -> Template:
        if (hint := self.templates.missing(name)) is not None:
            message = f'there is no "{name}" in the folder of the process'
            raise self._missing("missing-file", message, hint, *position)
        return self.templates.record(name, record.format, record.encoding, dialect(record), scope)

    def rule(self, rule: RuleConfig, index: int) -> Rule:
        place = f"{self.configured.source.file}#/rules/{rule.name}"
        return Rule(rule, self._condition(rule.must, "rules", index, "must"), place)

    def _condition(self, written: str, *position: str | int, scope: Scope = EVERYWHERE) -> Condition:
        line, column = start(self.configured, *position)
        return self.templates.condition(written, self.configured.source.file, line, column, scope)

    def _items(self, written: str, index: int) -> Items:
        line, column = start(self.configured, "records", index, "each")
        return self.templates.items(written, self.configured.source.file, line, column)

    def _check(self, record: RecordConfig, index: int) -> Check:
        standard = STANDARDS.get(record.schema or "")
        if standard and not standard.available():
            message = f"records of {record.schema} are checked by {standard.LIBRARY}, which is not installed"
            hint = f"pip install 'receiver[{record.schema}]'"
            raise self._missing("missing-extra", message, hint, "records", index, "schema")
        if record.schema and not standard and (missing := self.schemas.missing(record.schema)):
            raise self._missing("missing-file", *missing, "records", index, "schema")
        return records.checker(record.format, record.encoding, record.schema, self.schemas, self._delimiter(record))

    def _delimiter(self, record: RecordConfig) -> str:
        """Return the delimiter of CSV; an unreadable template has its fault already."""
        if record.format == "csv" and record.delimiter is None:
            with suppress(ConfigurationError):
                return self.templates.delimiter(record.template) or ","
        return record.delimiter or ","

    def conversions(self) -> Iterator[Fault]:
        """Yield a fault for each part that is to be converted if nothing can convert it."""
        wanted = [part.name for part in self.configured.parts if part.convert]
        if wanted and not documents.can_convert():
            message, hint = "documents are converted by img2pdf, which is not installed", "pip install 'receiver[pdf]'"
            for name in wanted:
                yield self.configured.fault("missing-extra", message, "parts", name, "convert", hint=hint)

    def group(self) -> Iterator[Fault]:
        """Yield a fault where this host does not know the group of the output."""
        for position, written in groups(self.configured):
            try:
                group_id(written)
            except KeyError:
                hint = f"groupadd --system {written}, on the host of the service"
                yield self.configured.fault("unknown-group", "this host has no such group", *position, hint=hint)

    def _missing(self, code: str, message: str, hint: str, *position: str | int) -> ConfigurationError:
        return ConfigurationError([self.configured.fault(code, message, *position, hint=hint)])
