"""Literal text, and printed values: each is wrapped in the escaper of its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from jinja2 import nodes

from receiver.formats import values
from receiver.formats.errors import Misplaced
from receiver.formats.escaping import Spot
from receiver.formats.hl7 import escape as hl7
from receiver.templates import filters
from receiver.templates.compiling import branches, checks, encodings, unfolding
from receiver.templates.compiling.guards import guards
from receiver.templates.compiling.unit import Scope

if TYPE_CHECKING:
    from receiver.templates.compiling.compiler import Compiler, Walked

RAW = "raw"


def output(compiler: Compiler, node: nodes.Output, spot: Spot, scope: Scope) -> Walked:
    """Walk some literal text and the values within it."""
    pieces: list[nodes.Expr] = []
    for piece in node.nodes:
        if isinstance(piece, nodes.TemplateData):
            pieces.append(piece)
            _expressible(compiler, piece)
            spot = _text(compiler, piece, spot)
        else:
            compiler.unit.name(piece, piece, scope)
            printed, spot = _printed(compiler, piece, spot, scope)
            pieces.append(printed)
    return [nodes.Output(pieces, lineno=node.lineno)], spot


def _text(compiler: Compiler, node: nodes.TemplateData, spot: Spot) -> Spot:
    """Read literal text; after a fault in it, from the next line on."""
    offset = 0
    while True:
        try:
            return spot.advance(node.data[offset:])
        except Misplaced as error:
            offset += error.offset
            compiler.unit.misplaced(node, error, offset)
            spot = spot._replace(lost=True)


def _expressible(compiler: Compiler, node: nodes.TemplateData) -> None:
    try:
        encodings.literal(node.data, compiler.encoding)
    except Misplaced as error:
        place = compiler.unit.places.fault(node.lineno, "encoding-misfit", error.message, error.hint, error.offset)
        compiler.unit.found([place])


def _printed(compiler: Compiler, node: nodes.Expr, spot: Spot, scope: Scope) -> tuple[nodes.Expr, Spot]:
    """Return what prints an expression, and the place after it."""
    if isinstance(node, nodes.CondExpr):
        return _conditional(compiler, node, spot, scope)
    macro = unfolding.called(node, scope)
    if macro and isinstance(node, nodes.Call):
        variant = unfolding.variant(compiler, node, macro, spot, scope)
        return compiler.expressions.macro_call(node, variant.node, spot, scope), variant.end
    mark = node.name if isinstance(node, nodes.Filter) and node.name in filters.MARKS else None
    value = node.node if mark and isinstance(node, nodes.Filter) and node.node else node
    rewritten = compiler.expressions.rewrite(value, spot, scope)
    try:
        escaper = _escaper(compiler, node, spot, mark)
        if mark == RAW or not encodings.universal(compiler.encoding):
            escaper = encodings.checked(escaper, compiler.encoding)
    except Misplaced as error:
        compiler.unit.misplaced(node, error)
        return rewritten, spot._replace(lost=True)
    printed = compiler.expressions.filtered(rewritten, escaper)
    printed.lineno = node.lineno  # where a mark stands behind the value, the value's own place is another one
    return printed, spot.after()


def _escaper(compiler: Compiler, node: nodes.Expr, spot: Spot, mark: str | None) -> Callable[[object], str]:
    if mark == RAW or spot.lost:
        return values.text
    if mark and mark not in spot.format.MARKS:
        compiler.unit.fault(node, "escape-filter", f"`| {mark}` is for another format", f"it {filters.MARKS[mark]}")
    if spot.format is hl7:
        checks.separators(compiler.unit, node, spot.state.delimiters)
    return spot.format.escaper(spot.state, mark)


def _conditional(compiler: Compiler, node: nodes.CondExpr, spot: Spot, scope: Scope) -> tuple[nodes.Expr, Spot]:
    """Escape each branch by itself, so that either may be a macro or `| raw`."""
    holds, fails = guards(node.test)
    test = compiler.expressions.condition(node.test, spot, scope)
    first, end = _printed(compiler, node.expr1, spot, scope.guarded(holds))
    otherwise = node.expr2 or nodes.Const(None, lineno=node.lineno)
    second, other = _printed(compiler, otherwise, spot, scope.guarded(fails))
    return nodes.CondExpr(test, first, second, lineno=node.lineno), branches.meet(compiler, node, end, other)
