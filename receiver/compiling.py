"""Compiles a site's processes, once, with the faults of all of them in one run.

The service starts with what `proven` returns; `receiver check` shows what `compile_site` finds.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from receiver import config, records
from receiver.config.model import ProcessConfig, RecordConfig
from receiver.config.site import conflicts, find
from receiver.config.tokens import Tokens, read_tokens
from receiver.faults import Fault, Misconfigured, Severity
from receiver.mapping import Template, Templates
from receiver.metadata import reader
from receiver.process import Process, RecordRule
from receiver.settings import Settings

SCHEMAS = "schemas"
SAMPLES = "samples"


def proven(settings: Settings, environ: Mapping[str, str] = os.environ, only: str | None = None) -> dict[str, Process]:
    """Return every process of the site by name, or one. Raises `Misconfigured` with every error there is."""
    processes, faults = compile_site(settings, environ, only)
    errors = [fault for fault in faults if fault.severity is Severity.ERROR]
    if errors:
        raise Misconfigured(errors)
    return processes


def compile_site(
    settings: Settings, environ: Mapping[str, str] = os.environ, only: str | None = None
) -> tuple[dict[str, Process], list[Fault]]:
    """Return the sound processes by name, and the faults of all; with `only`, of that one alone."""
    folders, faults = find(settings.site)
    if only is not None:
        folders = [folder for folder in folders if folder.name == only]
    configs: list[ProcessConfig] = []
    tokens: dict[str, Tokens] = {}
    processes: dict[str, Process] = {}
    for folder in folders:
        with _collecting(faults):
            configured = config.read(folder, settings.site)
            tokens[configured.name], found = read_tokens(configured, environ)
            faults += found
            configs.append(configured)
            process = _process(configured, tokens[configured.name], settings)
            faults += process.metadata.warnings
            processes[configured.name] = process
    faults += conflicts(configs, tokens, settings.output)
    return processes, sorted(faults)


@contextmanager
def _collecting(faults: list[Fault]) -> Iterator[None]:
    try:
        yield
    except Misconfigured as error:
        faults += error.faults


def _process(configured: ProcessConfig, tokens: Tokens, settings: Settings) -> Process:
    """Compile one process. Raises `Misconfigured` with the faults of all its pieces."""
    faults: list[Fault] = []
    templates = Templates(configured.folder, settings.site)
    rules: list[RecordRule] = []
    marker = None
    with _collecting(faults):
        metadata = reader.compile(configured, settings.site / SCHEMAS, settings.site)
    with _collecting(faults):
        documents = _path(templates, configured, configured.output.documents, "output", "documents")
    with _collecting(faults):
        if configured.output.marker:
            marker = _path(templates, configured, configured.output.marker, "output", "marker")
    for index, record in enumerate(configured.records):
        with _collecting(faults):
            rules.append(_record(templates, configured, record, index, settings.site))
    if faults:
        raise Misconfigured(faults)
    output = (settings.output / configured.output.directory).absolute()
    digest = _digest(configured.folder, settings.site / SCHEMAS)
    return Process(configured, tokens, metadata, documents, marker, tuple(rules), output, digest)


def _record(
    templates: Templates, configured: ProcessConfig, record: RecordConfig, index: int, site: Path
) -> RecordRule:
    faults: list[Fault] = []
    when = None
    with _collecting(faults):
        template = templates.record(record.template, record.format)
    with _collecting(faults):
        path = _path(templates, configured, record.path, "records", index, "path")
    with _collecting(faults):
        if record.when:
            line, column = configured.position("records", index, "when")
            when = templates.condition(record.when, configured.source.file, line, column)
    with _collecting(faults):
        check = records.checker(record.format, record.encoding, record.schema, site / SCHEMAS, site)
    if faults:
        raise Misconfigured(faults)
    return RecordRule(template, path, when, record.encoding, check)


def _path(templates: Templates, configured: ProcessConfig, written: str, *position: str | int) -> Template:
    line, column = configured.position(*position)
    return templates.path(written, configured.source.file, line, column)


def _digest(folder: Path, schemas: Path) -> str:
    """Digest every file that a process is compiled from: its folder without the samples, and the schemas."""
    digest = hashlib.sha256()
    for root in (folder, schemas):
        for path in sorted(path for path in root.rglob("*") if path.is_file()):
            name = path.relative_to(root)
            if root == schemas or name.parts[0] != SAMPLES:
                content = path.read_bytes()
                digest.update(f"{name.as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
