"""Everything of a process that is written as templates are, as trees: templates, paths and conditions."""

from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import nodes

from receiver.authoring.check.site import Site
from receiver.authoring.check.trees import expression, tree
from receiver.core.faults import Fault, Misconfigured, Severity
from receiver.site.compiling import Pieces, start
from receiver.site.config.model import RecordConfig
from receiver.templates.source import Places, Source
from receiver.templates.source import start as beginning


@dataclass(frozen=True, slots=True)
class Written:
    """One text with its tree."""

    source: Source
    places: Places
    root: nodes.Node
    record: RecordConfig | None  # whose template, or part of it, this is; None for paths and conditions

    def fault(
        self, node: nodes.Node, code: str, message: str, hint: str, severity: Severity = Severity.WARNING
    ) -> Fault:
        """Return a fault at a node."""
        return Fault(*self.places.place(beginning(node)), code, message, hint, severity)

    def names(self, *wanted: str) -> Iterator[nodes.Name]:
        """Yield where names are read."""
        return (node for node in self.root.find_all(nodes.Name) if node.name in wanted and node.ctx == "load")


def texts(site: Site, process: Pieces) -> list[Written]:
    """Return every text of a process that compiles, read once; a file that two records include comes for each."""
    if process.config.name not in site.texts:
        site.texts[process.config.name] = list(_texts(site, process))
    return site.texts[process.config.name]


def _texts(site: Site, process: Pieces) -> Iterator[Written]:
    for index, record in enumerate(process.records):
        for file in record.template.files if record.template else ():
            if file.endswith(".j2"):
                yield from _parsed(Source(file, _read(site, file)), record.config)
        if record.when and record.config.when:
            yield from _parsed(_said(process, record.config.when, "records", index, "when"), None, condition=True)
        if record.path:
            yield from _parsed(_said(process, record.config.path, "records", index, "path"), None)
    output = process.config.output
    if process.documents:
        yield from _parsed(_said(process, output.documents, "output", "documents"), None)
    if process.marker and output.marker:
        yield from _parsed(_said(process, output.marker, "output", "marker"), None)


def _read(site: Site, file: str) -> str:
    return (site.settings.site / file).read_text("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")


def _said(process: Pieces, text: str, *position: str | int) -> Source:
    return Source(process.config.source.file, text, *start(process.config, *position))


def _parsed(source: Source, record: RecordConfig | None, *, condition: bool = False) -> Iterator[Written]:
    places = Places()
    try:
        root = expression(source, places) if condition else tree(source, places)
    except Misconfigured:  # it has its fault already
        return
    yield Written(source, places, root, record)
