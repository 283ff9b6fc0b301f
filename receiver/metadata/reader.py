"""Reads the metadata of one process's deliveries: everything compiled once, all faults reported at once."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType, ModuleType
from typing import Any, Protocol

from receiver.core.delivery import Reading
from receiver.core.faults import ConfigurationError, Fault, reading
from receiver.core.problems import Code, Problem, Violation
from receiver.metadata import json, tables, xml
from receiver.metadata.fields import Gathered, Layout, Path, Rules, WrongPathError, gather, source_id_fault, typed
from receiver.metadata.tables import Column, Rows, Table
from receiver.schemas.encodings import MalformedError
from receiver.schemas.folder import Schemas
from receiver.schemas.json_schema import JsonSchema
from receiver.schemas.xsd import XmlSchema

NO_ROWS = Rows()
NOTHING: Mapping[str, str] = MappingProxyType({})
NAME = re.compile(r"[\w.-]+")  # in a path


class MetadataSection(Protocol):
    """What `[metadata]` says."""

    @property
    def schema(self) -> str: ...
    @property
    def source_id(self) -> str: ...


class FieldsSection(Protocol):
    """What `[fields]` says."""

    @property
    def each(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def value(self) -> str: ...
    @property
    def confidence(self) -> str: ...
    @property
    def scale(self) -> float: ...
    @property
    def schema(self) -> str | None: ...
    @property
    def repeated(self) -> tuple[str, ...]: ...
    @property
    def aliases(self) -> Mapping[str, str]: ...


class ColumnSection(Protocol):
    """What `columns` says of one cell."""

    @property
    def value(self) -> str: ...
    @property
    def confidence(self) -> str | None: ...


class TableSection(Protocol):
    """What `[tables.NAME]` says."""

    @property
    def rows(self) -> str: ...
    @property
    def within(self) -> str | None: ...
    @property
    def each(self) -> str | None: ...
    @property
    def name(self) -> str: ...
    @property
    def value(self) -> str: ...
    @property
    def confidence(self) -> str: ...
    @property
    def scale(self) -> float: ...
    @property
    def columns(self) -> Mapping[str, ColumnSection]: ...
    @property
    def schema(self) -> str | None: ...


class Configured(Protocol):
    """The part of a process's configuration that metadata is read by."""

    @property
    def metadata(self) -> MetadataSection: ...
    @property
    def fields(self) -> FieldsSection: ...
    @property
    def tables(self) -> Mapping[str, TableSection]: ...
    @property
    def fault(self) -> Callable[..., Fault]: ...


@dataclass(frozen=True, slots=True)
class MetadataReader:
    """Turns the bytes of a metadata part into a `Reading`. Shared by all threads; nothing in it changes."""

    form: ModuleType  # json or xml: sibling modules with the same functions
    schema: JsonSchema | XmlSchema
    source_id: Path
    layout: Layout
    rules: Rules
    fields_schema: JsonSchema | None
    warnings: tuple[Fault, ...]  # what the schemas pass over in silence
    known: frozenset[str]  # names that the configuration holds; any other is called by its place, for it may be data
    tables: tuple[Table, ...] = ()  # those within others are in these

    def read(self, content: bytes, charset: str = "", corrections: Mapping[str, str] = NOTHING) -> Reading:
        """Read the metadata; `charset` is that of its part. Raises `Problem` with every violation that can be told.

        `corrections` are values that a person puts in the place of the platform's, by field, or by cell as
        /tables/items/0/sku: judged by the same schemas, and sure.
        """
        document = self._parse(content, charset)
        broken = self.schema.violations(self.form.judged(document))
        identity = self.form.source_id(document, self.source_id)
        gathered = self._gather(document)
        rows = tables.read(document, self.form, self.tables, corrections) if self.tables else NO_ROWS
        for name, text in corrections.items():
            if not name.startswith(tables.CELL):
                gathered.fields[name] = typed(text, gathered.fields.get(name))
                gathered.confidence[name] = 1.0
        found = [*self._source_id_violations(document, identity), *gathered.violations, *rows.unread]
        structure = [*broken, *(each for each in found if not _is_reported(each, broken))]
        rest = (*self._field_violations(gathered, complete=not gathered.violations), *rows.invalid)
        known = "" if source_id_fault(identity) else identity
        if structure:
            detail = "The metadata does not satisfy its schema."
            raise Problem(Code.METADATA_INVALID, detail, [*structure, *rest], source_id=known)
        if rest:
            raise Problem(Code.FIELDS_INVALID, "The fields do not satisfy their schema.", rest, source_id=known)
        names = self.form.as_names(document)
        return Reading(identity, gathered.fields, gathered.confidence, names, rows.tables, tuple(rows.cells))

    def peek(self, content: bytes, charset: str) -> Reading:
        """Return the fields as far as they can be read, whatever schemas say: for a person who mends them.

        Raises `Problem` if the metadata cannot be parsed.
        """
        document = self._parse(content, charset)
        gathered = self._gather(document)
        identity = self.form.source_id(document, self.source_id)
        known = "" if source_id_fault(identity) else identity
        rows = tables.read(document, self.form, self.tables) if self.tables else NO_ROWS
        return Reading(known, gathered.fields, gathered.confidence, None, rows.tables, tuple(rows.cells))

    def _parse(self, content: bytes, charset: str) -> Any:
        try:
            return self.form.parse(content, charset)
        except MalformedError as error:
            fault = error
        where = f"line {fault.line}, column {fault.column}"
        detail = f"The metadata is not {self.form.NAME} that can be read."
        raise Problem(Code.METADATA_MALFORMED, detail, [Violation(where, "well-formed", fault.message)])

    def _gather(self, document: Any) -> Gathered:
        found = self.form.fields(document, self.layout, self.known)
        if found is not None:
            return gather(found, self.layout, self.rules)
        if self.tables and self.form.cells(self.form.top(document), self.layout.each) == []:
            return Gathered(lambda _: "/")  # metadata that has tables may have no fields besides
        place = self.form.place(document, self.layout.each, self.known)
        return Gathered(lambda _: place, violations=[Violation(place, "fields", "there are no fields here")])

    def _source_id_violations(self, document: Any, identity: Any) -> list[Violation]:
        fault = source_id_fault(identity)
        return [Violation(self.form.place(document, self.source_id, self.known), "source_id", fault)] if fault else []

    def _field_violations(self, gathered: Gathered, *, complete: bool) -> tuple[Violation, ...]:
        """Judge the fields; unless some could not be read, for they would be called missing."""
        if self.fields_schema is None or not complete:
            return ()
        return self.fields_schema.violations(gathered.fields, "fields", gathered.place_of)


def _is_reported(violation: Violation, broken: tuple[Violation, ...]) -> bool:
    """Return whether the schema has said the same already: at that place, right above or right below it."""
    where = violation.where
    above = where.rpartition("/")[0] or "/"
    return any(each.where in (where, above) or each.where.startswith(where + "/") for each in broken)


def compile(configured: Configured, schemas: Schemas) -> MetadataReader:  # noqa: A001 (as re.compile)
    """Compile what `[metadata]` and `[fields]` say. Raises `ConfigurationError` with every fault of it.

    The schema's ending says what the metadata is.
    """
    work = _Compiling(configured, schemas)
    form = xml if configured.metadata.schema.endswith(".xsd") else json
    schema = work.schema(form.schema, configured.metadata.schema, "metadata")
    fields_schema = work.schema(json.schema, configured.fields.schema, "fields")
    source_id = work.path(form.path, configured.metadata.source_id, "metadata", "source_id")
    names = ("each", "name", "value", "confidence")
    paths = [work.path(form.path, getattr(configured.fields, name), "fields", name) for name in names]
    own_tables = _tables(configured, work, form)
    if work.faults:
        raise ConfigurationError(work.faults)
    section = configured.fields
    rules = Rules(frozenset(section.repeated), dict(section.aliases), section.scale)
    known = _known(section, [source_id, *paths], [each for each in (schema, fields_schema) if each])
    layout = Layout(*paths)
    warnings = tuple(work.warnings)
    return MetadataReader(form, schema, source_id, layout, rules, fields_schema, warnings, known, own_tables)


def _tables(
    configured: Configured, work: "_Compiling", form: ModuleType, within: str | None = None
) -> tuple[Table, ...]:
    """Compile the tables of the document, or those that lie within another one."""
    return tuple(
        _table(name, configured, work, form) for name, section in configured.tables.items() if section.within == within
    )


def _table(name: str, configured: Configured, work: "_Compiling", form: ModuleType) -> Table:
    section, place = configured.tables[name], ("tables", name)
    schema = work.schema(json.schema, section.schema, *place)
    known = frozenset(section.columns) | (schema.known if schema else frozenset())
    return Table(
        name,
        work.path(form.path, section.rows, *place, "rows"),
        _columns(name, section, work, form) if section.each is None else _cells(name, section, work, form),
        section.scale,
        schema,
        _tables(configured, work, form, name),
        known,
    )


def _cells(name: str, section: TableSection, work: "_Compiling", form: ModuleType) -> Layout:
    keys = ("each", "name", "value", "confidence")
    return Layout(*(work.path(form.path, getattr(section, key), "tables", name, key) for key in keys))


def _columns(name: str, section: TableSection, work: "_Compiling", form: ModuleType) -> tuple[Column, ...]:
    place = ("tables", name, "columns")
    return tuple(
        Column(
            cell,
            work.path(form.path, column.value, *place, cell, "value"),
            work.path(form.path, column.confidence, *place, cell, "confidence") if column.confidence else None,
        )
        for cell, column in section.columns.items()
    )


def _known(section: FieldsSection, paths: list[Path], schemas: list[JsonSchema | XmlSchema]) -> frozenset[str]:
    """Return every name that the configuration holds."""
    steps = (step for path in paths for step in NAME.findall(path.expression))
    return frozenset().union(section.repeated, *section.aliases.items(), steps, *(each.known for each in schemas))


class _Compiling:
    """Compiles piece by piece and gathers the faults of all."""

    def __init__(self, configured: Configured, schemas: Schemas) -> None:
        self.faults: list[Fault] = []
        self.warnings: list[Fault] = []
        self._configured = configured
        self._schemas = schemas

    def schema(self, compiled: Callable[[Schemas, str], Any], name: str | None, *section: str) -> Any:
        if name is None:
            return None
        if missing := self._schemas.missing(name):
            message, hint = missing
            self.faults.append(self._configured.fault("missing-file", message, *section, "schema", hint=hint))
            return None
        try:
            schema = compiled(self._schemas, name)
        except ConfigurationError as error:
            self.faults += error.faults
            return None
        self.warnings += schema.warnings
        return schema

    def path(self, compiled: Callable[[str], Path], expression: str, *place: str) -> Any:
        at = self._configured.fault("wrong-path", "", *place)
        try:
            with reading(at.file, lambda _: (at.file, at.line, at.column)):
                try:
                    return compiled(expression)
                except WrongPathError as error:
                    message = f"{error.message} (at its column {error.column})"
                    raise ConfigurationError([replace(at, message=message, hint=error.hint)]) from None
        except ConfigurationError as error:
            self.faults += error.faults
            return None
