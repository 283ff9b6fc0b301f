"""Names what an expression reads, for messages: "fields.patient_name". Made of template text alone, never of values."""

from collections.abc import Iterator, Mapping

from jinja2 import nodes

from receiver.templates.names import NAMES

MAX_LABELS = 3  # of one expression: a message names the first few


def label(node: nodes.Node, aliases: Mapping[str, str]) -> str:
    """Return what an expression reads of the delivery, or else the template's own names in it; "" where it has none."""
    found = list(dict.fromkeys(_chains(node, aliases)))
    own = [chain for chain in found if chain.split(".")[0] in NAMES]
    return ", ".join((own or found)[:MAX_LABELS])


def _chains(node: nodes.Node, aliases: Mapping[str, str]) -> Iterator[str]:
    chain = _chain(node, aliases)
    if chain:
        yield chain
        return
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr):
        yield from _chains(node.node.node, aliases)  # what a method belongs to
    for child in node.iter_child_nodes(exclude=("node",) if isinstance(node, nodes.Call) else None):
        yield from _chains(child, aliases)


def _chain(node: nodes.Node, aliases: Mapping[str, str]) -> str:
    """Return `a.b.c` for a name and what is reached from it, or ""."""
    if isinstance(node, nodes.Name):
        return aliases.get(node.name, node.name)
    if isinstance(node, nodes.Getattr):
        owner = _chain(node.node, aliases)
        return owner and f"{owner}.{node.attr}"
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        owner = _chain(node.node, aliases)
        return owner and (f"{owner}.{node.arg.value}" if isinstance(node.arg.value, str) else owner)
    return ""
