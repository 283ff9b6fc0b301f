"""What lies in the site and is used by nobody: templates, tables, schemas, and fields of a schema."""

from collections.abc import Iterator
from pathlib import Path

from receiver.authoring.check.site import Site, templates
from receiver.authoring.check.trees import reads_all
from receiver.core.faults import Fault, Severity
from receiver.site.compiling import Pieces
from receiver.templates.library import TABLES_FOLDER

SAMPLES = "samples"
SHIPPED = frozenset({"nextstep-metadata.schema.json", "nextstep-metadata.xsd"})  # every site begins with both


def faults(site: Site) -> Iterator[Fault]:
    """Yield unused files and fields, as far as everything that might use them could be compiled."""
    for process in site.processes:
        if not process.faults:
            yield from _files(site, process)
    if site.whole:
        yield from _schemas(site)
        for name in sorted({str(each.config.fields.schema) for each in site.processes if each.config.fields.schema}):
            yield from _fields(site, name)


def _files(site: Site, process: Pieces) -> Iterator[Fault]:
    used = {file for template in templates(process) for file in template.files}
    folder = process.config.folder
    for path in sorted(folder.rglob("*.j2")):
        if path.relative_to(folder).parts[0] != SAMPLES:
            yield from _unused(
                site, path, used, "unused-template", "no record names this template, and no other template includes it"
            )
    for path in sorted((folder / TABLES_FOLDER).glob("*.csv")):
        yield from _unused(site, path, used, "unused-table", "no template looks anything up in this table")


def _unused(site: Site, path: Path, used: set[str], code: str, message: str) -> Iterator[Fault]:
    file = path.relative_to(site.settings.site).as_posix()
    if file not in used:
        yield Fault(file, 1, 1, code, message, "remove it, or use it", Severity.INFO)


def _schemas(site: Site) -> Iterator[Fault]:
    folder, used = site.compiled.schemas.folder, site.compiled.schemas.used()
    for path in sorted(folder.rglob("*.*")):
        if path.suffix in (".json", ".xsd") and path.relative_to(folder).as_posix() not in used | SHIPPED:
            yield from _unused(site, path, set(), "unused-schema", "no process uses this schema")


def _fields(site: Site, schema: str) -> Iterator[Fault]:
    shape = site.shape(schema)
    users = [process for process in site.processes if process.config.fields.schema == schema]
    every = [template for process in users for template in templates(process)]
    read = {each.name for template in every for each in template.reads}
    unread = sorted(set(shape.members) - read) if shape else []
    if shape and unread and not any(map(reads_all, _template_files(site, users))):
        for name in unread:
            node = shape.members[name].node
            message = f'no template reads the field "{name}"'
            place = node.document.positions.of(node.path, key=True)
            yield Fault(node.document.file, *place, "unread-field", message, "", Severity.INFO)


def _template_files(site: Site, processes: list[Pieces]) -> Iterator[Path]:
    for process in processes:
        for record in process.records:
            for file in record.template.files if record.template else ():
                if not file.endswith(".csv"):
                    yield site.settings.site / file
