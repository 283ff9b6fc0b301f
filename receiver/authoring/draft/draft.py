"""Drafts a process: its files are proven in a folder of their own first."""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from receiver.authoring.cases.cases import SAMPLES, cases, processes
from receiver.authoring.cases.verdict import files, prove, write
from receiver.authoring.draft import json_schema, xml_schema
from receiver.authoring.draft.configuration import Record, of_tables, toml
from receiver.authoring.draft.kinds import left_out, slots
from receiver.authoring.draft.reading import Reading, read
from receiver.authoring.draft.rows import DraftedTable
from receiver.authoring.draft.sources import Sources, UnusableError
from receiver.authoring.draft.sources import read as read_sources
from receiver.authoring.draft.tables import Claims
from receiver.authoring.draft.tables import find as find_tables
from receiver.authoring.draft.wanted import Wanted
from receiver.core.settings import Settings
from receiver.formats.csv import draft as csv_template
from receiver.formats.hl7 import check as hl7
from receiver.formats.hl7 import draft as hl7_template
from receiver.formats.json import draft as json_template
from receiver.formats.slot import Slot
from receiver.formats.text import draft as text_template
from receiver.formats.xml import draft as xml_template
from receiver.site.compiling import SCHEMAS
from receiver.site.config import schema
from receiver.site.config.site import MAPPINGS, find
from receiver.site.config.source import FILE

TEMPLATES: Mapping[str, ModuleType] = {  # sibling modules: `template(slots, title)` prints every field
    "hl7": hl7_template,
    "json": json_template,
    "xml": xml_template,
    "csv": csv_template,
    "text": text_template,
}

Files = Mapping[str, bytes]  # content by path below the site


@dataclass(frozen=True, slots=True)
class Draft:
    """A process, drafted and proven."""

    files: Files
    reading: Reading
    tables: tuple[DraftedTable, ...]
    refused: tuple[str, ...]  # samples that are not published, each with the reason
    left_out: tuple[str, ...]  # what the samples have and the records have not: paths, and parts of fields


def draft(
    process: str, given: Sequence[Path], form: str, settings: Settings, wanted: Wanted, delimiter: str = ","
) -> Draft:
    """Draft a process from samples.

    `form` is the record's format, `delimiter` the one between the cells of CSV.

    Raises `UnusableError` and `WrongOptionError`.
    """
    sources = read_sources(given, PAGE)
    if len({sample.part.name for sample in sources.samples}) > 1:
        raise UnusableError("the metadata comes under several part names; draft from deliveries that name it alike")
    reading = read(sources, SHIPPED_SCHEMAS, wanted, Claims(sources))
    tables = find_tables(sources, reading)
    made = dict(_files(process, sources, (reading, tables), form, settings, delimiter))
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder)
        _write(site, made)
        refused = tuple(_proven(process, settings, site))
        expected = {
            path.relative_to(site).as_posix(): path.read_bytes()
            for path in site.rglob("*")
            if path.is_file() and "expected" in path.parts
        }
    parts = [part for seen in reading.fields for part in left_out(seen)]
    return Draft(made | expected, reading, tables, refused, (*reading.left_out, *parts))


def save(drafted: Draft, site: Path) -> list[str]:
    """Write the files to a site and return their names.

    Raises `FileExistsError` before anything is written.
    """
    shared = {f"{SCHEMAS}/{name}" for name in KNOWN}
    wanted = {
        name: content for name, content in drafted.files.items() if not (name in shared and (site / name).exists())
    }
    for name in wanted:
        if (site / name).exists():
            raise FileExistsError(name)
    _write(site, wanted)
    return sorted(wanted)


def _write(site: Path, contents: Files) -> None:
    for name, content in contents.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_bytes(content)


def _files(
    process: str,
    sources: Sources,
    found: tuple[Reading, Sequence[DraftedTable]],
    form: str,
    settings: Settings,
    delimiter: str,
) -> Iterator[tuple[str, bytes]]:
    reading, tables = found
    folder = f"{MAPPINGS}/{process}"
    title = process.replace("-", " ").replace("_", " ").capitalize()
    every = [slot for seen in reading.fields for slot in slots(seen)]
    record = _record(form, every, delimiter)
    metadata, content = _metadata_schema(title, process, sources, reading)
    fields_schema = f"{process}.fields.schema.json"
    names = (metadata, fields_schema)
    written = "".join(f"\n{text}\n" for text in of_tables(tables, sources.form, f"{process}.{{}}.schema.json"))
    text = toml(title, sources, reading, names, record, default=not find(settings.site)[0]) + written
    head = "#:schema ../../process.schema.json\n" if (settings.site / EDITOR_SCHEMA).exists() else ""
    yield f"{SCHEMAS}/{metadata}", content
    yield f"{SCHEMAS}/{fields_schema}", _json(json_schema.fields_schema(title, reading, len(sources.samples)))
    for table in tables:
        content = _json(json_schema.row_schema(title, table.name, table.seen))
        yield f"{SCHEMAS}/{process}.{table.name}.schema.json", content
    yield f"{folder}/{FILE}", (head + text).encode()
    yield f"{folder}/{record.template}", _template(record, every, title).encode()
    for sample in sources.samples:
        yield from ((f"{folder}/{SAMPLES}/{sample.name}/{name}", each) for name, each in sample.files.items())


def _template(record: Record, every: Sequence[Slot], title: str) -> str:
    if record.format == "csv":
        return csv_template.template(every, title, record.delimiter)
    text: str = TEMPLATES[record.format].template(every, title)
    return text


def _record(form: str, every: Sequence[Slot], delimiter: str) -> Record:
    """Return the record.

    A message is checked by the standard if PID-3 and PID-5 have what they need.
    """
    suffix = TEMPLATES[form].SUFFIX
    known = hl7_template.patient(every)
    complete = "mrn" in known and known["mrn"].certain and bool({"name", "family"} & known.keys())
    schema = "hl7" if form == "hl7" and complete and hl7.available() else None
    return Record(f"record{suffix}.j2", f"{{{{ delivery.id }}}}{suffix}", form, schema, delimiter)


def _metadata_schema(title: str, process: str, sources: Sources, reading: Reading) -> tuple[str, bytes]:
    if reading.known:
        return reading.known, (SHIPPED_SCHEMAS / reading.known).read_bytes()
    if sources.form == "json":
        return f"{process}.metadata.schema.json", _json(json_schema.metadata_schema(title, reading, sources.documents))
    open_at = reading.each.removesuffix("*").removesuffix("/") if reading.each.endswith("*") else None
    return f"{process}.metadata.xsd", xml_schema.schema(sources.documents, open_at)


def _json(schema: Any) -> bytes:
    return json.dumps(schema, ensure_ascii=False, indent=2).encode() + b"\n"


def _proven(process: str, settings: Settings, site: Path) -> Iterator[str]:
    """Run the samples in a site that holds nothing else, and write what they become."""
    here = Settings.from_environment({"RECEIVER_SITE": str(site), "RECEIVER_MAX_BODY": str(settings.max_body)})
    for case in cases(processes(here, [process])[process]):
        outcome = prove(case, settings.max_body).outcome
        write(case, files(outcome))
        if outcome.problem:
            told = "; ".join(f"{each.where} {each.message}" for each in outcome.problem.violations)
            yield f"{case.name}: {outcome.problem.code} {told}"


HERE = Path(__file__).parent / "site"
SHIPPED_SCHEMAS = HERE / "schemas"
KNOWN = ("nextstep-metadata.schema.json", "nextstep-metadata.xsd")
PAGE = (HERE / "page.pdf").read_bytes()  # stands in where no document is given
EDITOR_SCHEMA = "process.schema.json"
IGNORED = "# What the service keeps: the ledger, quarantine, published files\nvar/\n"


def create_site(folder: Path) -> list[str]:
    """Write an empty site and return its files.

    Raises `FileExistsError` for a folder that holds something.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(folder)
    files = {
        "README.md": (HERE / "README.md").read_text("utf-8"),
        ".gitignore": IGNORED,
        EDITOR_SCHEMA: schema.text(),
        **{f"schemas/{name}": (SHIPPED_SCHEMAS / name).read_text("utf-8") for name in KNOWN},
    }
    (folder / "mappings").mkdir(parents=True)
    (folder / "schemas").mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    return ["mappings/", *sorted(files)]
