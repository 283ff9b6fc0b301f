"""Walks a template's statements with the place that each stands at, and escapes what is printed for its place.

The result is one tree without includes and imports; Jinja compiles it to one Python function.

- An include is unfolded where it stands.
- A macro is compiled once for each place where it is printed. Within an expression it is a plain text.
- The branches of a condition, and the turns of a loop, must leave the record at places that can go on together.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jinja2 import nodes

from receiver.formats.escaping import Spot
from receiver.templates.compiling import branches, printing, unfolding, variables
from receiver.templates.compiling.expressions import Expressions
from receiver.templates.compiling.unit import Macro, Scope, Unit, Variant
from receiver.templates.environment import Sandbox
from receiver.templates.library import Library

Body = list[nodes.Node]
Walked = tuple[Body, Spot]
Statement = Callable[["Compiler", Any, Spot, Scope], Walked]

STATEMENTS: Mapping[type[nodes.Node], Statement] = {
    nodes.Output: printing.output,
    nodes.If: branches.condition,
    nodes.For: branches.loop,
    nodes.Assign: variables.assign,
    nodes.AssignBlock: variables.assign_block,
    nodes.With: variables.with_block,
    nodes.Include: unfolding.include,
}
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
        self.environment = environment
        self.library = library
        self.unit = unit
        self.encoding = encoding  # that the record is written in
        self.variants: dict[tuple[Macro, Spot], Variant] = {}
        self.expressions = Expressions(self)

    def template(self, tree: nodes.Template, spot: Spot, file: str) -> nodes.Template:
        """Return a template's tree, ready to compile."""
        body, scope = unfolding.file_scope(self, tree.body, Scope(chain=(file,)))
        walked, _ = self.body(body, spot, scope)
        return nodes.Template([*unfolding.used(self, walked), *walked], lineno=0)

    def condition(self, expression: nodes.Expr, spot: Spot) -> nodes.Template:
        """Return a tree that prints something if an expression holds."""
        self.unit.name(expression, expression, Scope())
        truth = self.expressions.filtered(self.expressions.rewrite(expression, spot, Scope()), holds)
        return nodes.Template([nodes.Output([truth], lineno=expression.lineno)], lineno=0)

    def body(self, body: Sequence[nodes.Node], spot: Spot, scope: Scope) -> Walked:
        """Walk some statements from a place on. Returns them rewritten, and the place after them."""
        walked: Body = []
        for node in body:
            self.unit.visit(node)
            statement = STATEMENTS.get(type(node))
            if statement:
                new, spot = statement(self, node, spot, scope)
                walked += [*self.expressions.note(node), *new]
            else:
                self._refuse(node)
        return walked, spot

    def _refuse(self, node: nodes.Node) -> None:
        if isinstance(node, AT_THE_TOP):
            self.unit.fault(node, "refused-tag", "macros and imports stand at the top of a file, outside of other tags")
            return
        tag, hint = REFUSED.get(type(node), (type(node).__name__.lower(), ""))
        place = node.body[0] if isinstance(node, nodes.Scope) else node  # Jinja's parser gives a Scope no place
        self.unit.fault(place, "refused-tag", f"{{% {tag} %}} is not supported", hint)


def holds(value: object) -> str:
    """Print something if a value holds."""
    return "1" if value else ""
