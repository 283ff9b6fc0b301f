"""Conditions and loops: the ways through them must leave the record at places that can go on together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import nodes

from receiver.formats import budget
from receiver.formats.escaping import Spot
from receiver.templates.compiling import variables
from receiver.templates.compiling.guards import guards
from receiver.templates.compiling.unit import Scope

if TYPE_CHECKING:
    from receiver.templates.compiling.compiler import Compiler, Walked


def condition(compiler: Compiler, node: nodes.If, spot: Spot, scope: Scope) -> Walked:
    """Walk each branch from the same place."""
    new, end, scope = _branch(compiler, node, spot, scope)
    for elif_ in node.elif_:
        branch, other, scope = _branch(compiler, elif_, spot, scope)
        new.elif_.append(branch)
        end = meet(compiler, elif_, end, other)
    new.else_, other = compiler.body(node.else_, spot, scope)
    return [new], meet(compiler, node, end, other)


def _branch(compiler: Compiler, node: nodes.If, spot: Spot, scope: Scope) -> tuple[nodes.If, Spot, Scope]:
    """Return a branch, the place after it, and the scope of the branches that follow."""
    compiler.unit.name(node, node.test, scope)
    holds, fails = guards(node.test)
    test = compiler.expressions.condition(node.test, spot, scope)
    body, end = compiler.body(node.body, spot, scope.guarded(holds))
    return nodes.If(test, body, [], [], lineno=node.lineno), end, scope.guarded(fails)


def loop(compiler: Compiler, node: nodes.For, spot: Spot, scope: Scope) -> Walked:
    """Walk a loop's body; the items are counted and a text is refused as a list."""
    if node.recursive:
        compiler.unit.fault(node, "refused-tag", "a loop cannot call itself", "write one loop inside the other")
    variables.bind(compiler, node.target, allowed={"document"})
    compiler.unit.name(node, node.iter, scope)
    items = compiler.expressions.filtered(compiler.expressions.rewrite(node.iter, spot, scope), budget.each)
    turn = scope.naming({"loop"}).aliased(node.target, node.iter)
    test = compiler.expressions.rewrite(node.test, spot, turn) if node.test else None
    holds, _ = guards(node.test)
    body, end = _turns(compiler, node, spot, turn.guarded(holds))
    else_, skipped = compiler.body(node.else_, spot, scope)
    new = nodes.For(node.target, items, body, else_, test, False, lineno=node.lineno)
    return [new], meet(compiler, node, end, skipped)


def _turns(compiler: Compiler, node: nodes.For, spot: Spot, scope: Scope) -> Walked:
    """Walk a loop's body until its start is a place that its own end can go on from."""
    while True:
        body, end = compiler.body(node.body, spot, scope)
        start = meet(compiler, node, spot, end)
        if start == spot:
            return body, end
        spot = start  # a place only ever widens, so this ends


def meet(compiler: Compiler, node: nodes.Node, one: Spot, other: Spot) -> Spot:
    """Return the place where two ways go on together, or the first one's after noting the fault."""
    met = one.meet(other)
    if met:
        return met
    ends = sorted({one.format.describe(one.state), one.format.describe(other.state)})
    message = f"one way through this ends {ends[0]} and another {ends[-1]}"
    if len(ends) == 1:
        message = f"the ways through this end at different places {ends[0]}"
    compiler.unit.fault(node, "escape-branches", message, "open and close on the same way")
    return one._replace(lost=True)
