"""Paths to fields in metadata, and field names in templates, against schemas."""

import re
from collections.abc import Iterator
from typing import Any

from receiver.authoring.check import shape
from receiver.authoring.check.shape import Node, Shape
from receiver.authoring.check.site import Site, guarded_by, templates
from receiver.core.faults import Fault, Severity, did_you_mean
from receiver.core.positions import Path
from receiver.metadata.tables import Table
from receiver.site.pieces import Pieces
from receiver.templates.reads import Read


def fields(site: Site) -> Iterator[Fault]:
    """Yield fields that are unknown, may be missing where read, or never fit."""
    for process in site.processes:
        reads = list(_reads(process))
        name = process.config.fields.schema
        shape = site.shape(name) if name else None
        if shape:
            yield from (fault for read in reads for fault in _judged(read, shape, str(name)))
            yield from _configured(process, shape, str(name))
            yield from _types(process, shape)
        elif not name and reads:
            yield _without_schema(process)


def _reads(process: Pieces) -> Iterator[Read]:
    """Yield every read; a record's condition, or a rule, may guard it."""
    ruled = frozenset[str]().union(*(guarded_by(rule.config.must) for rule in process.rules if rule))
    of_records = [(record, (record.template, record.path)) for record in process.records]
    for record, pieces in of_records:
        there = ruled | (guarded_by(record.config.when) if record.config.when and record.when else frozenset())
        unread = record.config.when is not None and record.when is None  # it has its fault, and may well be a guard
        for read in (read for piece in pieces if piece for read in piece.reads):
            yield Read(read.file, read.line, read.column, read.name, read.guarded or unread or read.name in there)
    own = {id(piece) for _, pieces in of_records for piece in pieces}
    for template in templates(process):
        if id(template) not in own:
            yield from template.reads


def _judged(read: Read, shape: Shape, schema: str) -> Iterator[Fault]:
    place = (read.file, read.line, read.column)
    if not shape.knows(read.name):
        if shape.members or shape.closed:
            severity = Severity.ERROR if shape.closed and not read.guarded else Severity.WARNING
            message = f'{schema} knows no field "{read.name}"'
            hint = did_you_mean(read.name, shape.members) or "add it to the schema's properties"
            yield Fault(*place, "unknown-field", message, hint, severity)
    elif read.name not in shape.required and not read.guarded:
        message = f'the field "{read.name}" may be absent, and then the record fails'
        absent = "[]" if "array" in _types_of(shape, read.name) else '""'
        hint = f"write | default({absent}), test it with `is defined`, or require it in {schema}"
        yield Fault(*place, "unguarded-field", message, hint, Severity.WARNING)


def _types_of(shape: Shape, name: str) -> frozenset[str]:
    return shape.members[name].types if name in shape.members else frozenset()


def _configured(process: Pieces, shape: Shape, schema: str) -> Iterator[Fault]:
    """Yield names in process.toml that no field has."""
    config = process.config
    minimums = [name for name in config.confidence.fields if name.partition(".")[0] not in config.tables]
    named: dict[Path, str] = {("confidence", "fields", name): name for name in minimums}
    named |= {("fields", "repeated", index): name for index, name in enumerate(config.fields.repeated)}
    named |= {("fields", "aliases", old): new for old, new in config.fields.aliases.items()}
    for path, name in named.items():
        if (shape.members or shape.closed) and not shape.knows(name):
            message = f'{schema} knows no field "{name}"'
            hint = did_you_mean(name, shape.members) or "add it to the schema's properties"
            yield config.source.fault(
                "unknown-field", message, path, hint=hint, severity=Severity.WARNING, key=path[0] == "confidence"
            )


def _types(process: Pieces, shape: Shape) -> Iterator[Fault]:
    """Yield fields whose values never have the type in the schema.

    Every delivery would be refused.
    """
    config = process.config
    for name, member in shape.members.items():
        file, place = member.node.document.file, member.node.document.positions.of(member.node.path, key=True)
        if name in config.fields.repeated:
            if member.types and "array" not in member.types:
                index = config.fields.repeated.index(name)
                message = f'the values of "{name}" are a list here, and {file}:{place[0]} asks for another type'
                hint = 'write "type": "array" there, and what was there under "items"'
                yield config.fault("field-type", message, "fields", "repeated", index, hint=hint)
        elif config.metadata.form == "xml" and member.types and "string" not in member.types:
            message = f'the value of "{name}" comes out of XML, and so is text'
            hint = 'write "type": "string", with a "pattern" for its form'
            if "array" in member.types:
                hint = f'name it under [fields] repeated in {config.source.file}, or write "type": "string"'
            yield Fault(file, *place, "field-type", message, hint)


def _without_schema(process: Pieces) -> Fault:
    section = "fields" if "fields" in process.config.source.data else "metadata"
    message = "no schema says which fields come, so nothing that templates read can be proven"
    hint = 'write schema = "NAME.fields.schema.json" under [fields]'
    return process.config.fault("fields-unproven", message, section, hint=hint, severity=Severity.WARNING)


FROM_EACH = ("name", "value", "confidence")


def layouts(site: Site) -> Iterator[Fault]:
    """Yield paths of JSON metadata that name what its schema does not."""
    for process in site.processes:
        document = site.schema(process.config.metadata.schema) if process.config.metadata.form == "json" else None
        if process.metadata and document:
            root, layout = shape.root(document, site.library), process.metadata.layout
            yield from _unknown(site, process, root, process.metadata.source_id, "metadata", "source_id")
            yield from _unknown(site, process, root, layout.each, "fields", "each")
            each = _at(site, root, _keys(layout.each))
            item = shape.items(each, site.library) if each else None
            for name in FROM_EACH if item else ():
                yield from _unknown(site, process, item, getattr(layout, name), "fields", name)
            yield from _of_place(site, process, root, item)
            for table in process.metadata.tables:
                yield from _of_table(site, process, root, table)


NAMES = re.compile(r"[\w-]+")
BY_PLACE = {  # what follows the list of the fields: a place in it, with nothing that chooses a field by its name
    "json": r"\"?[\s)|]*(?:\[\*?\][^\[]*)*\[\s*(?:-?\d|:)",
    "xml": r"(?:/\*)?(?:/[^\[]*\))?[\s)]*\[\s*(?:\d|last\(|position\()",
}
BY_NAME = {"json": "fields[?name=='document_id'].value | [0]", "xml": "field[@name='document_id']/value"}


def identities(site: Site) -> Iterator[Fault]:
    """Yield ids of the document that are read from whichever field stands at a place."""
    for process in site.processes:
        config = process.config
        form, names = config.metadata.form, NAMES.findall(config.fields.each)
        if names and re.search(rf"(?<![\w-]){names[-1]}(?![\w-]){BY_PLACE[form]}", config.metadata.source_id):
            message = (
                "whatever field comes at this place is the id: its value will stand in the ledger and in file names"
            )
            hint = f"name the document's own id, or choose the field by its name, as {BY_NAME[form]} does"
            yield config.fault("id-by-place", message, "metadata", "source_id", hint=hint, severity=Severity.WARNING)


def _of_place(site: Site, process: Pieces, top: Node, item: Node | None) -> Iterator[Fault]:
    placing = process.metadata.placing if process.metadata else None
    if placing:
        for start, path, key in ((item, placing.page, "page"), (item, placing.box, "box"), (top, placing.size, "size")):
            if start and path:
                yield from _unknown(site, process, start, path, "fields", "place", key)


def _of_table(site: Site, process: Pieces, top: Node, table: Table) -> Iterator[Fault]:
    """Yield the paths of a table that name what the metadata's schema does not."""
    yield from _unknown(site, process, top, table.rows, "tables", table.name, "rows")
    rows = _at(site, top, _keys(table.rows)) if _keys(table.rows) else None
    row = shape.items(rows, site.library) if rows else None
    if row is None:
        return
    for column in table.cells if isinstance(table.cells, tuple) else ():
        place = ("tables", table.name, "columns", column.name)
        yield from _unknown(site, process, row, column.value, *place, "value")
        if column.confidence:
            yield from _unknown(site, process, row, column.confidence, *place, "confidence")
    if table.placing and isinstance(table.cells, tuple):
        for key in ("page", "box"):
            yield from _unknown(site, process, row, getattr(table.placing, key), "tables", table.name, "place", key)
    for inner in table.inner:
        yield from _of_table(site, process, row, inner)


def _keys(path: Any) -> tuple[str, ...]:
    """Return the steps of a JMESPath that is nothing but names; of any other none."""
    keys: tuple[str, ...] = path.keys
    return keys


def _unknown(site: Site, process: Pieces, top: Node | None, path: Any, *position: str) -> Iterator[Fault]:
    for index, key in enumerate(_keys(path)):
        node = _at(site, top, _keys(path)[:index])
        known = shape.of(node, site.library) if node else None
        if known is None or known.knows(key) or not (known.members or known.closed):
            continue
        near = did_you_mean(key, known.members)
        if near or known.closed:
            message = f'{process.config.metadata.schema} knows nothing called "{key}" there'
            severity = Severity.ERROR if known.closed else Severity.WARNING
            yield process.config.fault("unknown-path", message, *position, hint=near, severity=severity)


def _at(site: Site, top: Node | None, keys: tuple[str, ...]) -> Node | None:
    for key in keys:
        member = shape.of(top, site.library).members.get(key) if top else None
        top = member.node if member else None
    return top
