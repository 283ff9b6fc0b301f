"""Compiles `[metadata]`, `[fields]` and `[tables]` of a process into a reader."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any, Protocol

from receiver.core.faults import ConfigurationError, Fault, reading
from receiver.metadata import json, xml
from receiver.metadata.fields import Layout, Path, Placing, Rules, WrongPathError, name_fault
from receiver.metadata.reader import NAME, MetadataReader
from receiver.metadata.tables import Column, Table
from receiver.schemas.folder import Schemas
from receiver.schemas.json_schema import JsonSchema
from receiver.schemas.xsd import XmlSchema


class MetadataSection(Protocol):
    """What `[metadata]` says."""

    @property
    def schema(self) -> str: ...
    @property
    def source_id(self) -> str: ...


class PlaceSection(Protocol):
    """What `[fields.place]` says, or `[tables.NAME.place]`."""

    @property
    def page(self) -> str: ...
    @property
    def box(self) -> str: ...
    @property
    def size(self) -> str | None: ...


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
    @property
    def place(self) -> PlaceSection | None: ...


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
    @property
    def place(self) -> PlaceSection | None: ...


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


def compile(configured: Configured, schemas: Schemas) -> MetadataReader:  # noqa: A001 (as re.compile)
    """Compile a process's reader. Raises `ConfigurationError` with every fault of it.

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
    placing = _placing(configured.fields.place, work, form, "fields")
    if work.faults:
        raise ConfigurationError(work.faults)
    section = configured.fields
    known = _known(section, [source_id, *paths], [each for each in (schema, fields_schema) if each])
    layout = Layout(*paths)
    sound = (name for name in known if not name_fault(name, layout.name))
    rules = Rules(frozenset(section.repeated), {name: section.aliases.get(name, name) for name in sound}, section.scale)
    warnings = tuple(work.warnings)
    return MetadataReader(form, schema, source_id, layout, rules, fields_schema, warnings, known, own_tables, placing)


def _placing(section: PlaceSection | None, work: "_Compiling", form: ModuleType, *place: str) -> Placing | None:
    if section is None:
        return None
    page, box = (work.path(form.path, getattr(section, key), *place, "place", key) for key in ("page", "box"))
    size = work.path(form.path, section.size, *place, "place", "size") if section.size else None
    return Placing(page, box, size)


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
        _placing(section.place, work, form, *place),
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
