"""Rewrites expressions and collects what they read.

`~` and macros on plain values, an `else` for every `if`.
"""

import copy
from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import nodes

from receiver.formats import budget
from receiver.formats.errors import RefusedError
from receiver.formats.escaping import OutputContext
from receiver.templates import checks, operations
from receiver.templates.environment import Sandbox, bounded_range
from receiver.templates.library import Library
from receiver.templates.reads import Read, defaulted, field, guards
from receiver.templates.source import start
from receiver.templates.unit import Macro, Scope, Unit, Variant

CompileMacro = Callable[[nodes.Node, Macro, OutputContext, Scope], Variant]
OPERATORS: Mapping[type[nodes.BinExpr], Callable[[Any, Any], Any]] = {
    nodes.Add: operations.add,
    nodes.Mul: operations.multiply,
    nodes.Pow: operations.power,
    nodes.Mod: operations.modulo,
}
HINT = "a loop or a repetition has no end worth waiting for"


class Expressions:
    """Rewrites the expressions of one compiled template."""

    def __init__(
        self, environment: Sandbox, library: Library, unit: Unit, encoding: str, variant: CompileMacro
    ) -> None:
        self._environment = environment
        self._library = library
        self._unit = unit
        self._encoding = encoding
        self._variant = variant
        self._special: Mapping[type[nodes.Node], Callable[[Any, OutputContext, Scope], nodes.Node]] = {
            nodes.Name: self._name,
            nodes.Getattr: self._getattr,
            nodes.Getitem: self._getitem,
            nodes.Filter: self._filter,
            nodes.Test: self._test,
            nodes.Call: self._call,
            nodes.Compare: self._compare,
            nodes.Concat: self._concat,
            nodes.Sub: self._minus,
            nodes.CondExpr: self._conditional,
            nodes.And: self._and,
            nodes.Or: self._or,
        }

    def rewrite(self, node: nodes.Node, context: OutputContext, scope: Scope) -> Any:
        """Return an expression ready to compile, with its faults noted.

        Macros in it give their plain text.
        """
        self._unit.visit(node)
        _prove_bounds(self._unit, node)
        special = self._special.get(type(node))
        return special(node, context, scope) if special else self._children(node, context, scope)

    def filtered(self, node: nodes.Expr, function: Callable[..., Any]) -> nodes.Filter:
        """Return an expression passed through a function of ours."""
        name = self._environment.name_of(function)
        return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)

    def condition(self, test: nodes.Node, context: OutputContext, scope: Scope) -> Any:
        """Return a condition ready to compile; a trace, if any, records how it turns out."""
        trace = self._unit.trace
        rewritten = self.rewrite(test, context, scope)
        return self.filtered(rewritten, trace.asked(test, self._unit.places)) if trace else rewritten

    def note(self, node: nodes.Node) -> list[nodes.ExprStmt]:
        """Return a statement that records in the trace, if any, that it is rendered."""
        trace = self._unit.trace
        if not trace:
            return []
        noted = self.filtered(nodes.Const(None, lineno=node.lineno), trace.passed(node, self._unit.places))
        return [nodes.ExprStmt(noted, lineno=node.lineno)]

    def macro_call(self, node: nodes.Call, macro: nodes.Macro, context: OutputContext, scope: Scope) -> nodes.Call:
        """Return the call of a macro's variant."""
        checks.arguments(self._unit, node, macro)
        called: nodes.Call = self._children(node, context, scope, leave="node")
        called.node = nodes.Name(macro.name, "load", lineno=node.lineno)
        return called

    def _children(self, node: nodes.Node, context: OutputContext, scope: Scope, leave: str = "") -> Any:
        rewritten = copy.copy(node)
        for name, value in node.iter_fields(exclude=(leave,)):
            if isinstance(value, list):
                new = [self.rewrite(item, context, scope) if isinstance(item, nodes.Node) else item for item in value]
                setattr(rewritten, name, new)
            elif isinstance(value, nodes.Node):
                setattr(rewritten, name, self.rewrite(value, context, scope))
        return rewritten

    def _name(self, node: nodes.Name, _context: OutputContext, scope: Scope) -> nodes.Node:
        checks.name(self._unit, node, scope)
        self._unit.names.add(node.name)
        return node

    def _getattr(self, node: nodes.Getattr, context: OutputContext, scope: Scope) -> Any:
        self._read(node, scope)
        self._unit.words.add(node.attr)
        return self._children(node, context, scope)

    def _getitem(self, node: nodes.Getitem, context: OutputContext, scope: Scope) -> Any:
        self._read(node, scope)
        if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            self._unit.words.add(node.arg.value)
        return self._children(node, context, scope)

    def _read(self, node: nodes.Node, scope: Scope) -> None:
        name = field(node)
        if name is not None:
            self._unit.reads[Read(*self._unit.places.place(start(node)), name, name in scope.guards)] = None

    def _filter(self, node: nodes.Filter, context: OutputContext, scope: Scope) -> Any:
        checks.filter_(self._unit, self._library, node)
        rewritten = self._forgiving(node, defaulted(node), context, scope)
        if node.name == "fixed" and len(node.args) < 4 and all(each.key != "encoding" for each in node.kwargs):
            encoding = nodes.Const(self._encoding, lineno=node.lineno)
            rewritten.kwargs.append(nodes.Keyword("encoding", encoding, lineno=node.lineno))
        return rewritten

    def _test(self, node: nodes.Test, context: OutputContext, scope: Scope) -> Any:
        checks.test(self._unit, node)
        return self._forgiving(
            node, field(node.node) if node.name in ("defined", "undefined") else None, context, scope
        )

    def _forgiving(
        self, node: nodes.Filter | nodes.Test, name: str | None, context: OutputContext, scope: Scope
    ) -> Any:
        """Rewrite a filter or test that may be given a field that is not there."""
        rewritten = self._children(node, context, scope, leave="node")
        if node.node is not None:
            rewritten.node = self.rewrite(node.node, context, scope.guarded(frozenset({name})) if name else scope)
        return rewritten

    def _call(self, node: nodes.Call, context: OutputContext, scope: Scope) -> Any:
        macro = scope.macro(node)
        if macro:
            variant = self._variant(node, macro, context.plain(), scope)
            return self.macro_call(node, variant.node, context, scope)
        known = checks.callee(self._unit, node, scope)
        return self._children(node, context, scope, leave="" if known else "node")

    def _concat(self, node: nodes.Concat, context: OutputContext, scope: Scope) -> Any:
        pieces = [self.rewrite(piece, context, scope) for piece in node.nodes]
        return self.filtered(nodes.List(pieces, lineno=node.lineno), operations.concat)

    def _compare(self, node: nodes.Compare, context: OutputContext, scope: Scope) -> Any:
        """Rewrite a comparison: numbers compare as decimals as written, so 0.1 is 0.1."""
        rewritten: nodes.Compare = self._children(node, context, scope)
        sides = [rewritten.expr, *(operand.expr for operand in rewritten.ops)]
        constants = [side.value for side in sides if isinstance(side, nodes.Const)]
        if any(operand.op in ("in", "notin") for operand in rewritten.ops):
            return rewritten
        if constants and not any(isinstance(constant, float) for constant in constants):
            return rewritten
        rewritten.expr = self.filtered(rewritten.expr, operations.exact)
        for operand in rewritten.ops:
            operand.expr = self.filtered(operand.expr, operations.exact)
        return rewritten

    def _minus(self, node: nodes.Sub, context: OutputContext, scope: Scope) -> Any:
        """Take `fields.patient-mrn` for what it is meant to be: a name with a hyphen."""
        read, right = field(node.left), node.right
        if read is None or not isinstance(right, nodes.Name) or right.name in scope.names:
            return self._children(node, context, scope)
        hint = f'a name with a hyphen is written fields["{read}-{right.name}"]'
        self._unit.fault(right, "unknown-name", f'there is no "{right.name}" here', hint)
        return node

    def _conditional(self, node: nodes.CondExpr, context: OutputContext, scope: Scope) -> Any:
        holds, fails = guards(node.test)
        test = self.condition(node.test, context, scope)
        first = self.rewrite(node.expr1, context, scope.guarded(holds))
        # Without an else, Jinja prints a lax undefined value; ours is null.
        otherwise = node.expr2 or nodes.Const(None, lineno=node.lineno)
        return nodes.CondExpr(test, first, self.rewrite(otherwise, context, scope.guarded(fails)), lineno=node.lineno)

    def _and(self, node: nodes.And, context: OutputContext, scope: Scope) -> Any:
        right = self.rewrite(node.right, context, scope.guarded(guards(node.left)[0]))
        return nodes.And(self.rewrite(node.left, context, scope), right, lineno=node.lineno)

    def _or(self, node: nodes.Or, context: OutputContext, scope: Scope) -> Any:
        right = self.rewrite(node.right, context, scope.guarded(guards(node.left)[1]))
        return nodes.Or(self.rewrite(node.left, context, scope), right, lineno=node.lineno)


class _NotConstantError(Exception):
    """The value is only known when rendering, or a part of it is faulty."""


def _prove_bounds(unit: Unit, node: nodes.Node) -> None:
    """Add a fault if an operation on constants costs more than a rendering may."""
    try:
        _result(node)
    except RefusedError as refused:
        if refused.rule == "limit":
            unit.fault(node, "template-without-end", refused.reason, HINT)
    except Exception:  # noqa: BLE001 (open, or wrong in a way that rendering reports)
        return


def _result(node: nodes.Node) -> Any:
    """Return what an operation on constants gives.

    Raises `_NotConstantError`, and what the operation raises.
    """
    if isinstance(node, nodes.BinExpr) and type(node) in OPERATORS:
        left, right = _value(node.left), _value(node.right)
        budget.start()
        return OPERATORS[type(node)](left, right)
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name == "range":
        return bounded_range(*map(_value, node.args))
    raise _NotConstantError


def _value(node: nodes.Node) -> Any:
    if isinstance(node, nodes.Const):
        return node.value
    if isinstance(node, nodes.List):
        return [_value(item) for item in node.items]
    if isinstance(node, nodes.Tuple):
        return tuple(map(_value, node.items))
    try:
        return _result(node)
    except RefusedError:
        raise _NotConstantError from None
