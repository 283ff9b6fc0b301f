"""Unused templates, tables, schemas and fields, and settings that have no effect."""

from collections.abc import Iterator
from pathlib import Path

from receiver.authoring.check.site import Site, reads_all, templates
from receiver.core.faults import Fault, Severity
from receiver.site.config.model import ProcessConfig
from receiver.site.config.site import MAPPINGS
from receiver.site.pieces import Pieces
from receiver.templates.library import SHARED, TABLES_FOLDER

SAMPLES = "samples"
SHIPPED = frozenset({"nextstep-metadata.schema.json", "nextstep-metadata.xsd"})  # every site begins with both


def unused(site: Site) -> Iterator[Fault]:
    """Yield unused files and fields, if everything that might use them was compiled."""
    for process in site.processes:
        if not process.faults:
            yield from _files(site, process)
    if site.whole:
        yield from _shared(site)
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


def _shared(site: Site) -> Iterator[Fault]:
    used = {file for process in site.processes for template in templates(process) for file in template.files}
    folder = site.settings.site / MAPPINGS / SHARED
    for path in sorted(folder.rglob("*.j2")):
        yield from _unused(site, path, used, "unused-template", "no process uses this template")
    for path in sorted((folder / TABLES_FOLDER).glob("*.csv")):
        yield from _unused(site, path, used, "unused-table", "no process looks anything up in this table")


def _unused(site: Site, path: Path, used: set[str], code: str, message: str) -> Iterator[Fault]:
    file = path.relative_to(site.settings.site).as_posix()
    if file not in used:
        yield Fault(file, 1, 1, code, message, "remove it, or use it", Severity.INFO)


def _schemas(site: Site) -> Iterator[Fault]:
    """Yield unused schemas, unless their folder has a used one: standards come whole."""
    folder, used = site.compiled.schemas.folder, site.compiled.schemas.used()
    standards = {top for file in used if (top := file.rpartition("/")[0].partition("/")[0])}
    for path in sorted(folder.rglob("*.*")):
        file = path.relative_to(folder).as_posix()
        if path.suffix in (".json", ".xsd") and file not in used | SHIPPED and file.partition("/")[0] not in standards:
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


def without_effect(site: Site) -> Iterator[Fault]:
    """Yield minimums of the confidence and limits of notices without effect."""
    for process in site.processes:
        yield from _confidence(process.config)
        yield from _notify(process.config)


def _confidence(config: ProcessConfig) -> Iterator[Fault]:
    rule = config.confidence
    if rule.below == "publish" and (rule.minimum > 0 or any(rule.fields.values())):
        message = "a delivery below this minimum is published all the same"
        hint = 'write below = "hold" or below = "refuse" under [confidence]'
        key = "minimum" if rule.minimum > 0 else "fields"
        yield config.fault("no-effect", message, "confidence", key, hint=hint, severity=Severity.WARNING)


def _notify(config: ProcessConfig) -> Iterator[Fault]:
    for key in {"refused", "silence"} - config.notify.on:
        if key in config.source.data.get("notify", {}):
            message = f"{key} says when to tell, and nobody is told of it"
            hint = f'add "{key}" to on'
            yield config.fault("no-effect", message, "notify", key, hint=hint, severity=Severity.WARNING)
