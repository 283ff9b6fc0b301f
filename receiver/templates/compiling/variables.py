"""Variables: a value is kept as it is and escaped where it is printed; a set block is a plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import nodes

from receiver.formats.escaping import Spot
from receiver.templates.compiling.unit import GLOBALS, Scope
from receiver.templates.names import NAMES

if TYPE_CHECKING:
    from receiver.templates.compiling.compiler import Compiler, Walked


def assign(compiler: Compiler, node: nodes.Assign, spot: Spot, scope: Scope) -> Walked:
    """Keep a value."""
    bind(compiler, node.target)
    compiler.unit.name(node, node.node, scope)
    scope.assigned(node.target, node.node)
    value = compiler.expressions.rewrite(node.node, spot, scope)
    return [nodes.Assign(node.target, value, lineno=node.lineno)], spot


def assign_block(compiler: Compiler, node: nodes.AssignBlock, spot: Spot, scope: Scope) -> Walked:
    """Put a text together, to be escaped as a whole where it is printed."""
    bind(compiler, node.target)
    filtered = compiler.expressions.rewrite(node.filter, spot, scope) if node.filter else None
    body, _ = compiler.body(node.body, spot.plain(), scope)
    return [nodes.AssignBlock(node.target, filtered, body, lineno=node.lineno)], spot


def with_block(compiler: Compiler, node: nodes.With, spot: Spot, scope: Scope) -> Walked:
    """Walk a block with some values under names of its own."""
    inner = scope
    for target, value in zip(node.targets, node.values, strict=True):
        bind(compiler, target, allowed={"document"})
        inner = inner.aliased(target, value)
    values = [compiler.expressions.rewrite(value, spot, scope) for value in node.values]
    body, end = compiler.body(node.body, spot, inner)
    return [nodes.With(node.targets, values, body, lineno=node.lineno)], end


def bind(compiler: Compiler, target: nodes.Node, allowed: frozenset[str] | set[str] = frozenset()) -> None:
    """Refuse to give a template's own value a name that means something else."""
    found = [target] if isinstance(target, nodes.Name) else list(target.find_all(nodes.Name))
    for name in found:
        if name.name in (NAMES | GLOBALS) - allowed or name.name.startswith("_"):
            message = f'"{name.name}" is a name that templates cannot give'
            compiler.unit.fault(name, "name-taken", message, "choose another one")
