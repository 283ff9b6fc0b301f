"""A compiled site as the checks see it: its schemas, and its templates as trees."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import nodes

from receiver.authoring.check import shape
from receiver.authoring.check.shape import Shape
from receiver.core.faults import ConfigurationError, Fault, Severity, reading
from receiver.core.settings import Settings
from receiver.schemas.json_library import Library, SchemaFile
from receiver.site.compiling import Compiled
from receiver.site.config.model import RecordConfig
from receiver.site.pieces import Pieces, start
from receiver.templates import Condition, Items, Template, reads
from receiver.templates.environment import Sandbox
from receiver.templates.source import Places, Source, parse, parse_expression
from receiver.templates.source import start as beginning


@dataclass(frozen=True)
class Site:
    """A compiled site, and its JSON Schemas as they are written, each read once."""

    settings: Settings
    compiled: Compiled
    library: Library
    environ: Mapping[str, str]
    texts: dict[str, list["Written"]] = field(default_factory=dict)  # of each process
    _shapes: dict[str, Shape] = field(default_factory=dict)

    @property
    def processes(self) -> tuple[Pieces, ...]:
        """Return every process whose process.toml could be read."""
        return self.compiled.processes

    @property
    def whole(self) -> bool:
        """Return whether everything could be compiled.

        Only then is it known what is unused.
        """
        read = len(self.processes) == len(self.compiled.folders)
        return read and not any(process.faults for process in self.processes)

    def schema(self, name: str) -> SchemaFile | None:
        """Return a JSON Schema of the site as it is written."""
        return self.library.add(self.compiled.schemas.folder / name)

    def shape(self, name: str) -> Shape | None:
        """Return the members that a JSON Schema describes; None if it is unreadable."""
        document = self.schema(name)
        if document and name not in self._shapes:
            with (
                suppress(ConfigurationError),
                reading(document.file),
            ):  # what is wrong with it was told when it was compiled
                self._shapes[name] = shape.of(shape.root(document, self.library), self.library)
        return self._shapes.get(name)


def site(settings: Settings, compiled: Compiled, environ: Mapping[str, str]) -> Site:
    """Return the site as the checks see it."""
    return Site(settings, compiled, Library(compiled.schemas.folder, compiled.schemas.site), environ)


def templates(process: Pieces) -> Iterator[Template | Condition | Items]:
    """Yield everything of a process that reads fields and could be compiled."""
    everything = [process.documents, process.marker]
    yield from (rule.must for rule in process.rules if rule)
    for record in process.records:
        everything += [record.template, record.path]
        yield from filter(None, (record.when, record.each))
    for batch in process.batches:
        everything += [batch.path, batch.header, batch.trailer]
    yield from filter(None, everything)


_SANDBOX = Sandbox({})


def tree(source: Source, places: Places) -> nodes.Template:
    """Return the tree of a template or path."""
    return parse(_SANDBOX, source, places)


def expression(source: Source, places: Places) -> nodes.Expr:
    """Return the tree of a condition."""
    return parse_expression(_SANDBOX, source, places)


def guarded_by(condition: str) -> reads.Fields:
    """Return the fields that are there wherever a condition holds."""
    return reads.guards(parse_expression(_SANDBOX, Source("", condition), Places()))[0]


def reads_all(file: Path) -> bool:
    """Return whether a template may read any field.

    It loops over them, or names one by a variable.
    """
    root = tree(Source("", file.read_text("utf-8-sig")), Places())
    whole = sum(1 for name in root.find_all(nodes.Name) if name.name == "fields")
    single = sum(1 for node in root.find_all((nodes.Getattr, nodes.Getitem)) if reads.field(node) is not None)
    return whole > single + _membership(root)


def _membership(root: nodes.Node) -> int:
    """Count the tests `"mrn" in fields`: they read nothing but what is tested."""
    return sum(1 for _ in _tested(root))


def _tested(root: nodes.Node) -> Iterator[nodes.Name]:
    for operand in root.find_all(nodes.Operand):
        if isinstance(operand.expr, nodes.Name) and operand.expr.name == "fields":
            yield operand.expr


@dataclass(frozen=True, slots=True)
class Written:
    """One text with its tree."""

    source: Source
    places: Places
    root: nodes.Node
    record: RecordConfig | None  # whose template, or part of it, this is; None for paths and conditions
    each: str | None = None  # what gives the list whose items this is rendered for

    def fault(
        self, node: nodes.Node, code: str, message: str, hint: str, severity: Severity = Severity.WARNING
    ) -> Fault:
        """Return a fault at a node."""
        return Fault(*self.places.place(beginning(node)), code, message, hint, severity)

    def names(self, *wanted: str) -> Iterator[nodes.Name]:
        """Yield where names are read."""
        return (node for node in self.root.find_all(nodes.Name) if node.name in wanted and node.ctx == "load")


def texts(site: Site, process: Pieces) -> list[Written]:
    """Return every text of a process that compiles, read once.

    A file that two records include is listed for each.
    """
    if process.config.name not in site.texts:
        site.texts[process.config.name] = list(_texts(site, process))
    return site.texts[process.config.name]


def _texts(site: Site, process: Pieces) -> Iterator[Written]:
    for index in range(len(process.records)):
        yield from _of_record(site, process, index)
    for index, rule in enumerate(process.rules):
        if rule:
            yield from _parsed(_said(process, rule.config.must, "rules", index, "must"), None, condition=True)
    output = process.config.output
    if process.documents:
        yield from _parsed(_said(process, output.documents, "output", "documents"), None)
    if process.marker and output.marker:
        yield from _parsed(_said(process, output.marker, "output", "marker"), None)


def _of_record(site: Site, process: Pieces, index: int) -> Iterator[Written]:
    record = process.records[index]
    each = record.config.each
    for file in record.template.files if record.template else ():
        if file.endswith(".j2"):
            yield from _parsed(Source(file, _read(site, file)), record.config, each=each)
    if record.each and each:
        yield from _parsed(_said(process, each, "records", index, "each"), None, condition=True)
    if record.when and record.config.when:
        said = _said(process, record.config.when, "records", index, "when")
        yield from _parsed(said, None, condition=True, each=each)
    if record.path and record.config.path:
        yield from _parsed(_said(process, record.config.path, "records", index, "path"), None, each=each)


def _read(site: Site, file: str) -> str:
    return (site.settings.site / file).read_text("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")


def _said(process: Pieces, text: str, *position: str | int) -> Source:
    return Source(process.config.source.file, text, *start(process.config, *position))


def _parsed(
    source: Source, record: RecordConfig | None, *, condition: bool = False, each: str | None = None
) -> Iterator[Written]:
    places = Places()
    try:
        root = nodes.Output([expression(source, places)]) if condition else tree(source, places)
    except ConfigurationError:  # it has its fault already
        return
    yield Written(source, places, root, record, each)
