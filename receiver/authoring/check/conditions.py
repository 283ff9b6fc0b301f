"""Conditions that are decided by a single field, and what they compare it with."""

from collections.abc import Iterator

from jinja2 import nodes

from receiver.authoring.check.site import expression
from receiver.templates.reads import field
from receiver.templates.source import Places, Source

PLAIN = frozenset({"default", "d", "lower", "upper", "trim"})  # filters that made-up values go through as others do
DECIDED = (nodes.And, nodes.Or, nodes.Not, nodes.Const, nodes.List, nodes.Tuple, nodes.Operand, nodes.Name)
EQUAL = frozenset({"eq", "ne", "in", "notin"})


def field_alone(written: str) -> bool:
    """Return whether a condition reads at most one field, and nothing else.

    Then inputs made from a schema decide it.
    """
    root = expression(Source("", written), Places())
    every = [root, *root.find_all(nodes.Node)]
    read = {name for node in every if (name := field(node))}
    return len(read) <= 1 and all(map(_is_plain, every))


def is_guard(written: str) -> bool:
    """Return whether a condition only asks whether fields are defined.

    A schema may make such fields required later.
    """
    root = expression(Source("", written), Places())
    every = [root, *root.find_all(nodes.Node)]
    return any(map(field, every)) and not any(isinstance(node, nodes.Compare) for node in every)


def _is_plain(node: nodes.Node) -> bool:
    if isinstance(node, nodes.Filter):
        return node.name in PLAIN
    if isinstance(node, nodes.Test):
        return node.name in ("defined", "undefined")
    if isinstance(node, nodes.Compare):
        return all(operand.op in EQUAL for operand in node.ops)
    if isinstance(node, nodes.Getattr | nodes.Getitem):
        return field(node) is not None
    return isinstance(node, DECIDED)


def compared(root: nodes.Node) -> Iterator[tuple[str, str]]:
    """Yield each field that is compared with a text, and that text."""
    for node in root.find_all(nodes.Compare):
        name = field(_bare(node.expr))
        for operand in node.ops if name else ():
            listed = operand.expr.items if isinstance(operand.expr, nodes.List | nodes.Tuple) else [operand.expr]
            texts = (each.value for each in listed if isinstance(each, nodes.Const) and isinstance(each.value, str))
            yield from ((str(name), text) for text in texts)


def _bare(node: nodes.Node | None) -> nodes.Node | None:
    while isinstance(node, nodes.Filter) and node.name in PLAIN:
        node = node.node
    return node
