"""Reads the metadata of one process's deliveries, all faults at once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType, ModuleType
from typing import Any

from receiver.core.delivery import Reading, Region
from receiver.core.faults import Fault
from receiver.core.problems import Code, Problem, Violation
from receiver.metadata import regions, tables
from receiver.metadata.fields import Gathered, Layout, Path, Placing, Rules, gather, source_id_fault, typed
from receiver.metadata.tables import Rows, Table
from receiver.schemas.encodings import MalformedError
from receiver.schemas.json_schema import JsonSchema
from receiver.schemas.xsd import XmlSchema

NO_ROWS = Rows()
NOTHING: Mapping[str, str] = MappingProxyType({})
NAME = re.compile(r"[\w.-]+")  # in a path


@dataclass(frozen=True, slots=True)
class MetadataReader:
    """Turns the bytes of a metadata part into a `Reading`.

    Shared by all threads; nothing in it changes.
    """

    form: ModuleType  # json or xml: sibling modules with the same functions
    schema: JsonSchema | XmlSchema
    source_id: Path
    layout: Layout
    rules: Rules
    fields_schema: JsonSchema | None
    warnings: tuple[Fault, ...]  # what the schemas pass over in silence
    known: frozenset[str]  # names that the configuration holds; any other is called by its place, for it may be data
    tables: tuple[Table, ...] = ()  # those within others are in these
    placing: Placing | None = None  # where the platform says where on a page it has read a field

    def read(self, content: bytes, charset: str = "", corrections: Mapping[str, str] = NOTHING) -> Reading:
        """Read the metadata; `charset` is its part's.

        Raises `Problem` with all violations.

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
        found = [*gathered.violations, *rows.unread]
        known = identity
        if fault := source_id_fault(identity):
            known = ""
            found.insert(0, Violation(self.form.place(document, self.source_id, self.known), "source_id", fault))
        structure = _merged(broken, found) if broken or found else ()
        rest = (*self._field_violations(gathered), *rows.invalid)
        if structure:
            detail = "The metadata does not satisfy its schema."
            raise Problem(Code.METADATA_INVALID, detail, [*structure, *rest], source_id=known)
        if rest:
            raise Problem(Code.FIELDS_INVALID, "The fields do not satisfy their schema.", rest, source_id=known)
        names = self.form.as_names(document)
        return Reading(identity, gathered.fields, gathered.confidence, names, rows.tables, tuple(rows.cells))

    def peek(self, content: bytes, charset: str) -> Reading:
        """Return the fields as far as they can be read, for a person who corrects them.

        Raises `Problem` if the metadata cannot be parsed.
        """
        document = self._parse(content, charset)
        gathered = self._gather(document)
        identity = self.form.source_id(document, self.source_id)
        known = "" if source_id_fault(identity) else identity
        rows = tables.read(document, self.form, self.tables) if self.tables else NO_ROWS
        return Reading(known, gathered.fields, gathered.confidence, None, rows.tables, tuple(rows.cells))

    def regions(self, content: bytes, charset: str) -> dict[str, Region]:
        """Return where on the pages the platform has read each field.

        A cell is named by its place, such as /tables/items/0/sku. Raises as `peek`.
        """
        document = self._parse(content, charset)
        told = dict(regions.of_cells(document, self.form.top(document), self.form, self.tables))
        if self.placing:
            told |= regions.of_fields(document, self.form, self.layout, self.rules.names, self.placing)
        return told

    @property
    def has_places(self) -> bool:
        """Return whether the metadata may say where on a page something was read."""
        return self.placing is not None or any(table.has_places for table in self.tables)

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

    def _field_violations(self, gathered: Gathered) -> tuple[Violation, ...]:
        """Judge the fields, unless some are unreadable: they would count as missing."""
        if self.fields_schema is None or gathered.violations:
            return ()
        return self.fields_schema.violations(gathered.fields, "fields", gathered.place_of)


def _merged(broken: tuple[Violation, ...], found: list[Violation]) -> list[Violation]:
    """Return what the schema says is broken, and what else was found that it did not."""
    return [*broken, *(each for each in found if not _is_reported(each, broken))]


def _is_reported(violation: Violation, broken: tuple[Violation, ...]) -> bool:
    """Return whether the schema reported the same, there or one level up or down."""
    where = violation.where
    above = where.rpartition("/")[0] or "/"
    return any(each.where in (where, above) or each.where.startswith(where + "/") for each in broken)
