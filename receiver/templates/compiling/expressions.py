"""Rewrites expressions: `~` and macros on plain values, an `else` for every `if`; and notes what they read."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from jinja2 import nodes

from receiver.formats.escaping import Spot
from receiver.templates import operators
from receiver.templates.compiling import checks, constants, unfolding
from receiver.templates.compiling.guards import Read, defaulted, field, guards
from receiver.templates.compiling.unit import Scope, start

if TYPE_CHECKING:
    from receiver.templates.compiling.compiler import Compiler


class Expressions:
    """Rewrites the expressions of one compiled template."""

    def __init__(self, compiler: Compiler) -> None:
        self._compiler = compiler
        self._unit = compiler.unit
        self._special: Mapping[type[nodes.Node], Callable[[Any, Spot, Scope], nodes.Node]] = {
            nodes.Name: self._name,
            nodes.Getattr: self._getattr,
            nodes.Getitem: self._getitem,
            nodes.Filter: self._filter,
            nodes.Test: self._test,
            nodes.Call: self._call,
            nodes.Concat: self._concat,
            nodes.Sub: self._minus,
            nodes.CondExpr: self._conditional,
            nodes.And: self._and,
            nodes.Or: self._or,
        }

    def rewrite(self, node: nodes.Node, spot: Spot, scope: Scope) -> Any:
        """Return an expression ready to compile, with its faults noted. Macros in it give their plain text."""
        self._unit.visit(node)
        constants.bounded(self._unit, node)
        special = self._special.get(type(node))
        return special(node, spot, scope) if special else self._children(node, spot, scope)

    def filtered(self, node: nodes.Expr, function: Callable[..., Any]) -> nodes.Filter:
        """Return an expression passed through a function of ours."""
        name = self._compiler.environment.name_of(function)
        return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)

    def condition(self, test: nodes.Node, spot: Spot, scope: Scope) -> Any:
        """Return a condition ready to compile; how it turns out is noted if anybody asks."""
        trace = self._compiler.environment.trace
        rewritten = self.rewrite(test, spot, scope)
        return self.filtered(rewritten, trace.asked(test, self._unit.places)) if trace else rewritten

    def note(self, node: nodes.Node) -> list[nodes.ExprStmt]:
        """Return what notes that a statement is rendered, if anybody asks."""
        trace = self._compiler.environment.trace
        if not trace:
            return []
        noted = self.filtered(nodes.Const(None, lineno=node.lineno), trace.passed(node, self._unit.places))
        return [nodes.ExprStmt(noted, lineno=node.lineno)]

    def macro_call(self, node: nodes.Call, macro: nodes.Macro, spot: Spot, scope: Scope) -> nodes.Call:
        """Return the call of a macro's variant."""
        checks.arguments(self._unit, node, macro)
        called: nodes.Call = self._children(node, spot, scope, leave="node")
        called.node = nodes.Name(macro.name, "load", lineno=node.lineno)
        return called

    def _children(self, node: nodes.Node, spot: Spot, scope: Scope, leave: str = "") -> Any:
        rewritten = copy.copy(node)
        for name, value in node.iter_fields(exclude=(leave,)):
            if isinstance(value, list):
                new = [self.rewrite(item, spot, scope) if isinstance(item, nodes.Node) else item for item in value]
                setattr(rewritten, name, new)
            elif isinstance(value, nodes.Node):
                setattr(rewritten, name, self.rewrite(value, spot, scope))
        return rewritten

    def _name(self, node: nodes.Name, _spot: Spot, scope: Scope) -> nodes.Node:
        checks.name(self._unit, node, scope)
        return node

    def _getattr(self, node: nodes.Getattr, spot: Spot, scope: Scope) -> Any:
        self._read(node, scope)
        self._unit.words.add(node.attr)
        return self._children(node, spot, scope)

    def _getitem(self, node: nodes.Getitem, spot: Spot, scope: Scope) -> Any:
        self._read(node, scope)
        if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            self._unit.words.add(node.arg.value)
        return self._children(node, spot, scope)

    def _read(self, node: nodes.Node, scope: Scope) -> None:
        name = field(node)
        if name is not None:
            self._unit.reads[Read(*self._unit.places.place(start(node)), name, name in scope.guards)] = None

    def _filter(self, node: nodes.Filter, spot: Spot, scope: Scope) -> Any:
        checks.filter_(self._unit, self._compiler.library, node)
        rewritten = self._forgiving(node, defaulted(node), spot, scope)
        if node.name == "fixed" and len(node.args) < 4 and all(each.key != "encoding" for each in node.kwargs):
            encoding = nodes.Const(self._compiler.encoding, lineno=node.lineno)
            rewritten.kwargs.append(nodes.Keyword("encoding", encoding, lineno=node.lineno))
        return rewritten

    def _test(self, node: nodes.Test, spot: Spot, scope: Scope) -> Any:
        checks.test(self._unit, node)
        return self._forgiving(node, field(node.node) if node.name in ("defined", "undefined") else None, spot, scope)

    def _forgiving(self, node: nodes.Filter | nodes.Test, name: str | None, spot: Spot, scope: Scope) -> Any:
        """Rewrite a filter or test that may be given a field that is not there."""
        rewritten = self._children(node, spot, scope, leave="node")
        if node.node is not None:
            rewritten.node = self.rewrite(node.node, spot, scope.guarded(frozenset({name})) if name else scope)
        return rewritten

    def _call(self, node: nodes.Call, spot: Spot, scope: Scope) -> Any:
        macro = unfolding.called(node, scope)
        if macro:
            variant = unfolding.variant(self._compiler, node, macro, spot.plain(), scope)
            return self.macro_call(node, variant.node, spot, scope)
        known = checks.callee(self._unit, node, scope)
        return self._children(node, spot, scope, leave="" if known else "node")

    def _concat(self, node: nodes.Concat, spot: Spot, scope: Scope) -> Any:
        pieces = [self.rewrite(piece, spot, scope) for piece in node.nodes]
        return self.filtered(nodes.List(pieces, lineno=node.lineno), operators.concat)

    def _minus(self, node: nodes.Sub, spot: Spot, scope: Scope) -> Any:
        """Take `fields.patient-mrn` for what it is meant to be: a name with a hyphen."""
        read, right = field(node.left), node.right
        if read is None or not isinstance(right, nodes.Name) or right.name in scope.names:
            return self._children(node, spot, scope)
        hint = f'a name with a hyphen is written fields["{read}-{right.name}"]'
        self._unit.fault(right, "unknown-name", f'there is no "{right.name}" here', hint)
        return node

    def _conditional(self, node: nodes.CondExpr, spot: Spot, scope: Scope) -> Any:
        holds, fails = guards(node.test)
        test = self.condition(node.test, spot, scope)
        first = self.rewrite(node.expr1, spot, scope.guarded(holds))
        # Without an else, Jinja prints a lax undefined value; ours is null.
        otherwise = node.expr2 or nodes.Const(None, lineno=node.lineno)
        return nodes.CondExpr(test, first, self.rewrite(otherwise, spot, scope.guarded(fails)), lineno=node.lineno)

    def _and(self, node: nodes.And, spot: Spot, scope: Scope) -> Any:
        right = self.rewrite(node.right, spot, scope.guarded(guards(node.left)[0]))
        return nodes.And(self.rewrite(node.left, spot, scope), right, lineno=node.lineno)

    def _or(self, node: nodes.Or, spot: Spot, scope: Scope) -> Any:
        right = self.rewrite(node.right, spot, scope.guarded(guards(node.left)[1]))
        return nodes.Or(self.rewrite(node.left, spot, scope), right, lineno=node.lineno)
