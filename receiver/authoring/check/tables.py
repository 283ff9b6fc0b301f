"""Names of tables and cells in templates, against process.toml and the schemas."""

from collections.abc import Iterator, Sequence

from receiver.authoring.check.cells import Walk
from receiver.authoring.check.shape import Shape
from receiver.authoring.check.site import Site, texts
from receiver.core.delivery import Cell, Reading, Row
from receiver.core.faults import Fault, Severity, did_you_mean
from receiver.site.config.model import TableConfig
from receiver.site.pieces import Pieces
from receiver.site.process import Process


def faults(site: Site) -> Iterator[Fault]:
    """Yield unknown tables and cells, and cells that may be missing where read."""
    for process in site.processes:
        known = KnownTables(site, process)
        for written in texts(site, process):
            yield from Walk(written, known).faults()
        if process.config.metadata.form == "xml":
            yield from known.types_of_no_text()
        yield from _confidences(process, known)


class KnownTables:
    """What is known of the tables of one process."""

    def __init__(self, site: Site, process: Pieces) -> None:
        self.tables = process.config.tables
        self._shapes = {name: self._shape(site, table) for name, table in self.tables.items()}

    def _shape(self, site: Site, table: TableConfig) -> Shape | None:
        return site.shape(table.schema) if table.schema else None

    def outermost(self) -> list[str]:
        """Return the tables that stand in `tables`."""
        return [name for name, table in self.tables.items() if table.within is None]

    def within(self, table: str) -> list[str]:
        """Return the tables that lie within the rows of one."""
        return [name for name, each in self.tables.items() if each.within == table]

    def cell(self, table: str, name: str) -> tuple[str, str, Severity] | None:
        """Return message, hint and severity for a cell that no row has, if that is known."""
        columns, shape = self.tables[table].columns, self._shapes[table]
        if name in self.within(table) or name in columns:
            return None
        if columns:
            hint = did_you_mean(name, [*columns, *self.within(table)]) or f"the columns are {', '.join(columns)}"
            return f'the table "{table}" has no column "{name}"', hint, Severity.ERROR
        if shape is None or shape.knows(name) or not (shape.members or shape.closed):
            return None
        severity = Severity.ERROR if shape.closed else Severity.WARNING
        hint = did_you_mean(name, shape.members) or "add it to the schema's properties"
        return f'{self.tables[table].schema} knows no cell "{name}"', hint, severity

    def types_of_no_text(self) -> Iterator[Fault]:
        """Yield cells of XML whose schema asks for another type than text."""
        for shape in self._shapes.values():
            for name, member in shape.members.items() if shape else ():
                if member.types and "string" not in member.types:
                    place = member.node.document.positions.of(member.node.path, key=True)
                    message = f'the value of "{name}" comes out of XML, and so is text'
                    hint = 'write "type": "string", with a "pattern" for its form'
                    yield Fault(member.node.document.file, *place, "field-type", message, hint)

    def may_be_absent(self, table: str, name: str) -> bool:
        """Return whether a row's schema allows the cell to be missing.

        False if no schema says.
        """
        shape = self._shapes[table]
        return shape is not None and shape.knows(name) and name not in shape.required


def _confidences(process: Pieces, known: KnownTables) -> Iterator[Fault]:
    """Yield minimums of columns that no row has.

    A name without a dot, or of no table, is a field's.
    """
    for name in process.config.confidence.fields:
        table, dot, cell = name.partition(".")
        if dot and table in known.tables and (unknown := known.cell(table, cell)):
            message, hint, _ = unknown
            place = ("confidence", "fields", name)
            yield process.config.source.fault(
                "unknown-cell", message, place, hint=hint, severity=Severity.WARNING, key=True
            )


def of_samples(process: Process, readings: Sequence[Reading]) -> Iterator[Fault]:
    """Yield paths to rows, cells and confidences that match nothing in any sample."""
    for name, table in process.config.tables.items() if readings else ():
        rows = [row for reading in readings for row in _rows(process, name, reading)]
        cells = [cell for reading in readings for cell in reading.cells if cell.name.startswith(f"{name}.")]
        asked = process.config.confidence.minimum > 0 and table.confidence != process.metadata.form.NO_CONFIDENCE
        for what, *key in _nothing(name, table, rows, cells, asked=asked):
            message = f"there {what} at this path in any of the samples ({len(readings)})"
            hint = "write the path that leads there in the metadata; a text within a JMESPath stands in single quotes"
            where = ("tables", name, *key)
            yield process.config.fault("unknown-path", message, *where, hint=hint, severity=Severity.WARNING)


def _rows(process: Process, name: str, reading: Reading) -> list[Row]:
    """Return every row of a table, also of one that lies within others."""
    outer = process.config.tables[name].within
    if outer is None:
        return list(reading.tables[name])
    return [row for above in _rows(process, outer, reading) for row in above[name]]


def _nothing(
    name: str, table: TableConfig, rows: list[Row], cells: list[Cell], *, asked: bool
) -> Iterator[tuple[str, ...]]:
    """Yield what is not there, and at which path."""
    if not rows:
        yield "are no rows", "rows"
        return
    if table.each and not cells:
        yield "are no cells", "each"
    elif table.each and asked and all(cell.confidence is None for cell in cells):
        yield "is no confidence", "confidence"
    for cell, column in table.columns.items():
        measured = [each.confidence for each in cells if each.name == f"{name}.{cell}"]
        if not measured:
            yield "is no value", "columns", cell
        elif column.confidence and all(each is None for each in measured):
            yield "is no confidence", "columns", cell, "confidence"
