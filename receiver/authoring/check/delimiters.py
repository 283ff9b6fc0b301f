"""Delimiters in text records that a value may contain."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jinja2 import nodes

from receiver.authoring.check import shape, values
from receiver.authoring.check.expressions import OURS, SAFE
from receiver.authoring.check.shape import Node, Shape
from receiver.authoring.check.site import Site, Written, texts
from receiver.core.faults import Fault
from receiver.schemas.json_library import Library
from receiver.site.pieces import Pieces
from receiver.templates import reads

MARKS = "|;^~\t"  # what separates values wherever it stands
ALONE = ","  # what does so where nothing else stands between two values: prose has a blank behind it
FREE = SAFE | {"date"}  # filters whose outcome the owner has written, or that give numbers
OF_SENDER = frozenset({"document.filename", "delivery.source_id"})
STRICT = frozenset({"date", "date-time", "time", "uuid"})  # formats that have no delimiter
TEXTLESS = frozenset({"integer", "number", "boolean", "null"})


def faults(site: Site) -> Iterator[Fault]:
    """Yield text records that print a delimiter between values that may contain it.

    Records that forbid the character are left out.
    """
    for process in site.processes:
        for written in texts(site, process):
            if written.record and written.record.format == "text":
                yield from _open(written, written.record.forbid, Proof.of(site, process, written))


def _open(written: Written, forbidden: str, proof: "Proof") -> Iterator[Fault]:
    found = [
        (value, mark)
        for pair, marks in _separated(written.root)
        for value in pair
        for mark in marks
        if mark not in forbidden and proof.may_hold(value, mark)
    ]
    if found:
        marks = "".join(dict.fromkeys(mark for _, mark in found)).replace("\t", "\\t")
        message = f'"{marks}" separates values here, and a value may hold it: the other side then reads one value more'
        whole = forbidden.replace("\t", "\\t") + marks
        hint = f'write forbid = "{whole}" under [[records]], or let the schema refuse it (pattern)'
        yield written.fault(found[0][0], "open-delimiter", message, hint)


def _separated(root: nodes.Node) -> Iterator[tuple[tuple[nodes.Expr, nodes.Expr], set[str]]]:
    """Yield neighbours in a line, with the delimiters between them; tags are skipped."""
    before: nodes.Expr | None = None
    between = ""
    for piece in _pieces(root):
        if isinstance(piece, nodes.TemplateData):
            between += piece.data
            continue
        if before and "\n" not in between:
            yield (before, piece), {mark for mark in MARKS if mark in between} | ({between} & {ALONE})
        before, between = piece, ""


def _pieces(node: nodes.Node) -> Iterator[nodes.Expr]:
    """Yield what is printed in the order of the text, a loop as two turns of it."""
    if isinstance(node, nodes.Output):
        yield from node.nodes
        return
    for _ in range(2 if isinstance(node, nodes.For) else 1):
        for child in node.iter_child_nodes():
            yield from _pieces(child)


@dataclass(frozen=True, slots=True)
class Proof:
    """What the schemas and the template itself say of the values that it prints."""

    library: Library
    known: Shape | None
    source_id: Node | None
    variables: dict[str, nodes.Node]
    rows: dict[str, Shape | None]  # by the variable that goes through them

    @classmethod
    def of(cls, site: Site, process: Pieces, written: Written) -> "Proof":
        """Gather what is known of a template's values."""
        config = process.config
        known = site.shape(config.fields.schema) if config.fields.schema else None
        metadata = site.shape(config.metadata.schema) if config.metadata.form == "json" else None
        identity = metadata.members.get(config.metadata.source_id) if metadata else None
        root, tables = written.root, config.tables
        assigned = [(each.target, each.node) for each in root.find_all(nodes.Assign)]
        looped = [(each.target, each.iter) for each in root.find_all(nodes.For)]
        variables = {target.name: said for target, said in assigned + looped if isinstance(target, nodes.Name)}
        named = {name: _last(said) for name, said in variables.items()}
        named["item"] = (written.each or "").rpartition(".")[2]
        schemas = {name: tables[table].schema for name, table in named.items() if table in tables}
        rows = {name: site.shape(schema) for name, schema in schemas.items() if schema}
        return cls(site.library, known, identity.node if identity else None, variables, rows)

    def may_hold(self, node: nodes.Node, mark: str, seen: frozenset[str] = frozenset()) -> bool:
        """Return whether the value of an expression may contain a character.

        `seen` are the variables that led here.
        """
        if isinstance(node, nodes.Const | nodes.Compare | nodes.Test | nodes.Not):
            return False
        if isinstance(node, nodes.Filter) and (node.name in FREE or _takes_out(node, mark)):
            return False
        if name := reads.field(node):
            member = self.known.members.get(name) if self.known else None
            return member is None or not self._excludes(member.node, mark)
        if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
            return self._attribute(f"{node.node.name}.{node.attr}", mark)
        if isinstance(node, nodes.Name):
            said = self.variables.get(node.name) if node.name not in seen else None
            return self.may_hold(said, mark, seen | {node.name}) if said else node.name not in ("loop", "range")
        tested = (node.test,) if isinstance(node, nodes.CondExpr) else ()
        return any(self.may_hold(child, mark, seen) for child in node.iter_child_nodes() if child not in tested)

    def _attribute(self, name: str, mark: str) -> bool:
        if name == "delivery.source_id" and self.source_id:
            return not self._excludes(self.source_id, mark)
        owner, _, cell = name.partition(".")
        row = self.rows.get(owner)
        if row and cell in row.members:
            return not self._excludes(row.members[cell].node, mark)
        return name in OF_SENDER or (name not in OURS and owner not in ("document", "loop"))

    def _excludes(self, node: Node, mark: str) -> bool:
        """Return whether a schema lets no value with a character come."""
        surely = list(shape.certain(node, self.library))
        inner = shape.items(node, self.library)
        return any(_refuses(each.schema, mark) for each in surely) or (
            inner is not None and self._excludes(inner, mark)
        )


def _last(node: nodes.Node | None) -> str:
    """Return the last name of a list: items of tables.items and of order.items."""
    while isinstance(node, nodes.Filter):
        node = node.node
    return node.attr if isinstance(node, nodes.Getattr) else ""


def _takes_out(node: nodes.Filter, mark: str) -> bool:
    first = node.args[0] if node.name in ("without", "replace") and node.args else None
    if not isinstance(first, nodes.Const) or not isinstance(first.value, str):
        return False
    return mark in first.value if node.name == "without" else mark == first.value


def _refuses(schema: dict[str, Any], mark: str) -> bool:
    listed = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if listed is not None:
        return not any(mark in str(each) for each in listed)
    types = schema.get("type", "string")
    if TEXTLESS.issuperset([types] if isinstance(types, str) else types):
        return True
    pattern = schema.get("pattern")
    return schema.get("format") in STRICT or (isinstance(pattern, str) and not values.may_hold(pattern, mark))
