"""Includes, imports and macros: all are unfolded into the one template that is compiled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from jinja2 import nodes

from receiver.core.faults import Misconfigured, did_you_mean
from receiver.formats.escaping import Spot
from receiver.formats.limits import MAX_INCLUDES
from receiver.templates.compiling import variables
from receiver.templates.compiling.unit import Macro, Scope, Variant
from receiver.templates.source import parse

if TYPE_CHECKING:
    from receiver.templates.compiling.compiler import Body, Compiler, Walked


def file_scope(compiler: Compiler, body: Sequence[nodes.Node], scope: Scope) -> tuple[Body, Scope]:
    """Take the macros and imports out of a file, and return the rest with the names that it may use."""
    macros, modules = dict(scope.macros), dict(scope.modules)
    own = Scope(macros=macros, modules=modules)  # of its macros: they see each other, and no variables
    rest: Body = []
    for node in body:
        if isinstance(node, nodes.Macro):
            variables.bind(compiler, nodes.Name(node.name, "store", lineno=node.lineno))
            macros[node.name] = Macro(node, own)
        elif isinstance(node, nodes.Import):
            modules[node.target] = _module(compiler, node, scope)
        elif isinstance(node, nodes.FromImport):
            macros.update(_imported(compiler, node, scope))
        else:
            rest.append(node)
    return rest, replace(scope, macros=macros, modules=modules).naming(_stored(rest))


def include(compiler: Compiler, node: nodes.Include, spot: Spot, scope: Scope) -> Walked:
    """Walk another file as if it stood here; the variables that it sets stay its own."""
    found = _read(compiler, node, scope)
    if not found:
        return [], spot
    file, tree = found
    body, inner = file_scope(compiler, tree, replace(scope, chain=(*scope.chain, file), aliases={**scope.aliases}))
    walked, end = compiler.body(body, spot, inner)
    return [nodes.Scope(walked, lineno=node.lineno)], end


def _read(
    compiler: Compiler, node: nodes.Include | nodes.Import | nodes.FromImport, scope: Scope
) -> tuple[str, Body] | None:
    """Return the name and body of another file, or None after noting why it cannot be had."""
    unit, library = compiler.unit, compiler.library
    name = node.template.value if isinstance(node.template, nodes.Const) else None
    unit.included += 1
    if not isinstance(name, str):
        unit.fault(node, "unknown-template", "the file must be named in quotes")
    elif (hint := library.missing(name)) is not None:
        unit.fault(node, "unknown-template", f'there is no template "{name}"', hint)
    elif library.file(name) in scope.chain or unit.included > MAX_INCLUDES:
        unit.fault(node, "include-cycle", f"files include each other, or more than {MAX_INCLUDES} of them")
    else:
        try:
            source = library.source(name)
            unit.uses(source.file)
            return source.file, parse(compiler.environment, source, unit.places).body
        except Misconfigured as error:
            unit.found(error.faults)
    return None


def _module(compiler: Compiler, node: nodes.Import | nodes.FromImport, scope: Scope) -> Mapping[str, Macro]:
    found = _read(compiler, node, scope)
    if not found:
        return {}
    file, tree = found
    body, inner = file_scope(compiler, tree, Scope(chain=(*scope.chain, file)))
    if not all(map(_is_blank, body)):
        compiler.unit.fault(node, "refused-tag", "an imported file holds macros and nothing else")
    return inner.macros


def _imported(compiler: Compiler, node: nodes.FromImport, scope: Scope) -> Iterator[tuple[str, Macro]]:
    module = _module(compiler, node, scope)
    for each in node.names:
        name, alias = each if isinstance(each, tuple) else (each, each)
        if name in module:
            yield alias, module[name]
        else:
            message = f'the imported file has no macro "{name}"'
            compiler.unit.fault(node, "unknown-name", message, did_you_mean(name, module))


def called(node: nodes.Node, scope: Scope) -> Macro | None:
    """Return the macro that a call names: `name(…)`, or `module.name(…)`."""
    callee = node.node if isinstance(node, nodes.Call) else None
    if isinstance(callee, nodes.Name):
        return scope.macros.get(callee.name)
    if isinstance(callee, nodes.Getattr) and isinstance(callee.node, nodes.Name):
        return scope.modules.get(callee.node.name, {}).get(callee.attr)
    return None


def variant(compiler: Compiler, node: nodes.Node, macro: Macro, spot: Spot, scope: Scope) -> Variant:
    """Return a macro compiled for a place."""
    if (macro, spot) not in compiler.variants:
        if macro in scope.chain:
            compiler.unit.fault(node, "macro-recursion", "a macro cannot call itself, directly or through others")
            return Variant(macro.node, spot)
        inner = replace(macro.scope, chain=(*scope.chain, macro), aliases={})
        compiler.variants[macro, spot] = _variant(compiler, macro.node, spot, inner)
    return compiler.variants[macro, spot]


def _variant(compiler: Compiler, node: nodes.Macro, spot: Spot, scope: Scope) -> Variant:
    for parameter in node.args:
        variables.bind(compiler, parameter, allowed={"document"})
    defaults = [compiler.expressions.rewrite(default, spot, scope) for default in node.defaults]
    inner = scope.naming({parameter.name for parameter in node.args} | _stored(node.body))
    body, end = compiler.body(node.body, spot, inner)
    name = f"_{len(compiler.variants)}_{node.name}"
    return Variant(nodes.Macro(name, node.args, defaults, body, lineno=node.lineno), end)


def used(compiler: Compiler, body: Body) -> Body:
    """Return the variants that a body calls, directly or through others."""
    variants = {variant.node.name: variant.node for variant in compiler.variants.values()}
    found: dict[str, nodes.Node] = {}
    waiting = list(body)
    while waiting:
        for name in waiting.pop().find_all(nodes.Name):
            if name.name in variants and name.name not in found:
                found[name.name] = variants[name.name]
                waiting.append(variants[name.name])
    return list(found.values())


def _stored(body: Sequence[nodes.Node]) -> set[str]:
    names = (name for node in body for name in node.find_all(nodes.Name))
    return {name.name for name in names if name.ctx != "load"}


def _is_blank(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Output) and all(
        isinstance(piece, nodes.TemplateData) and not piece.data.strip() for piece in node.nodes
    )
