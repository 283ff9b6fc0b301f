"""The process.toml of a drafted process, as a person would write it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from receiver.authoring.draft.reading import Reading
from receiver.authoring.draft.rows import DraftedTable
from receiver.authoring.draft.sources import FORMS, Sources
from receiver.core.delivery import Section

BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
METADATA_TYPES = {"json": ["application/json"], "xml": ["application/xml", "text/xml"]}
DOCUMENT_TYPES = ["application/pdf", "image/tiff"]  # what faxes and scans come as
AUTH = """\
[auth]
tokens = ["env:RECEIVER_TOKEN"]             # whoever delivers must know what this variable holds"""
ROUTE = """\
[route]
default = true                              # also answers at the bare delivery URL"""
CONFIDENCE = """\
# [confidence]                              # what the platform is less sure of is kept for a person to look at
# minimum = 0.80
# below = "hold\""""


@dataclass(frozen=True, slots=True)
class Record:
    """The record of a drafted process."""

    template: str  # the file
    path: str
    format: str
    schema: str | None
    delimiter: str = ","  # of CSV


def toml(
    title: str, sources: Sources, reading: Reading, schemas: tuple[str, str], record: Record, *, default: bool
) -> str:
    """Return the text. `schemas` are those of the metadata and of the fields."""
    sections = [
        f"title = {_text(title)}",
        AUTH,
        *([ROUTE] if default else []),
        *_parts(sources),
        f"[metadata]\nschema = {_text(schemas[0])}\nsource_id = {_text(reading.source_id)}",
        "\n".join(["[fields]", *_fields(reading, sources.form), f"schema = {_text(schemas[1])}"]),
        *(["\n".join(_place(reading.place))] if reading.place else []),
        *([CONFIDENCE] if reading.confidence else []),
        "\n".join(_record(record)),
    ]
    return "\n\n".join(sections) + "\n"


def _parts(sources: Sources) -> Iterator[str]:
    """Yield a section for each part that came, required where it always did."""
    for name in dict.fromkeys(part.name for sample in sources.samples for part in sample.documents):
        came = [[part for part in sample.documents if part.name == name] for sample in sources.samples]
        lines = _part(name, "document", [part for parts in came for part in parts], DOCUMENT_TYPES)
        lines += ["many = true"] if max(map(len, came)) > 1 else []
        lines += ["required = false"] if not all(came) else []
        yield "\n".join(lines)
    metadata = [sample.part for sample in sources.samples]
    yield "\n".join(_part(metadata[0].name, "metadata", metadata, METADATA_TYPES[sources.form]))


def _part(name: str, role: str, came: Sequence[Section], usual: list[str]) -> list[str]:
    """Return the lines of a part.

    All usual types are accepted, even if only one was in the samples.
    """
    types = {part.type for part in came}
    known = usual if types <= set(usual) else sorted(types)
    lines = [f"[parts.{_key(name)}]", f'role = "{role}"']
    return lines if "" in types else [*lines, f"types = {json.dumps(known)}"]


def _fields(reading: Reading, form: str) -> Iterator[str]:
    """Yield the paths that are not the defaults."""
    defaults = FORMS[form]
    paths = (
        ("each", reading.each, defaults.EACH),
        ("name", reading.name, defaults.FIELD_NAME),
        ("value", reading.value, defaults.VALUE),
        ("confidence", reading.confidence, defaults.CONFIDENCE),
    )
    yield from (f"{key} = {_text(path)}" for key, path, default in paths if path is not None and path != default)
    if reading.scale != 1:
        yield f"scale = {reading.scale:<36}# the platform sends percent"
    if repeated := [seen.name for seen in reading.fields if seen.repeated]:
        yield f"repeated = {json.dumps(repeated, ensure_ascii=False)}"


def _place(paths: tuple[str, str, str | None]) -> Iterator[str]:
    yield "[fields.place]                          # where on a page each was read: the console marks it there"
    yield from (f"{key} = {_text(path)}" for key, path in zip(("page", "box", "size"), paths, strict=True) if path)


def of_tables(tables: Sequence[DraftedTable], form: str, schema: str) -> Iterator[str]:
    """Yield the section of each table.

    `schema` is the name of its row's schema, with {} for the table's name.
    """
    for table in tables:
        cell = f"row.{table.seen[0].name}" if table.seen[0].name.isidentifier() else f"row[{_text(table.seen[0].name)}]"
        loop = f"{{% for row in tables.{table.name} %}}{{{{ {cell} }}}}{{% endfor %}}"
        comment = "" if table.within else f"  # templates: {loop}"
        lines = [f"[tables.{table.name}]{comment}", *([f"within = {_text(table.within)}"] if table.within else [])]
        lines += [f"rows = {_text(table.rows)}", *_cells(table, form)]
        lines += [f"scale = {table.scale:<36}# the platform sends percent"] if table.scale != 1 else []
        lines += [f"schema = {_text(schema.format(table.name))}"]
        if table.cells.columns:
            lines += ["", f"[tables.{table.name}.columns]", *_columns(table)]
        yield "\n".join(lines)


def _cells(table: DraftedTable, form: str) -> Iterator[str]:
    """Yield how cells that carry their names are read, but for the defaults."""
    cells, defaults = table.cells, FORMS[form]
    if cells.each is not None:
        yield f"each = {_text(cells.each)}"
        paths = (
            ("name", cells.name, defaults.FIELD_NAME),
            ("value", cells.value, defaults.VALUE),
            ("confidence", cells.confidence or defaults.NO_CONFIDENCE, defaults.CONFIDENCE),
        )
        yield from (f"{key} = {_text(path)}" for key, path, default in paths if path != default)


def _columns(table: DraftedTable) -> Iterator[str]:
    for name, (value, confidence) in table.cells.columns.items():
        both = f"{{ value = {_text(value)}, confidence = {_text(confidence)} }}" if confidence else _text(value)
        yield f"{_key(name)} = {both}"


def _record(record: Record) -> Iterator[str]:
    yield "[[records]]"
    yield f"template = {_text(record.template)}"
    yield f"path = {_text(record.path)}"
    yield f"format = {_text(record.format)}"
    if record.schema:
        yield f"schema = {_text(record.schema)}"
    if record.delimiter != ",":
        yield f"delimiter = {_text(record.delimiter)}"


def _text(text: str) -> str:
    """Write a text of TOML: without escapes if that is possible."""
    return f"'{text}'" if '"' in text and "'" not in text else json.dumps(text, ensure_ascii=False)


def _key(name: str) -> str:
    return name if name and set(name) <= BARE else json.dumps(name, ensure_ascii=False)
