"""Names of published files: unique for each delivery, and without field values."""

import re
from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

from jinja2 import nodes

from receiver.authoring.check.shape import Shape
from receiver.authoring.check.site import Site, tree
from receiver.core.faults import Fault, Severity
from receiver.formats.path import FORBIDDEN
from receiver.site.pieces import Pieces, start
from receiver.templates.source import Places, Source

OF_TURN = frozenset({"loop.index", "loop.index0", "loop.revindex"})  # what no two items share
OF_ITEM = {r"range\(": "item", r"documents$": "item.path"}  # and what no two of such a list do
KEEPING = frozenset(
    {"lower", "upper", "trim", "string", "default", "d", "fixed"}
)  # filters that leave different ids different
VALUES = frozenset({"fields", "metadata", "tables"})
SILENT: dict[type[nodes.Node], tuple[str, ...]] = {nodes.If: ("test",), nodes.CondExpr: ("test",)}


class Written(NamedTuple):
    """One path as process.toml has it."""

    position: tuple[str | int, ...]
    text: str
    always: bool  # every delivery gets such a file
    each: str | None = None  # the list for whose items such files are made

    @property
    def what(self) -> str:
        """Name the path in a message."""
        return "record's path" if self.position[0] == "records" else f"path under {self.position[-1]}"


def faults(site: Site) -> Iterator[Fault]:
    """Yield paths that are not unique, or that contain a field's value."""
    for process in site.processes:
        written = list(_compiled(process))
        for each in written:
            yield from _unique(process, each)
            yield from _apart(process, each)
            yield from _telling(site, process, each)
            yield from _replaced(site, process, each)
        yield from _clashes(process, written)
        yield from _suffix(process)


def _compiled(process: Pieces) -> Iterator[Written]:
    output = process.config.output
    if process.documents:
        yield Written(("output", "documents"), output.documents, True)
    if process.marker:
        yield Written(("output", "marker"), str(output.marker), True)
    for index, record in enumerate(process.records):
        config = record.config
        if record.path and config.path:
            yield Written(("records", index, "path"), config.path, config.when is None, config.each)


def _unique(process: Pieces, written: Written) -> Iterator[Fault]:
    config = process.config
    printed = _printed(tree(Source("", written.text), Places()))
    certain = {"delivery.id"} <= printed or {"delivery.source_id", "delivery.version"} <= printed
    if certain or ("delivery.source_id" in printed and config.delivery.same_source_id != "publish"):
        return
    if "{{" not in written.text:
        message, severity = (
            f"the {written.what} is the same for every delivery: the second one is refused",
            Severity.ERROR,
        )
    else:
        message, severity = (
            f"two deliveries may get the same {written.what}: the later one is refused",
            Severity.WARNING,
        )
    hint = "put {{ delivery.id }} into it"
    yield config.fault("path-not-unique", message, *written.position, hint=hint, severity=severity)


def _apart(process: Pieces, written: Written) -> Iterator[Fault]:
    """Yield a path that does not tell the records of one delivery apart."""
    if written.each is None:
        return
    root = tree(Source("", written.text), Places())
    if _printed(root) & (OF_TURN | {OF_ITEM[kind] for kind in OF_ITEM if re.match(kind, written.each.strip())}):
        return
    own = [name for name in root.find_all(nodes.Name) if name.name in ("item", "loop")]
    message, severity = "every record of a delivery gets this path: a second one is refused", Severity.ERROR
    if own:
        message, severity = "two records of a delivery may get this path, and then it is refused", Severity.WARNING
    hint = "put {{ loop.index }} into it"
    yield process.config.fault("path-not-apart", message, *written.position, hint=hint, severity=severity)


def _printed(node: nodes.Node) -> frozenset[str]:
    """Return what a template prints in every case: names such as delivery.id."""
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
        return frozenset({f"{node.node.name}.{node.attr}"})
    if isinstance(node, nodes.Name):
        return frozenset({node.name})
    if isinstance(node, nodes.Filter) and node.name == "format":
        return _all(node.args)
    if isinstance(node, nodes.Filter):
        return _printed(node.node) if node.node and node.name in KEEPING else frozenset()
    if isinstance(node, nodes.CondExpr):
        return _printed(node.expr1) & (_printed(node.expr2) if node.expr2 else frozenset())
    if isinstance(node, nodes.If):
        branches = [node.body, *(branch.body for branch in node.elif_), node.else_]
        return frozenset.intersection(*(_all(branch) for branch in branches))
    if isinstance(node, nodes.Template | nodes.With):
        return _all(node.body)
    if isinstance(node, nodes.Output | nodes.Concat):
        return _all(node.nodes)
    return _printed(node.left) | _printed(node.right) if isinstance(node, nodes.Add) else frozenset()


def _all(body: list[nodes.Node] | list[nodes.Expr]) -> frozenset[str]:
    return frozenset().union(*map(_printed, body))


def _telling(site: Site, process: Pieces, written: Written) -> Iterator[Fault]:
    config, places = process.config, Places()
    root = tree(Source(config.source.file, written.text, *start(config, *written.position)), places)
    shape = site.shape(config.fields.schema) if config.fields.schema else None
    if shape is None and config.fields.schema:
        return  # the schema has a fault of its own, and might list the values
    values = VALUES if written.each is None or re.match("|".join(OF_ITEM), written.each) else VALUES | {"item"}
    for node, name in _values(root, values):
        if not _is_listed(shape, name):
            message = "the name of the file tells a field's value: it will stand in the ledger, in receipts and in logs"
            hint = "name files by {{ delivery.id }}; what its schema lists (enum) or a table gives (lookup) is in order"
            place = places.place(node.lineno)
            yield Fault(*place, "path-tells-value", message, hint, Severity.WARNING)


def _is_listed(shape: Shape | None, name: str) -> bool:
    """Return whether a field's values are listed in its schema.

    A field that is not known has a fault already.
    """
    if shape is None or not name:
        return False
    return shape.members[name].listed if name in shape.members else not shape.knows(name) and bool(shape.members)


def _values(node: nodes.Node, values: frozenset[str]) -> Iterator[tuple[nodes.Node, str]]:
    """Yield what is printed of fields or metadata, with the field's name.

    What is only tested is not printed, and what is looked up comes out of the table.
    """
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name) and node.node.name in values:
        yield node.node, node.attr if node.node.name == "fields" else ""
    elif isinstance(node, nodes.Name) and node.name in values:
        yield node, ""
    else:
        for child in node.iter_child_nodes(exclude=SILENT.get(type(node), ())):
            if not (isinstance(node, nodes.Filter) and node.name == "lookup" and child is node.node):
                yield from _values(child, values)


def _replaced(site: Site, process: Pieces, written: Written) -> Iterator[Fault]:
    """Yield values that have a "/" or the like, which becomes "_" in a name."""
    config, places = process.config, Places()
    root = tree(Source(config.source.file, written.text, *start(config, *written.position)), places)
    shape = site.shape(config.fields.schema) if config.fields.schema else None
    for node, what, hint in _printed_marks(root, shape):
        message = f'{what}, and becomes "_" in the name of a file'
        yield Fault(*places.place(node.lineno), "path-replaced", message, hint, Severity.WARNING)


def _printed_marks(node: nodes.Node, shape: Shape | None) -> Iterator[tuple[nodes.Node, str, str]]:
    """Yield characters that file names cannot have, with what to write instead."""
    if isinstance(node, nodes.Filter):
        if (mark := _of_date(node)) is not None:
            yield node, f'the date is written with "{mark}"', 'write it as date(…, "%Y-%m-%d") does'
        elif node.node and node.name in KEEPING:
            yield from _printed_marks(node.node, shape)  # any other filter may well take it out
    elif isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
        if (node.node.name, node.attr) == ("document", "type"):
            yield node, 'a media type has a "/"', "write {{ document.suffix }}, as .pdf"
        listed = shape.members[node.attr].node.schema.get("enum") if shape and node.attr in shape.members else None
        if node.node.name == "fields" and (mark := _mark(listed if isinstance(listed, list) else [])) is not None:
            yield node, f'a value that the schema lists has "{mark}"', "look it up in a code table: | lookup(…)"
    else:
        for child in node.iter_child_nodes(exclude=SILENT.get(type(node), ())):
            yield from _printed_marks(child, shape)


def _of_date(node: nodes.Filter) -> str | None:
    """Return a character of a date's format that no name has."""
    named = next((each.value for each in node.kwargs if each.key == "write"), None)
    format_ = named or (node.args[1] if node.name == "date" and len(node.args) > 1 else None)
    return _mark([format_.value]) if node.name == "date" and isinstance(format_, nodes.Const) else None


def _mark(texts: list[object]) -> str | None:
    return next((each for text in texts if isinstance(text, str) for each in text if each in FORBIDDEN), None)


def _suffix(process: Pieces) -> Iterator[Fault]:
    """Yield names of documents without a suffix, or with a second dot before it."""
    name = process.config.output.documents.rpartition("/")[2]
    message = hint = ""
    if re.search(r"\.\s*\{\{-?\s*document\.suffix\s*-?\}\}", name):
        message, hint = (
            "the suffix has its dot already: this gives two",
            "leave the dot before it away",
        )
    elif not re.search(r"document\.(suffix|filename)|\.\w+$", name):
        message, hint = "documents get names without a suffix, as .pdf", "write {{ document.suffix }} at its end"
    if message:
        yield process.config.fault("path-suffix", message, "output", "documents", hint=hint, severity=Severity.WARNING)


def _clashes(process: Pieces, written: list[Written]) -> Iterator[Fault]:
    for first, second in combinations(written, 2):
        if first.text.casefold() == second.text.casefold() and first.always and second.always:
            line, _ = process.config.position(*first.position)
            message = f"this is the {first.what} in line {line} too: every delivery is refused"
            if first.position == ("output", "documents"):
                message = "this is the documents' path too: every delivery is refused"
            hint = "give each file a name of its own"
            yield process.config.fault("path-clash", message, *second.position, hint=hint)
