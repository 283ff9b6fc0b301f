"""Includes and imports: what a file takes from others, and the macros it defines."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from jinja2 import nodes

from receiver.core.faults import ConfigurationError
from receiver.formats.budget import MAX_INCLUDES
from receiver.templates import checks
from receiver.templates.environment import Sandbox
from receiver.templates.library import Library
from receiver.templates.source import Source, parse
from receiver.templates.unit import Macro, Scope, Unit

Body = list[nodes.Node]


class Imports:
    """Reads the files that one template includes and imports."""

    def __init__(self, environment: Sandbox, library: Library, unit: Unit) -> None:
        self._environment = environment
        self._library = library
        self._unit = unit

    def parse(self, source: Source) -> nodes.Template:
        """Parse a file. Raises `ConfigurationError` with its syntax error."""
        tree = parse(self._environment, source, self._unit.places)
        if self._unit.trace:
            self._unit.trace.declare(tree, self._unit.places)
        return tree

    def file_scope(self, body: Sequence[nodes.Node], scope: Scope) -> tuple[Body, Scope]:
        """Take macros and imports out of a file; return the rest and the known names."""
        macros, modules = dict(scope.macros), dict(scope.modules)
        own = Scope(macros=macros, modules=modules)  # of its macros: they see each other, and no variables
        rest: Body = []
        for node in body:
            if isinstance(node, nodes.Macro):
                self._unit.bind(nodes.Name(node.name, "store", lineno=node.lineno))
                macros[node.name] = Macro(node, own)
            elif isinstance(node, nodes.Import):
                modules[node.target] = self._module(node, scope)
            elif isinstance(node, nodes.FromImport):
                macros.update(self._imported(node, scope))
            else:
                rest.append(node)
        return rest, replace(scope, macros=macros, modules=modules).naming(stored(rest))

    def read(self, node: nodes.Include | nodes.Import | nodes.FromImport, scope: Scope) -> tuple[str, Body] | None:
        """Return name and body of another file; None, with a fault, if it is unreadable."""
        unit, library = self._unit, self._library
        name = node.template.value if isinstance(node.template, nodes.Const) else None
        unit.included += 1
        if not isinstance(name, str):
            unit.fault(node, "unknown-template", "the file must be named in quotes", 'write {% include "name.j2" %}')
        elif (hint := library.missing(name)) is not None:
            unit.fault(node, "unknown-template", f'there is no template "{name}"', hint)
        elif library.file(name) in scope.chain or unit.included > MAX_INCLUDES:
            message = f"files include each other, or more than {MAX_INCLUDES} of them"
            unit.fault(node, "include-cycle", message, "take this one away")
        else:
            try:
                source = library.source(name)
                unit.uses(source.file)
                return source.file, self.parse(source).body
            except ConfigurationError as error:
                unit.found(error.faults)
        return None

    def _module(self, node: nodes.Import | nodes.FromImport, scope: Scope) -> Mapping[str, Macro]:
        found = self.read(node, scope)
        if not found:
            return {}
        file, tree = found
        body, inner = self.file_scope(tree, Scope(chain=(*scope.chain, file)))
        if not all(map(_is_blank, body)):
            self._unit.fault(node, "refused-tag", "an imported file holds macros and nothing else", "use {% include %}")
        return inner.macros

    def _imported(self, node: nodes.FromImport, scope: Scope) -> Iterator[tuple[str, Macro]]:
        module = self._module(node, scope)
        for each in node.names:
            name, alias = each if isinstance(each, tuple) else (each, each)
            if name in module:
                yield alias, module[name]
            else:
                message = f'the imported file has no macro "{name}"'
                self._unit.fault(node, "unknown-name", message, checks.known_macros(name, module))


def stored(body: Sequence[nodes.Node]) -> set[str]:
    """Return the names that some statements assign."""
    names = (name for node in body for name in node.find_all(nodes.Name))
    return {name.name for name in names if name.ctx != "load"}


def _is_blank(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Output) and all(
        isinstance(piece, nodes.TemplateData) and not piece.data.strip() for piece in node.nodes
    )
