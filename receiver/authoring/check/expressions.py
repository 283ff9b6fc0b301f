"""Expressions that compile but cannot be meant.

Unknown names, values that are impossible, escapes by hand.
"""

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
from receiver.site.pieces import Pieces
from receiver.templates.environment import METHODS
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
GIVING_NOTHING = frozenset({"default", "d", "first", "last", "max", "min"})  # filters with nothing to give, at times
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
                yield from _late(written, filtered)
            for sliced in written.root.find_all(nodes.Getitem):
                yield from _sliced(written, sliced, known)
            for constant in written.root.find_all(nodes.Const):
                yield from _placeholder(written, constant)
            for test in _tests(written.root):
                yield from _by_itself(written, test)
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
        elif (name := field(node.node)) and node.attr not in METHODS and _is_text(name, known):
            message, hint = f'the field "{name}" is a text, and has no "{node.attr}"', f"write fields.{name}"
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
    """Yield unknown names of `delivery.previous`, and tests whether it is defined.

    It always is; for a first version it is none.
    """
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


def _is_text(name: str, known: Shape | None) -> bool:
    return known is not None and name in known.members and known.members[name].types == {"string"}


def _never_equal(written: Written, process: Pieces, known: Shape | None) -> Iterator[Fault]:
    """Yield comparisons that are never true.

    A field with a value that its enum does not list, or a document's type with one it cannot
    have.
    """
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
    """Return every value that an expression may have; [] if they are not listed."""
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
    if isinstance(width, nodes.Const):
        yield from _shortened(written, node, field(node.node), width.value, known)
    name = field(node.node) if node.name == "int" else None
    texts_ = _longest(known.members[name], last=False) if known and name in known.members else []
    if any(text.isdigit() and text.startswith("0") and len(text) > 1 for text in texts_):
        message = f'"{name}" may begin with zeros, and a number loses them'
        yield written.fault(node, "cut-value", message, "leave `| int` away: a number of a patient is a text")


def _sliced(written: Written, node: nodes.Getitem, known: Shape | None) -> Iterator[Fault]:
    """Yield slices of codes, as fields.mrn[0:4]."""
    stop = node.arg.stop if isinstance(node.arg, nodes.Slice) else None
    if isinstance(stop, nodes.Const):
        yield from _shortened(written, node, field(node.node), stop.value, known)


def _shortened(
    written: Written, node: nodes.Expr, name: str | None, width: Any, known: Shape | None
) -> Iterator[Fault]:
    member = known.members.get(name) if known and name else None
    if member and isinstance(width, int) and any(len(text) > width for text in _longest(member)):
        message = f'"{name}" may be longer than {width}, and a code that is cut is another one'
        yield written.fault(node, "cut-value", message, "write `| fixed(…)`, which refuses what does not fit")


def _longest(member: shape.Member, *, last: bool = True) -> list[str]:
    """Return the longest codes a field may have, by its anchored patterns and enum."""
    made = [instance(each, longest=True, last=last) or "" for each in _patterns(member)]
    return made + [str(each) for each in member.node.schema.get("enum", [])]


def _late(written: Written, node: nodes.Filter) -> Iterator[Fault]:
    """Yield a `default` that comes too late.

    The filter before it fails on a missing value, or always returns one.
    """
    before = node.node if node.name in ("default", "d") else None
    if isinstance(before, nodes.Filter) and before.name not in GIVING_NOTHING:
        message = f"this default never comes into effect: where a value is missing, `{before.name}` before it fails"
        hint = f'write `| default("") | {before.name}`'
        if before.name == "lookup":
            hint = "write lookup(…, default=…) for what is not in the table, and `| default` before it"
        yield written.fault(node, "no-effect", message, hint)


def _placeholder(written: Written, node: nodes.Const) -> Iterator[Fault]:
    if isinstance(node.value, str) and "{{" in node.value:
        message = "{{ within a text is printed as it stands"
        yield written.fault(
            node, "foreign-placeholder", message, 'put texts and values together with ~: "a" ~ fields.…'
        )


def _tests(root: nodes.Node) -> Iterator[nodes.Node]:
    """Yield what is asked: a condition itself, and that of each `if`."""
    if isinstance(root, nodes.Output):
        yield from root.nodes
    yield from (each.test for each in root.find_all(nodes.If))
    yield from (each.test for each in root.find_all(nodes.CondExpr))


def _by_itself(written: Written, node: nodes.Node) -> Iterator[Fault]:
    """Yield texts that stand as conditions: `fields.clinic == "NORTH" or "SOUTH"`.

    They are always true.
    """
    if isinstance(node, nodes.And | nodes.Or | nodes.Not):
        for child in node.iter_child_nodes():
            yield from _by_itself(written, child)
    elif isinstance(node, nodes.Const) and isinstance(node.value, str):
        message = f'"{node.value}" by itself is always true, unless it is empty'
        yield written.fault(node, "constant-condition", message, 'compare it: fields.name in ["one", "other"]')
    elif isinstance(node, nodes.Compare) and field(node.expr):
        for operand in node.ops:
            sought = operand.expr if operand.op in ("in", "notin") else None
            if isinstance(sought, nodes.Const) and isinstance(sought.value, str):
                message = (
                    f'this looks for the value within the text "{sought.value}": a part of it, and "", is there too'
                )
                yield written.fault(sought, "unknown-value", message, f'write in ["{sought.value}"]')


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
