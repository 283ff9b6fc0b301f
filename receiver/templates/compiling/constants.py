"""Works constants out while a template is compiled: what always runs away needs no sample to be found."""

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import nodes

from receiver.formats import budget
from receiver.formats.errors import Refused
from receiver.templates import operators
from receiver.templates.compiling.unit import Unit
from receiver.templates.environment import bounded_range

OPERATORS: Mapping[type[nodes.BinExpr], Callable[[Any, Any], Any]] = {
    nodes.Add: operators.add,
    nodes.Mul: operators.multiply,
    nodes.Pow: operators.power,
    nodes.Mod: operators.modulo,
}
HINT = "a loop or a repetition has no end worth waiting for"


class _Open(Exception):  # noqa: N818 (not an error: what a delivery decides)
    """The value is known only when something is rendered, or what it is made of has a fault of its own."""


def bounded(unit: Unit, node: nodes.Node) -> None:
    """Note a fault where an operation on constants goes beyond what a rendering may cost."""
    try:
        _result(node)
    except Refused as refused:
        if refused.rule == "limit":
            unit.fault(node, "template-without-end", refused.reason, HINT)
    except Exception:  # noqa: BLE001 (open, or wrong in a way that rendering tells)
        return


def _result(node: nodes.Node) -> Any:
    """Return what an operation on constants gives. Raises `_Open`, and what the operation raises."""
    if isinstance(node, nodes.BinExpr) and type(node) in OPERATORS:
        left, right = _value(node.left), _value(node.right)
        budget.start()
        return OPERATORS[type(node)](left, right)
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name == "range":
        return bounded_range(*map(_value, node.args))
    raise _Open


def _value(node: nodes.Node) -> Any:
    if isinstance(node, nodes.Const):
        return node.value
    if isinstance(node, nodes.List):
        return [_value(item) for item in node.items]
    if isinstance(node, nodes.Tuple):
        return tuple(map(_value, node.items))
    try:
        return _result(node)
    except Refused:
        raise _Open from None
