"""Runs the templates with the samples, and with inputs made from the schemas.

A sample that is to be published and is refused is an error: every delivery like it would be. What is refused of the
made-up inputs is a warning: the schemas let it come, and the template or the record's own rules do not.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import nodes

from receiver.authoring.cases.cases import Case, NotARequestError, cases, incoming
from receiver.authoring.cases.outcome import FROZEN
from receiver.authoring.check import conditions
from receiver.authoring.check.expressions import WHOLE
from receiver.authoring.check.inputs import Input, documents, inputs
from receiver.authoring.check.site import Site, Written, reads_all, templates, texts
from receiver.authoring.check.verdicts import Verdicts, of_values
from receiver.core.delivery import ID_LENGTH, Delivery, Part, Previous, Reading, delivery_id
from receiver.core.faults import Fault
from receiver.core.problems import Code, Problem
from receiver.delivery import receive
from receiver.delivery.parts import collect
from receiver.delivery.render import as_published, render
from receiver.site.pieces import Pieces
from receiver.site.process import Process
from receiver.store.stage import Stage
from receiver.store.staged import Staged
from receiver.templates.library import Library, Table
from receiver.templates.reads import field

SECONDS = 0.2  # processor time of the made-up inputs of one process: nine processes are checked within two seconds
MAX_STEPS = 10  # filters and variables between a field and the table that it is looked up in
PROBLEM = "problem.json"  # in expected/: the sample is not to be published


@dataclass(frozen=True, slots=True)
class Trial:
    """One process at work, and what its deliveries meet."""

    site: Site
    pieces: Pieces
    process: Process
    verdicts: Verdicts

    def render(
        self,
        reading: Reading,
        parts: Sequence[Part],
        low: Problem | None = None,
        before: Previous | None = None,
    ) -> None:
        """Render a delivery. Raises `Problem`."""
        id_ = delivery_id(self.process.name, reading.source_id, parts, self.process.config.delivery.identity)
        version = before.version + 1 if before else 1
        delivery = Delivery(id_, self.process.name, reading.source_id, FROZEN, version, before)
        render(self.process, delivery, reading, parts, low)


def faults(site: Site) -> Iterator[Fault]:
    """Yield what templates do wrong with deliveries that the schemas accept."""
    for pieces in site.processes:
        process = pieces.process(Path(), "")
        if process:
            verdicts = Verdicts(site.settings.site, process.config)
            _run(Trial(site, pieces, verdicts.watched(process), verdicts))
            yield from verdicts.found.values()


def _run(trial: Trial) -> None:
    """Run every sample, and the inputs with the documents of the largest sample."""
    read: list[tuple[Case, Reading]] = []
    for case in cases(trial.process):
        with suppress(NotARequestError, OSError), _stage() as staged:  # `receiver test` tells of those
            if reading := _sample(trial, case, staged):
                read.append((case, reading))
    if read:
        read.sort(key=lambda each: -len(each[1].fields))
        with _stage() as staged:
            reading, parts = _received(trial, read[0][0], staged)
            _made_up(trial, reading, parts, [each.fields for _, each in read])


@contextmanager
def _stage() -> Iterator[Staged]:
    with tempfile.TemporaryDirectory() as folder, Stage(Path(folder)).open() as staged:
        yield staged


def _sample(trial: Trial, case: Case, staged: Staged) -> Reading | None:
    """Run a sample; return what its metadata says if it is to be published and is."""
    published = case.expected.is_dir() and not (case.expected / PROBLEM).exists()
    try:
        reading, parts = _received(trial, case, staged)
        trial.render(reading, parts, receive.low_confidence(trial.process, reading), case.previous)
    except Problem as problem:
        by_schema = problem.code in (Code.METADATA_INVALID, Code.FIELDS_INVALID, Code.METADATA_MALFORMED)
        if published and (not by_schema or of_values(problem)):
            trial.verdicts.sample(problem, case)  # what the schemas refuse is told by `samples`
        else:
            trial.verdicts.cut_off(problem, case)
        return None
    return reading if published else None


def _received(trial: Trial, case: Case, staged: Staged) -> tuple[Reading, Sequence[Part]]:
    """Return a sample as it is rendered. Raises `Problem`."""
    config = trial.process.config
    sections = incoming(case, trial.site.settings.max_body)
    collected = collect(config.parts, config.delivery.unknown_parts, sections, staged)
    reading = receive.read(trial.process, collected)
    return reading, as_published(trial.process, collected.parts, staged)


def _made_up(trial: Trial, reading: Reading, parts: Sequence[Part], samples: list[Any]) -> None:
    """Run made-up inputs until time is over; their order is the same in every run."""
    end = time.process_time() + SECONDS
    for each in _inputs(trial, samples):
        _try(trial, reading._replace(fields=each.fields), parts, each.what, exact=each.exact)
        if time.process_time() > end:
            return
    trial.verdicts.constant()
    for what, others in documents(trial.process.config.parts, parts):
        _try(trial, reading, others, what)
    _try(trial, reading._replace(confidence={}, cells=()), parts, "no confidence is sent")
    if trial.process.config.delivery.same_source_id == "publish":
        _try(trial, reading, parts, "it is the second version", before=Previous("A" * ID_LENGTH, 1, FROZEN))
    for what, tables in _tables(trial, reading):
        _try(trial, reading._replace(tables=tables), parts, what)
        if time.process_time() > end:
            return


def _tables(trial: Trial, reading: Reading) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a sample's tables as they may differ: without rows, or with other cells."""
    for table in trial.process.metadata.tables:
        rows = reading.tables.get(table.name, [])
        if rows:
            yield f'the table "{table.name}" has no rows', {**reading.tables, table.name: []}
        name = trial.process.config.tables[table.name].schema
        shape = trial.site.shape(name) if name else None
        if not rows or shape is None or table.schema is None:
            continue
        inner = {each.name: rows[0][each.name] for each in table.inner}
        cells = [{name: value for name, value in row.items() if name not in inner} for row in rows]
        for each in inputs(shape, table.schema, cells, set(shape.members), set(), {}, trial.site.library):
            what = f'in a row of "{table.name}" {each.what.replace("field", "cell")}'
            yield what, {**reading.tables, table.name: [{**each.fields, **inner}]}


def _inputs(trial: Trial, samples: list[Any]) -> list[Input]:
    name = trial.process.config.fields.schema
    schema, shape = trial.process.metadata.fields_schema, trial.site.shape(name) if name else None
    if schema is None or shape is None:
        return []
    used = list(templates(trial.pieces))
    read = {each.name for template in used for each in template.reads}
    files = {file for template in used for file in template.files if file.endswith(".j2")}
    if any(reads_all(trial.site.settings.site / file) for file in files):
        read = set(shape.members)
    deciding = {each.name for record in trial.pieces.records if record.when for each in record.when.reads}
    deciding |= {each.name for rule in trial.process.rules for each in rule.must.reads}
    return inputs(shape, schema, samples, read, deciding, _keys(trial), trial.site.library)


def _keys(trial: Trial) -> dict[str, list[str]]:
    """Return the keys of code tables, and compared texts, by their field."""
    library = Library(trial.process.config.folder, trial.site.settings.site)
    keys: dict[str, list[str]] = {}
    for written in texts(trial.site, trial.pieces):
        for node in written.root.find_all(nodes.Filter):
            name = _looked_up(written, node.node) if node.name == "lookup" else None
            table = library.table(node.args[0].value) if name and isinstance(node.args[0], nodes.Const) else None
            if name and isinstance(table, Table):
                keys.setdefault(name, []).extend(row[0] for row in table.rows)
        for name, text in conditions.compared(written.root):
            keys.setdefault(name, []).append(text)
    return keys


def _looked_up(written: Written, node: nodes.Node | None) -> str | None:
    """Return the field that is looked up, also through a variable or a plain filter."""
    said = {
        each.target.name: each.node
        for each in written.root.find_all(nodes.Assign)
        if isinstance(each.target, nodes.Name)
    }
    for _ in range(MAX_STEPS):
        if isinstance(node, nodes.Filter) and node.name in WHOLE:
            node = node.node
        elif isinstance(node, nodes.Name) and node.name in said:
            node = said[node.name]
    return field(node)


def _try(
    trial: Trial,
    reading: Reading,
    parts: Sequence[Part],
    what: str,
    *,
    exact: bool = True,
    before: Previous | None = None,
) -> None:
    try:
        trial.render(reading, parts, before=before)
    except Problem as problem:
        trial.verdicts.made_up(problem, what, exact=exact)
