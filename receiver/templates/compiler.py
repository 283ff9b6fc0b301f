"""Walks a template's statements with their context, and escapes what is printed.

The result is one tree without includes and imports; Jinja compiles it to one Python function.

- An include is unfolded where it stands.
- A macro is compiled once for each context in which it is printed. Within an expression it is a plain text.
- The branches of a condition, and the turns of a loop, must end in contexts that can be merged.
- A variable keeps its value as it is, to be escaped where it is printed; a set block is a plain text.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from jinja2 import nodes

from receiver.formats import budget, values
from receiver.formats.errors import MisplacedError
from receiver.formats.escaping import OutputContext
from receiver.formats.hl7 import escape as hl7
from receiver.formats.values import express, expressible, universal
from receiver.templates import checks, filters
from receiver.templates.environment import Sandbox
from receiver.templates.expressions import Expressions
from receiver.templates.imports import Body, Imports, stored
from receiver.templates.library import Library
from receiver.templates.reads import guards
from receiver.templates.source import Source
from receiver.templates.template import LISTED, listed
from receiver.templates.unit import EXPORTED, Macro, Scope, Unit, Variant

Walked = tuple[Body, OutputContext]  # some statements rewritten, and the context after them
Printed = tuple[nodes.Expr, OutputContext]

DOCUMENT = frozenset({"document"})  # the one name of ours that a loop, macro or with block may bind
RAW = "raw"
REFUSED: Mapping[type[nodes.Node], tuple[str, str]] = {
    nodes.Block: ("block", "use {% include %} and macros"),
    nodes.Extends: ("extends", "use {% include %} and macros"),
    nodes.CallBlock: ("call", "pass the text to the macro as an argument"),
    nodes.FilterBlock: ("filter", "put the filter on each value: {{ value | filter }}"),
    nodes.Scope: ("autoescape", "values are always escaped; `| raw` prints one as it is"),
}
AT_THE_TOP = (nodes.Macro, nodes.Import, nodes.FromImport)


class Compiler:
    """Compiles one template."""

    def __init__(self, environment: Sandbox, library: Library, unit: Unit, encoding: str = "utf-8") -> None:
        self._unit = unit
        self._encoding = encoding  # that the record is written in
        self._variants: dict[tuple[Macro, OutputContext], Variant] = {}
        self._imports = Imports(environment, library, unit)
        self._expressions = Expressions(environment, library, unit, encoding, self._variant)
        self._statements: Mapping[type[nodes.Node], Callable[[Any, OutputContext, Scope], Walked]] = {
            nodes.Output: self._output,
            nodes.If: self._if,
            nodes.For: self._for,
            nodes.Assign: self._assign,
            nodes.AssignBlock: self._assign_block,
            nodes.With: self._with,
            nodes.Include: self._include,
        }

    def template(self, source: Source, context: OutputContext, scope: Scope) -> nodes.Template:
        """Return a template's tree, ready to compile.

        Raises `ConfigurationError` for a syntax error.
        """
        scope = replace(scope, chain=(source.file,), aliases={**scope.aliases})
        body, scope = self._imports.file_scope(self._imports.parse(source).body, scope)
        walked, _ = self._body(body, context, scope)
        return nodes.Template([*self._called(walked), *walked], lineno=0)

    def condition(self, expression: nodes.Expr, context: OutputContext, scope: Scope) -> nodes.Template:
        """Return a tree that prints something if an expression is true."""
        self._unit.name(expression, expression, scope)
        truth = self._expressions.filtered(self._expressions.rewrite(expression, context, scope), _truth)
        return nodes.Template([nodes.Output([truth], lineno=expression.lineno)], lineno=0)

    def items(self, expression: nodes.Expr, context: OutputContext) -> nodes.Template:
        """Return a tree that keeps the list that an expression gives."""
        self._unit.name(expression, expression, Scope())
        items = self._expressions.filtered(self._expressions.rewrite(expression, context, Scope()), listed)
        kept = nodes.Name(LISTED, "store", lineno=expression.lineno)
        return nodes.Template([nodes.Assign(kept, items, lineno=expression.lineno)], lineno=0)

    def _body(self, body: Sequence[nodes.Node], context: OutputContext, scope: Scope) -> Walked:
        """Return some statements rewritten, and the context after them."""
        walked: Body = []
        for node in body:
            self._unit.visit(node)
            statement = self._statements.get(type(node))
            if statement:
                new, context = statement(node, context, scope)
                walked += [*self._expressions.note(node), *new]
            else:
                self._refuse(node)
        return walked, context

    def _refuse(self, node: nodes.Node) -> None:
        if isinstance(node, AT_THE_TOP):
            message = "macros and imports stand at the top of a file, outside of other tags"
            self._unit.fault(node, "refused-tag", message, "move this to the top of its file")
            return
        tag, hint = REFUSED.get(type(node), (type(node).__name__.lower(), ""))
        place = node.body[0] if isinstance(node, nodes.Scope) else node  # Jinja's parser gives a Scope no place
        self._unit.fault(place, "refused-tag", f"{{% {tag} %}} is not supported", hint)

    # Literal text and printed values

    def _output(self, node: nodes.Output, context: OutputContext, scope: Scope) -> Walked:
        pieces: list[nodes.Node] = []
        for piece in node.nodes:
            if isinstance(piece, nodes.TemplateData):
                pieces.append(nodes.Output([piece], lineno=piece.lineno))
                self._prove_encoding(piece)
                context = self._text(piece, context)
            else:
                self._unit.name(piece, piece, scope)
                printed, context = self._printed(piece, context, scope)
                pieces.append(nodes.Output([printed], lineno=piece.lineno))
        return pieces, context

    def _text(self, node: nodes.TemplateData, context: OutputContext) -> OutputContext:
        """Read literal text; after a fault in it, from the next line on."""
        offset = 0
        while True:
            try:
                return context.advance(node.data[offset:])
            except MisplacedError as error:
                offset += error.offset
                self._unit.misplaced(node, error, offset)
                context = context._replace(lost=True)

    def _prove_encoding(self, node: nodes.TemplateData) -> None:
        try:
            express(node.data, self._encoding)
        except MisplacedError as error:
            fault = self._unit.places.fault(node.lineno, "encoding-misfit", error.message, error.hint, error.offset)
            self._unit.found([fault])

    def _printed(self, node: nodes.Expr, context: OutputContext, scope: Scope) -> Printed:
        """Return what prints an expression, and the context after it."""
        if isinstance(node, nodes.CondExpr):
            return self._conditional(node, context, scope)
        macro = scope.macro(node)
        if macro and isinstance(node, nodes.Call):
            variant = self._variant(node, macro, context, scope)
            return self._expressions.macro_call(node, variant.node, context, scope), variant.end
        mark = node.name if isinstance(node, nodes.Filter) and node.name in filters.MARKS else None
        value = node.node if mark and isinstance(node, nodes.Filter) and node.node else node
        rewritten = self._expressions.rewrite(value, context, scope)
        try:
            escaper = self._escaper(node, context, mark)
        except MisplacedError as error:
            self._unit.misplaced(node, error)
            return rewritten, context._replace(lost=True)
        printed = self._expressions.filtered(rewritten, escaper)
        printed.lineno = node.lineno  # where a mark stands behind the value, the value's own place is another one
        return printed, context.after()

    def _escaper(self, node: nodes.Expr, context: OutputContext, mark: str | None) -> Callable[[object], str]:
        """Return the function that escapes what is printed. Raises `MisplacedError`."""
        if mark == RAW or context.lost:
            escaper: Callable[[object], str] = values.text
        else:
            if mark and mark not in context.format.MARKS:
                message = f"`| {mark}` is for another format"
                self._unit.fault(node, "escape-filter", message, f"it {filters.MARKS[mark]}")
            if context.format is hl7:
                checks.separators(self._unit, node, context.state.delimiters)
            escaper = context.format.escaper(context.state, mark)
        return expressible(escaper, self._encoding) if mark == RAW or not universal(self._encoding) else escaper

    def _conditional(self, node: nodes.CondExpr, context: OutputContext, scope: Scope) -> Printed:
        """Escape each branch by itself, so that either may be a macro or `| raw`."""
        holds, fails = guards(node.test)
        test = self._expressions.condition(node.test, context, scope)
        first, end = self._printed(node.expr1, context, scope.guarded(holds))
        otherwise = node.expr2 or nodes.Const(None, lineno=node.lineno)
        second, other = self._printed(otherwise, context, scope.guarded(fails))
        return nodes.CondExpr(test, first, second, lineno=node.lineno), self._merge(node, end, other)

    # Conditions and loops

    def _if(self, node: nodes.If, context: OutputContext, scope: Scope) -> Walked:
        new, end, scope = self._branch(node, context, scope)
        for elif_ in node.elif_:
            branch, other, scope = self._branch(elif_, context, scope)
            new.elif_.append(branch)
            end = self._merge(elif_, end, other)
        new.else_, other = self._body(node.else_, context, scope)
        return [new], self._merge(node, end, other)

    def _branch(self, node: nodes.If, context: OutputContext, scope: Scope) -> tuple[nodes.If, OutputContext, Scope]:
        """Return a branch, the context after it, and the scope of later branches."""
        self._unit.name(node, node.test, scope)
        holds, fails = guards(node.test)
        test = self._expressions.condition(node.test, context, scope)
        body, end = self._body(node.body, context, scope.guarded(holds))
        return nodes.If(test, body, [], [], lineno=node.lineno), end, scope.guarded(fails)

    def _for(self, node: nodes.For, context: OutputContext, scope: Scope) -> Walked:
        """Walk a loop's body; the items are counted and a text is refused as a list."""
        if node.recursive:
            self._unit.fault(node, "refused-tag", "a loop cannot call itself", "write one loop inside the other")
        self._unit.bind(node.target, allowed=DOCUMENT)
        self._unit.name(node, node.iter, scope)
        items = self._expressions.filtered(self._expressions.rewrite(node.iter, context, scope), budget.each)
        turn = scope.bound({"loop", *_variables(node.target)}).aliased(node.target, node.iter)
        test = self._expressions.rewrite(node.test, context, turn) if node.test else None
        holds, _ = guards(node.test)
        body, end = self._turns(node, context, turn.guarded(holds))
        else_, skipped = self._body(node.else_, context, scope)
        new = nodes.For(node.target, items, body, else_, test, False, lineno=node.lineno)
        return [new], self._merge(node, end, skipped)

    def _turns(self, node: nodes.For, context: OutputContext, scope: Scope) -> Walked:
        """Walk a loop's body until the contexts of its start and end can be merged."""
        while True:
            body, end = self._body(node.body, context, scope)
            start = self._merge(node, context, end)
            if start == context:
                return body, end
            context = start  # a context only ever widens, so this ends

    def _merge(self, node: nodes.Node, one: OutputContext, other: OutputContext) -> OutputContext:
        """Return the context after two branches; if they differ, add a fault."""
        merged = one.merge(other)
        if merged:
            return merged
        ends = sorted({one.format.describe(one.state), one.format.describe(other.state)})
        message = f"one way through this ends {ends[0]} and another {ends[-1]}"
        if len(ends) == 1:
            message = f"the ways through this end at different places {ends[0]}"
        self._unit.fault(node, "escape-branches", message, "open and close on the same way")
        return one._replace(lost=True)

    # Variables

    def _assign(self, node: nodes.Assign, context: OutputContext, scope: Scope) -> Walked:
        if isinstance(node.target, nodes.NSRef) and node.target.name == EXPORTED:
            return self._export(node, node.target.attr, context, scope)
        self._unit.bind(node.target)
        self._unit.name(node, node.node, scope)
        scope.assigned(node.target, node.node)
        value = self._expressions.rewrite(node.node, context, scope)
        return [nodes.Assign(node.target, value, lineno=node.lineno)], context

    def _export(self, node: nodes.Assign, name: str, context: OutputContext, scope: Scope) -> Walked:
        """Keep a value for the header and trailer of the batch that the record goes into."""
        if not {EXPORTED, "fields"} <= scope.names:
            message = f'"{EXPORTED}" is for records that go into a batch'
            self._unit.fault(node, "unknown-name", message, 'write batch = "…" for the record, or another name here')
        self._unit.name(node, node.node, scope)
        value = self._expressions.rewrite(node.node, context, scope)
        given = [nodes.Name(EXPORTED, "load"), nodes.Const(name), value]
        kept = self._expressions.filtered(nodes.List(given, lineno=node.lineno), _export)
        return [nodes.ExprStmt(kept, lineno=node.lineno)], context

    def _assign_block(self, node: nodes.AssignBlock, context: OutputContext, scope: Scope) -> Walked:
        """Put a text together, to be escaped as a whole where it is printed."""
        self._unit.bind(node.target)
        filtered = self._expressions.rewrite(node.filter, context, scope) if node.filter else None
        body, _ = self._body(node.body, context.plain(), scope)
        return [nodes.AssignBlock(node.target, filtered, body, lineno=node.lineno)], context

    def _with(self, node: nodes.With, context: OutputContext, scope: Scope) -> Walked:
        inner = scope
        for target, value in zip(node.targets, node.values, strict=True):
            self._unit.bind(target, allowed=DOCUMENT)
            inner = inner.bound(_variables(target)).aliased(target, value)
        given = [self._expressions.rewrite(value, context, scope) for value in node.values]
        body, end = self._body(node.body, context, inner)
        return [nodes.With(node.targets, given, body, lineno=node.lineno)], end

    # Includes and macros

    def _include(self, node: nodes.Include, context: OutputContext, scope: Scope) -> Walked:
        """Walk another file as if it stood here; the variables that it sets stay its own."""
        found = self._imports.read(node, scope)
        if not found:
            return [], context
        file, tree = found
        inner = replace(scope, chain=(*scope.chain, file), aliases={**scope.aliases})
        body, inner = self._imports.file_scope(tree, inner)
        walked, end = self._body(body, context, inner)
        return [nodes.Scope(walked, lineno=node.lineno)], end

    def _variant(self, node: nodes.Node, macro: Macro, context: OutputContext, scope: Scope) -> Variant:
        """Return a macro compiled for a context."""
        if (macro, context) not in self._variants:
            if macro in scope.chain:
                message = "a macro cannot call itself, directly or through others"
                self._unit.fault(node, "macro-recursion", message, "write a loop: {% for … %} … {% endfor %}")
                return Variant(macro.node, context)
            inner = replace(macro.scope, chain=(*scope.chain, macro), aliases={})
            self._variants[macro, context] = self._compiled(macro.node, context, inner)
        return self._variants[macro, context]

    def _compiled(self, node: nodes.Macro, context: OutputContext, scope: Scope) -> Variant:
        for parameter in node.args:
            self._unit.bind(parameter, allowed=DOCUMENT)
        defaults = [self._expressions.rewrite(default, context, scope) for default in node.defaults]
        inner = scope.naming(stored(node.body)).bound(parameter.name for parameter in node.args)
        body, end = self._body(node.body, context, inner)
        name = f"_{len(self._variants)}_{node.name}"
        return Variant(nodes.Macro(name, node.args, defaults, body, lineno=node.lineno), end)

    def _called(self, body: Body) -> Body:
        """Return the variants of macros that a body calls, directly or through others."""
        variants = {variant.node.name: variant.node for variant in self._variants.values()}
        found: dict[str, nodes.Node] = {}
        waiting = list(body)
        while waiting:
            for name in waiting.pop().find_all(nodes.Name):
                if name.name in variants and name.name not in found:
                    found[name.name] = variants[name.name]
                    waiting.append(variants[name.name])
        return list(found.values())


def _variables(target: nodes.Node) -> set[str]:
    return {name.name for name in (target, *target.find_all(nodes.Name)) if isinstance(name, nodes.Name)}


def _export(given: list[Any]) -> None:
    """Keep a value as text: numbers as they are written."""
    exported, name, value = given
    exported[name] = values.text(value)


def _truth(value: object) -> str:
    """Print something if a value is true."""
    return "1" if value else ""
