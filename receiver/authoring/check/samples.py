"""The samples of a process, against its own schemas."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element

from receiver.authoring.cases.cases import REQUEST, Case, cases, incoming, is_part, named
from receiver.authoring.check import tables
from receiver.authoring.check.site import Site
from receiver.core.delivery import Reading, Region, Role
from receiver.core.faults import Fault, Severity, did_you_mean
from receiver.core.positions import json_positions, pointed_names, pointed_path
from receiver.core.problems import Code, Problem, Violation
from receiver.metadata.reader import MetadataReader
from receiver.metadata.tables import CELL
from receiver.schemas import json_text, xml_text
from receiver.schemas.encodings import MalformedError
from receiver.site.config.model import PartConfig
from receiver.site.process import Process

PROBLEM = "problem.json"  # in expected/: the sample is to be refused
LED_TO = (  # the rule that is broken if nothing is found: what was looked for
    ("source_id", "metadata", "source_id", "document's id"),
    ("fields", "fields", "each", "list of fields"),
    ("name", "fields", "name", "field's name"),
    ("value", "fields", "value", "field's value"),
)
MAX_TOLD = 10  # violations of one sample: the rest is seen by `receiver try`


class Metadata(NamedTuple):
    """The metadata of a sample, and where it begins."""

    file: Path
    content: bytes
    line: int = 1
    charset: str = ""


def faults(site: Site) -> Iterator[Fault]:
    """Yield samples that should pass and do not, and samples without expected/."""
    for pieces in site.processes:
        process = pieces.process(Path(), "")
        if process is None:
            continue
        found = cases(process)
        for case in found:
            if not case.expected.is_dir():
                message, hint = "nothing says what this sample must become", "receiver test --update writes expected/"
                yield Fault(_file(site, case.folder), 1, 1, "sample-unproven", message, hint, Severity.INFO)
            elif (case.expected / PROBLEM).exists():
                yield from _expectation(site, case)
        passing = [case for case in found if not (case.expected / PROBLEM).exists()]
        blamed = _wrong_path(site, process, passing)
        if blamed:
            yield blamed
        else:
            yield from (fault for case in passing for fault in _judged(site, case))
            yield from _confidences(site, process, passing)
            yield from _places(site, process, passing)
            yield from tables.of_samples(process, _readings(site, process, passing))
        if not found:
            message = "the process has no sample, so nothing of it can be tried"
            hint = "receiver capture, or receiver new --from, makes one"
            yield process.config.fault("samples-missing", message, "title", hint=hint, severity=Severity.INFO)


def _expectation(site: Site, case: Case) -> Iterator[Fault]:
    """Yield what a sample's problem.json cannot mean."""
    file = case.expected / PROBLEM
    message, hint, line = "", "", 1
    try:
        told = json.loads(file.read_bytes())
        code = told.get("code") if isinstance(told, dict) else None
        if code not in set(Code):
            message, hint = "no problem has this code", did_you_mean(str(code), set(Code))
            line = next((n for n, text in enumerate(file.read_text().split("\n"), 1) if '"code"' in text), 1)
    except ValueError as error:
        message, hint, line = "it is no JSON", "receiver test --update writes it anew", getattr(error, "lineno", 1)
    if message:
        yield Fault(_file(site, file), line, 1, "sample-expects", message, hint, Severity.WARNING)


def _wrong_path(site: Site, process: Process, passing: list[Case]) -> Fault | None:
    """Blame a path if all samples lack what it leads to."""
    read = [metadata for case in passing if (metadata := _metadata(case, site.settings.max_body))]
    broken = [{each.rule for each in _violations(process, metadata)} for metadata in read]
    for rule, section, key, what in LED_TO:
        if broken and all(rule in rules for rules in broken):
            message = f"there is no {what} at this path in any of the samples ({len(read)})"
            hint = "write the path that leads to it in the metadata, as sourceId does, or document.id"
            return process.config.fault("unknown-path", message, section, key, hint=hint)
    only_tables = process.config.tables and "fields" not in process.config.source.data
    if read and not only_tables and not any(map(partial(_has_fields, process), read)):
        message = f"there are no fields at this path in any of the samples ({len(read)})"
        hint = "write the path that leads to each of them"
        return process.config.fault("unknown-path", message, "fields", "each", hint=hint)
    return None


def _has_fields(process: Process, metadata: Metadata) -> bool:
    """Return whether there is a field; true if that cannot be read.

    Unreadable samples have a fault of their own.
    """
    reader = process.metadata
    try:
        found = reader.form.fields(reader.form.parse(metadata.content), reader.layout)
    except MalformedError:
        return True
    return found is None or bool(found.items)


def _confidences(site: Site, process: Process, passing: list[Case]) -> Iterator[Fault]:
    """Yield a path that finds no confidence, and a scale that no sample reaches."""
    rule, config = process.config.confidence, process.config
    written = config.source.data.get("fields", {}).get("confidence")
    asked = rule.minimum > 0 or any(rule.fields.values()) or written not in (None, process.metadata.form.NO_CONFIDENCE)
    readings = _readings(site, process, passing)
    found = [value for reading in readings for value in reading.confidence.values()]
    if asked and any(reading.fields for reading in readings) and not found:
        message = f"no field has a confidence at this path in any of the samples ({len(readings)})"
        hint = "write the path that leads from a field to its confidence; without one, each counts as below its minimum"
        yield config.fault("unknown-path", message, "fields", "confidence", hint=hint, severity=Severity.WARNING)
    elif found and config.fields.scale > 1 and max(found) * config.fields.scale <= 1:
        message = f"no confidence in any of the samples is more than 1, and {config.fields.scale:g} is said to be full"
        yield config.fault(
            "scale-misfit", message, "fields", "scale", hint="write scale = 1", severity=Severity.WARNING
        )


def _places(site: Site, process: Process, passing: list[Case]) -> Iterator[Fault]:
    """Yield a path to places on the page that leads to none in any sample."""
    placing, found = process.metadata.placing, list[Mapping[str, Region]]()
    if placing is None:
        return
    for metadata in (_metadata(case, site.settings.max_body) for case in passing):
        with suppress(Problem):
            found += [process.metadata.regions(metadata.content, metadata.charset)] if metadata else []
    if found and all(name.startswith(CELL) for told in found for name in told):
        message = f"no field has a place on its page by these paths in any of the samples ({len(found)})"
        hint = "page leads to a number from 1, box to four numbers or more; say size if they are no fractions of it"
        yield process.config.fault("unknown-path", message, "fields", "place", hint=hint, severity=Severity.WARNING)


def _readings(site: Site, process: Process, passing: list[Case]) -> list[Reading]:
    """Return what the metadata of the samples says, as far as it can be read."""
    found = []
    for metadata in (_metadata(case, site.settings.max_body) for case in passing):
        with suppress(Problem):
            found += [process.metadata.read(metadata.content, metadata.charset)] if metadata else []
    return found


def _judged(site: Site, case: Case) -> Iterator[Fault]:
    metadata = _metadata(case, site.settings.max_body)
    if metadata is None:
        message = "the sample has no metadata, and so would be refused"
        hint = f'name a file after the part, "{_rule(case.process).name}"'
        yield Fault(_file(site, case.folder), 1, 1, "sample-without-metadata", message, hint)
        return
    for violation in _violations(case.process, metadata)[:MAX_TOLD]:
        line, column = locate(case.process.metadata, metadata.content, metadata.charset, violation.where)
        message = f"the sample is rejected: {violation.where} {violation.message}"
        hint = "expect it in expected/problem.json, or mend one of the two"
        file = _file(site, metadata.file)
        yield Fault(file, metadata.line + line - 1, column, "sample-rejected", message, hint)


def _violations(process: Process, metadata: Metadata) -> tuple[Violation, ...]:
    try:
        process.metadata.read(metadata.content, metadata.charset)
    except Problem as problem:
        return problem.violations
    return ()


def _metadata(case: Case, max_body: int) -> Metadata | None:
    request, name = case.folder / REQUEST, _rule(case.process).name
    if not request.exists():
        own = (path for path in case.files if named(str(path), is_part(case.process)).section.name == name)
        return next((Metadata(path, path.read_bytes()) for path in own), None)
    try:
        sections = incoming(case, max_body)
        found = next(((_content(each), each.charset) for each in sections if each.name == name), None)
    except (Problem, ValueError):
        found = None
    if found is None:
        return None
    content, charset = found
    whole = request.read_bytes()
    return Metadata(request, content, whole[: whole.find(content)].count(b"\n") + 1, charset)


def _content(each: object) -> bytes:
    return b"".join(each.content)  # type: ignore[attr-defined]


def _rule(process: Process) -> PartConfig:
    return next(part for part in process.config.parts if part.role is Role.METADATA)


def _file(site: Site, path: Path) -> str:
    return path.relative_to(site.settings.site).as_posix()


Position = tuple[int, int]

LINE = re.compile(r"line (\d+), column (\d+)")
STEP = re.compile(r"(?:\{[^}]*\}|[^/:\[\]]*:)?([^/:\[\]{}]+)(?:\[(\d+)\])?")


def locate(reader: MetadataReader, content: bytes, charset: str, where: str) -> Position:
    """Return line and column of a violation's `where`, from 1; 1, 1 if not found."""
    if place := LINE.fullmatch(where):
        return int(place[1]), int(place[2])
    document = reader.form.parse(content, charset)
    content = (json_text if reader.form.NAME == "JSON" else xml_text).utf8(content, charset)
    if where == "fields" or where.startswith("fields/"):
        where = _field(reader, document, where)
    if where.startswith("tables/"):
        return _in_table(reader, document, content, pointed_names(f"/{where}")[1:])
    return _in_json(content, document, where) if reader.form.NAME == "JSON" else _in_xml(content, document.root, where)


def _field(reader: MetadataReader, document: Any, where: str) -> str:
    """Return the place of a field by its name; without one, of all fields."""
    name = next(iter(pointed_names(where)), None)
    found = reader.form.fields(document, reader.layout)
    for index, item in enumerate(found.items if found else ()):
        given = reader.layout.name.find(item)
        if isinstance(given, str) and reader.rules.names.get(given, given) == name:
            return str(found.place(index))
    return str(reader.form.place(document, reader.layout.each))


def _in_table(reader: MetadataReader, document: Any, content: bytes, steps: list[str]) -> Position:
    """Return the place of a row in a table, the innermost one that is named."""
    item, known = reader.form.top(document), reader.tables
    for name, number in zip(steps[::2], steps[1::2], strict=False):
        table = next(each for each in known if each.name == name)
        rows = [row for row in reader.form.rows(item, table.rows) or () if row is not None]
        item, known = rows[int(number)], table.inner
    if reader.form.NAME == "JSON":
        return json_positions(content).of(next(_paths(document, item), ()))
    return _of_element(content, document.root, item[0])


def _paths(document: Any, item: Any) -> Iterator[tuple[str | int, ...]]:
    """Yield the path to an item of a document, which is known by being itself."""
    if document is item:
        yield ()
    below = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for step, each in below:
        yield from ((step, *path) for path in _paths(each, item))


def _in_json(content: bytes, document: Any, where: str) -> Position:
    return json_positions(content).of(pointed_path(where, document))


def _in_xml(content: bytes, root: Element, where: str) -> Position:
    element = root
    for step in where.split("/")[2:]:
        match = STEP.fullmatch(step)
        same = [child for child in element if match and _local(child) == match[1]]
        index = int(match[2] or 1) - 1 if match else 0
        if index >= len(same):
            break
        element = same[index]
    return _of_element(content, root, element)


def _of_element(content: bytes, root: Element, element: object) -> Position:
    places = zip(root.iter(), xml_text.places(content), strict=True)
    return next((place for each, place in places if each is element), (1, 1))


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]
