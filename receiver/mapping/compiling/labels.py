"""Names what an expression reads, for messages: "fields.patient_name". Made of template text alone, never of values."""

from collections.abc import Iterator, Mapping

from jinja2 import nodes

MAX_LABELS = 3  # of one expression: a message names the first few


def label(node: nodes.Node, aliases: Mapping[str, str]) -> str:
    """Return the names that an expression reads, in its order; "" where it reads none."""
    return ", ".join(list(dict.fromkeys(_chains(node, aliases)))[:MAX_LABELS])


def _chains(node: nodes.Node, aliases: Mapping[str, str]) -> Iterator[str]:
    chain = _chain(node, aliases)
    if chain:
        yield chain
        return
    for child in node.iter_child_nodes():
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
