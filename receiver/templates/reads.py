"""Finds which fields an expression reads, and which a condition proves to exist.

A label, "fields.patient_name", is made of template text alone, never of values.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from jinja2 import nodes

from receiver.templates.names import NAMES

KEEP_EMPTY = frozenset({"trim", "lower", "upper", "length", "count", "list"})  # filters that make nothing of nothing
MAX_LABELS = 3  # of one expression: a message names the first few

Fields = frozenset[str]
NONE: Fields = frozenset()


@dataclass(frozen=True, slots=True, order=True)
class Read:
    """One place where a template reads a field."""

    file: str  # relative to the site
    line: int
    column: int
    name: str
    guarded: bool  # it is known to be there, or has a default


def field(node: nodes.Node | None) -> str | None:
    """Return the name of the field that a node reads, as in `fields.name`."""
    if isinstance(node, nodes.Getattr) and _is_fields(node.node):
        return node.attr
    if isinstance(node, nodes.Getitem) and _is_fields(node.node) and isinstance(node.arg, nodes.Const):
        return node.arg.value if isinstance(node.arg.value, str) else None
    return None


def combined(
    test: nodes.Node | None, single: Callable[[nodes.Node | None], tuple[frozenset[str], frozenset[str]]]
) -> tuple[frozenset[str], frozenset[str]]:
    """Return what exists if a condition is true, and if false, by its `single` parts."""
    if isinstance(test, nodes.Not):
        holds, fails = combined(test.node, single)
        return fails, holds
    if isinstance(test, nodes.And):
        return combined(test.left, single)[0] | combined(test.right, single)[0], NONE
    if isinstance(test, nodes.Or):
        return NONE, combined(test.left, single)[1] | combined(test.right, single)[1]
    return single(test)


def guards(test: nodes.Node | None) -> tuple[Fields, Fields]:
    """Return the fields that exist if a condition is true, and those if it is false."""
    return combined(test, _guard)


def _guard(test: nodes.Node | None) -> tuple[Fields, Fields]:
    if isinstance(test, nodes.Compare) and test.ops[0].op in ("in", "notin"):
        return _membership(test)
    if isinstance(test, nodes.Test):
        found = _one(field(test.node))
        return {"defined": (found, NONE), "undefined": (NONE, found)}.get(test.name, (NONE, NONE))
    return _one(field(needed(test))), NONE


def defaulted(node: nodes.Node | None) -> str | None:
    """Return the field that stands before a `default` filter."""
    return field(node.node) if isinstance(node, nodes.Filter) and node.name in ("default", "d") else None


def needed(test: nodes.Node | None) -> nodes.Node | None:
    """Return what a true condition needs: `x` of `x | default("")`, `!= ""`, `> 0`."""
    if isinstance(test, nodes.Compare):
        return needed(test.expr) if len(test.ops) == 1 and _beyond_nothing(test.ops[0]) else None
    if not isinstance(test, nodes.Filter):
        return None
    if test.name in ("default", "d"):
        return test.node if not test.args or _is_empty(test.args[0]) else None
    return needed(test.node) if test.name in KEEP_EMPTY else None


def _beyond_nothing(operand: nodes.Operand) -> bool:
    value = operand.expr.value if isinstance(operand.expr, nodes.Const) else None
    return (operand.op, value) in (("ne", ""), ("ne", 0), ("gt", 0))


def _is_empty(node: nodes.Node) -> bool:
    if isinstance(node, nodes.List | nodes.Dict | nodes.Tuple):
        return not node.items
    return isinstance(node, nodes.Const) and not node.value


def _membership(test: nodes.Compare) -> tuple[Fields, Fields]:
    operand = test.ops[0]
    if len(test.ops) > 1 or not isinstance(test.expr, nodes.Const) or not _is_fields(operand.expr):
        return NONE, NONE
    found = _one(test.expr.value if isinstance(test.expr.value, str) else None)
    return {"in": (found, NONE), "notin": (NONE, found)}.get(operand.op, (NONE, NONE))


def _one(name: str | None) -> Fields:
    return NONE if name is None else frozenset({name})


def _is_fields(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name == "fields"


def label(node: nodes.Node, aliases: Mapping[str, str]) -> str:
    """Return what an expression reads of the delivery, else the template's own names.

    "" if it has none.
    """
    found = list(dict.fromkeys(_chains(node, aliases)))
    own = [each for each in found if each.split(".")[0] in NAMES]
    return ", ".join((own or found)[:MAX_LABELS])


def _chains(node: nodes.Node, aliases: Mapping[str, str]) -> Iterator[str]:
    whole = chain(node, aliases)
    if whole:
        yield whole
        return
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr):
        yield from _chains(node.node.node, aliases)  # what a method belongs to
    for child in node.iter_child_nodes(exclude=("node",) if isinstance(node, nodes.Call) else None):
        yield from _chains(child, aliases)


def chain(node: nodes.Node, aliases: Mapping[str, str]) -> str:
    """Return `a.b.c` for a name and what is reached from it, or ""."""
    if isinstance(node, nodes.Name):
        return aliases.get(node.name, node.name)
    if isinstance(node, nodes.Getattr):
        owner = chain(node.node, aliases)
        return owner and f"{owner}.{node.attr}"
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        owner = chain(node.node, aliases)
        return owner and (f"{owner}.{node.arg.value}" if isinstance(node.arg.value, str) else owner)
    return ""
