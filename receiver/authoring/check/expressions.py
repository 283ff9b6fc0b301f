"""Expressions that compile and cannot be meant: names that nothing has, values that never come, escapes by hand."""

import re
from collections.abc import Iterator
from typing import Any

from jinja2 import nodes

from receiver.authoring.check import shape
from receiver.authoring.check.shape import Shape
from receiver.authoring.check.site import Site, Written, texts
from receiver.authoring.check.values import instance
from receiver.core.delivery import Role
from receiver.core.faults import Fault, Severity, did_you_mean
from receiver.site.compiling import Pieces
from receiver.templates.operations import METHODS
from receiver.templates.reads import field

ATTRIBUTES = {  # what templates see of it: `receiver.templates.names`
    "delivery": ("id", "process", "source_id", "received_at", "version", "previous"),
    "document": ("name", "filename", "suffix", "type", "size", "sha256", "path", "pages"),
}
PREVIOUS = ("id", "version", "received_at")
OURS = frozenset({"delivery.id", "delivery.version", "delivery.received_at", "delivery.process", "document.suffix"})
SAFE = frozenset({"lookup", "base64", "hl7_ts", "fhir_time", "uuid", "digits", "number", "int", "float", "length"})
SAFE |= {"age", "days_between", "decimal", "plus", "sum_of"}
ESCAPES = re.compile(r"&(?:#?\w+);|\\[FSRTEX]\\|\\\"|\"\"|\\[nrt\\]")
WHOLE = frozenset({"default", "d", "lower", "upper", "trim", "string"})  # filters that leave a code what it is


def faults(site: Site) -> Iterator[Fault]:
    """Yield what expressions of each process cannot mean."""
    for process in site.processes:
        name = process.config.fields.schema
        known = site.shape(name) if name else None
        metadata = _metadata(site, process)
        for written in texts(site, process):
            yield from _attributes(written, known, metadata)
            yield from _previous(written)
            yield from _never_equal(written, process, known)
            for filtered in written.root.find_all(nodes.Filter):
                yield from _raw(written, filtered)
                yield from _escaped(written, filtered)
                yield from _cut(written, filtered, known)
            yield from _added(written)


def _metadata(site: Site, process: Pieces) -> Shape | None:
    config = process.config.metadata
    document = site.schema(config.schema) if config.form == "json" else None
    return shape.of(shape.root(document, site.library), site.library) if document else None


def _attributes(written: Written, known: Shape | None, metadata: Shape | None) -> Iterator[Fault]:
    for node in written.root.find_all(nodes.Getattr):
        owner = node.node.name if isinstance(node.node, nodes.Name) else ""
        words = ATTRIBUTES.get(owner)
        if words and node.attr not in words and node.attr not in METHODS:
            message = f'{owner} has nothing called "{node.attr}"'
            hint = did_you_mean(node.attr, words) or f"it has {', '.join(words)}"
            yield written.fault(node, "unknown-attribute", message, hint, Severity.ERROR)
        elif owner == "documents" and node.attr not in METHODS:
            message, hint = f'documents is a list, and has no "{node.attr}"', f"write document.{node.attr}, or a loop"
            yield written.fault(node, "unknown-attribute", message, hint, Severity.ERROR)
        elif owner == "confidence" and known and known.members and not known.knows(node.attr):
            message = f'there is no field "{node.attr}"'
            yield written.fault(node, "unknown-field", message, did_you_mean(node.attr, known.members))
        elif owner == "metadata" and metadata and metadata.members and not metadata.knows(node.attr):
            message = f'the metadata\'s schema knows nothing called "{node.attr}"'
            hint = did_you_mean(node.attr, metadata.members) or f"it knows {', '.join(metadata.members)}"
            severity = Severity.ERROR if metadata.closed else Severity.WARNING
            yield written.fault(node, "unknown-attribute", message, hint, severity)


def _previous(written: Written) -> Iterator[Fault]:
    """Yield what the version before has not, and tests of whether it is defined: it always is, and none at first."""
    for node in written.root.find_all(nodes.Getattr):
        if _is_previous(node.node) and node.attr not in PREVIOUS:
            hint = did_you_mean(node.attr, PREVIOUS) or f"it has {', '.join(PREVIOUS)}"
            message = f'delivery.previous has nothing called "{node.attr}"'
            yield written.fault(node, "unknown-attribute", message, hint, Severity.ERROR)
    for test in written.root.find_all(nodes.Test):
        if _is_previous(test.node) and test.name in ("defined", "undefined"):
            message = "delivery.previous is always defined: it is none for the first version"
            yield written.fault(test, "no-effect", message, "write {% if delivery.previous %}", Severity.ERROR)


def _is_previous(node: nodes.Node | None) -> bool:
    return (
        isinstance(node, nodes.Getattr)
        and node.attr == "previous"
        and isinstance(node.node, nodes.Name)
        and node.node.name == "delivery"
    )


def _never_equal(written: Written, process: Pieces, known: Shape | None) -> Iterator[Fault]:
    """Yield comparisons of a field with what its enum does not list, and of a document's type with none it may have."""
    for node in written.root.find_all(nodes.Compare):
        listed = _listed(node.expr, process, known)
        for operand in node.ops if listed else ():
            for constant in _constants(operand.expr) if operand.op in ("eq", "ne", "in", "notin") else ():
                if constant.value not in listed:
                    message = f'this is never "{constant.value}"'
                    hint = did_you_mean(str(constant.value), map(str, listed)) or "there are: " + ", ".join(
                        map(str, listed[:10])
                    )
                    yield written.fault(constant, "unknown-value", message, hint)


def _listed(node: nodes.Expr, process: Pieces, known: Shape | None) -> list[Any]:
    """Return every value that an expression may have, where that is listed; [] where anything may come."""
    if isinstance(node, nodes.Filter) and node.name in ("default", "d") and node.node:
        rest = [constant.value for each in node.args[:1] for constant in _constants(each)]
        return [*_listed(node.node, process, known), *rest] if _listed(node.node, process, known) else []
    if isinstance(node, nodes.Getattr) and node.attr == "type" and _is_document(node.node):
        rules = [part for part in process.config.parts if part.role is Role.DOCUMENT]
        kinds = [kind for part in rules for kind in part.types]
        return [*kinds, "application/pdf"] if all(part.types for part in rules) and kinds else []
    name = field(node)
    member = known.members.get(name) if known and name else None
    enum = member.node.schema.get("enum") if member else None
    return enum if isinstance(enum, list) else []


def _is_document(node: nodes.Expr) -> bool:
    if isinstance(node, nodes.Getitem):
        return isinstance(node.node, nodes.Name) and node.node.name == "documents"
    return isinstance(node, nodes.Name) and node.name == "document"


def _constants(node: nodes.Node) -> Iterator[nodes.Const]:
    if isinstance(node, nodes.Const):
        yield node
    elif isinstance(node, nodes.List | nodes.Tuple):
        yield from (each for each in node.items if isinstance(each, nodes.Const))


def _raw(written: Written, node: nodes.Filter) -> Iterator[Fault]:
    """Yield values of a delivery that are printed without being escaped."""
    if node.name == "raw" and node.node and _carries(node.node):
        message = "a value that a delivery carries is printed as it is: a delimiter in it becomes part of the record"
        yield written.fault(node, "raw-value", message, "leave `| raw` away: values are escaped by themselves")


def _carries(node: nodes.Node) -> bool:
    """Return whether an expression can hold what the sender wrote."""
    if isinstance(node, nodes.Filter) and node.name in SAFE:
        return False
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
        return f"{node.node.name}.{node.attr}" not in OURS and node.node.name != "loop"
    if isinstance(node, nodes.Name):
        return node.ctx == "load" and node.name not in ("loop", "range")
    return any(_carries(child) for child in node.iter_child_nodes())


def _escaped(written: Written, node: nodes.Filter) -> Iterator[Fault]:
    """Yield escapes that are written by hand, and come out escaped once more."""
    new = node.args[1] if node.name == "replace" and len(node.args) > 1 else None
    if written.record and isinstance(new, nodes.Const) and isinstance(new.value, str) and ESCAPES.search(new.value):
        message = "what is replaced here by hand is escaped once more when it is printed"
        yield written.fault(
            node, "escaped-twice", message, "leave this `replace` away: values are escaped by themselves"
        )


def _cut(written: Written, node: nodes.Filter, known: Shape | None) -> Iterator[Fault]:
    """Yield codes that are cut: a shorter code is another one."""
    width = node.args[0] if node.name == "truncate" and node.args else None
    name = field(node.node) if node.name == "truncate" else None
    member = known.members.get(name) if known and name else None
    if not (member and isinstance(width, nodes.Const) and isinstance(width.value, int)):
        return
    texts_ = [instance(each, longest=True) or "" for each in _patterns(member)]
    texts_ += [str(each) for each in member.node.schema.get("enum", [])]
    if any(len(text) > width.value for text in texts_):
        message = f'"{name}" may be longer than {width.value}, and a code that is cut is another one'
        yield written.fault(node, "cut-value", message, "write `| fixed(…)`, which refuses what does not fit")


def _patterns(member: shape.Member) -> list[str]:
    found = [node.schema.get("pattern") for node in member.certain]
    return [each for each in found if isinstance(each, str) and each.startswith("^") and each.endswith("$")]


def _added(written: Written) -> Iterator[Fault]:
    """Yield delimiters of HL7 that are added to a value with +."""
    if not written.record or written.record.format != "hl7":
        return
    for node in written.root.find_all(nodes.Add):
        for side in (node.left, node.right):
            if isinstance(side, nodes.Const) and isinstance(side.value, str) and set(side.value) & set("|^~&"):
                message = f'"{side.value}" within a value comes out escaped'
                hint = "print each part by itself, with the delimiter as text between them: {{ … }}^{{ … }}"
                yield written.fault(node, "escape-separator", message, hint, Severity.ERROR)
