"""The pieces of one process, each compiled by itself, so that the fault of one hides none of another."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import ParamSpec, TypeVar

from receiver import documents
from receiver.core.faults import Fault, Misconfigured, did_you_mean
from receiver.core.libraries import reading
from receiver.formats import checking as records
from receiver.formats.checking import Check
from receiver.formats.fhir import check as fhir
from receiver.formats.hl7 import standard as hl7
from receiver.metadata import reader
from receiver.metadata.reader import MetadataReader
from receiver.schemas.folder import Schemas
from receiver.site.config.model import PersonsConfig, ProcessConfig, RecordConfig
from receiver.site.config.tokens import Tokens
from receiver.site.process import Process, RecordRule
from receiver.store.sharing import group_id
from receiver.templates import Condition, Template, Templates
from receiver.templates.filters.person_words import Words, folded, folded_degrees
from receiver.templates.filters.persons import Customs
from receiver.templates.templates import Dialect

STANDARDS = {"hl7": hl7, "fhir": fhir}  # what a record may satisfy besides a schema of one's own
LINE_ENDS = {"lf": "\n", "crlf": "\r\n"}

Arguments = ParamSpec("Arguments")
Piece = TypeVar("Piece")


@dataclass(frozen=True, slots=True)
class RecordPieces:
    """What of one record could be compiled; None where it could not, or for a condition that is not given."""

    config: RecordConfig
    template: Template | None
    path: Template | None
    when: Condition | None
    check: Check | None


@dataclass(frozen=True, slots=True)
class Pieces:
    """What of one process could be compiled; None where it could not, or for a marker that is not given."""

    config: ProcessConfig
    tokens: Tokens
    metadata: MetadataReader | None
    documents: Template | None
    marker: Template | None
    records: tuple[RecordPieces, ...]
    faults: tuple[Fault, ...]

    def process(self, output: Path, digest: str) -> Process | None:
        """Put the pieces together; None where one of them is missing."""
        rules = [
            RecordRule(
                each.template, each.path, each.when, each.config.encoding, LINE_ENDS[each.config.line_ends], each.check
            )
            for each in self.records
            if each.template and each.path and each.check
        ]
        if self.faults or self.metadata is None or self.documents is None:
            return None
        return Process(
            self.config,
            self.tokens,
            self.metadata,
            self.documents,
            self.marker,
            tuple(rules),
            output,
            group_id(self.config.output.group),
            digest,
        )


def compile(configured: ProcessConfig, tokens: Tokens, schemas: Schemas) -> Pieces:  # noqa: A001 (as re.compile)
    """Compile every piece of a process, with the faults of all."""
    work = _Work(configured, schemas, Templates(configured.folder, schemas.site, customs=customs(configured.persons)))
    output = configured.output
    work.faults.extend(work.conversions())
    work.faults.extend(work.group())
    return Pieces(
        configured,
        tokens,
        work.attempt(reader.compile, configured, schemas),
        work.path(output.documents, "output", "documents"),
        work.path(output.marker, "output", "marker") if output.marker else None,
        tuple(work.record(record, index) for index, record in enumerate(configured.records)),
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


def start(configured: ProcessConfig, *position: str | int) -> tuple[int, int]:
    """Return line and column of the first character of a text in process.toml, behind its quote."""
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
        except Misconfigured as error:
            self.faults.extend(error.faults)
            return None

    def path(self, written: str, *position: str | int) -> Template | None:
        return self.attempt(
            self.templates.path, written, self.configured.source.file, *start(self.configured, *position)
        )

    def record(self, record: RecordConfig, index: int) -> RecordPieces:
        return RecordPieces(
            record,
            self.attempt(self._template, record, index),
            self.path(record.path, "records", index, "path"),
            self.attempt(self._condition, record.when, index) if record.when else None,
            self.attempt(self._check, record, index),
        )

    def _template(self, record: RecordConfig, index: int) -> Template:
        folder = self.configured.folder
        if not (folder / record.template).is_file():
            known = [path.relative_to(folder).as_posix() for path in folder.rglob("*.j2")]
            message = f'there is no "{record.template}" in the folder of the process'
            raise self._missing("missing-file", message, did_you_mean(record.template, known), index, "template")
        dialect = Dialect(record.quote, record.delimiter, record.forbid)
        return self.templates.record(record.template, record.format, record.encoding, dialect)

    def _condition(self, written: str, index: int) -> Condition:
        line, column = start(self.configured, "records", index, "when")
        return self.templates.condition(written, self.configured.source.file, line, column)

    def _check(self, record: RecordConfig, index: int) -> Check:
        standard = STANDARDS.get(record.schema or "")
        if standard and not standard.available():
            message = f"records of {record.schema} are checked by {standard.LIBRARY}, which is not installed"
            hint = f"pip install 'receiver[{record.schema}]'"
            raise self._missing("missing-extra", message, hint, index, "schema")
        if record.schema and not standard and (missing := self.schemas.missing(record.schema)):
            raise self._missing("missing-file", *missing, index, "schema")
        return records.checker(record.format, record.encoding, record.schema, self.schemas, self._delimiter(record))

    def _delimiter(self, record: RecordConfig) -> str:
        """Return what stands between the cells of CSV; a template that cannot be read has its fault already."""
        if record.format == "csv" and record.delimiter is None:
            with suppress(Misconfigured):
                return self.templates.delimiter(record.template) or ","
        return record.delimiter or ","

    def conversions(self) -> Iterator[Fault]:
        """Yield a fault for each part that is to be converted where nothing can convert it."""
        wanted = [part.name for part in self.configured.parts if part.convert]
        if wanted and not documents.can_convert():
            message, hint = "documents are converted by img2pdf, which is not installed", "pip install 'receiver[pdf]'"
            for name in wanted:
                yield self.configured.fault("missing-extra", message, "parts", name, "convert", hint=hint)

    def group(self) -> Iterator[Fault]:
        """Yield a fault where this host does not know the group of the output."""
        written = self.configured.output.group
        try:
            group_id(written)
        except KeyError:
            hint = f"groupadd --system {written}, on the host of the service"
            yield self.configured.fault("unknown-group", "this host has no such group", "output", "group", hint=hint)

    def _missing(self, code: str, message: str, hint: str, index: int, key: str) -> Misconfigured:
        return Misconfigured([self.configured.fault(code, message, "records", index, key, hint=hint)])
