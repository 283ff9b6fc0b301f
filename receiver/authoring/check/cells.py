"""Which tables and cells a text reads, by the types of its variables."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from jinja2 import nodes

from receiver.authoring.check.site import Written, expression
from receiver.core.faults import Fault, Severity, did_you_mean, reading
from receiver.site.config.model import TableConfig
from receiver.templates.reads import chain, combined, needed
from receiver.templates.source import Places, Source

SAME_ROWS = frozenset(  # filters that leave rows what they are
    {"sort", "list", "reverse", "unique", "select", "reject", "selectattr", "rejectattr", "default", "d"}
)
ONE_ROW = frozenset({"first", "last", "random", "min", "max"})
BY_CELL = frozenset({"selectattr", "rejectattr", "groupby", "sum_of"})  # filters whose first argument names a cell


@dataclass(frozen=True, slots=True)
class Rows:
    """The type of an expression: some rows of a table, or a single one."""

    table: str
    single: bool = False


Types = Mapping[str, Rows | None]  # of the template's variables
Guards = frozenset[str]  # "row.sku": what is known to be there
NONE: Guards = frozenset()


class Known(Protocol):
    """What is known of the tables of a process."""

    @property
    def tables(self) -> Mapping[str, TableConfig]: ...
    def outermost(self) -> list[str]: ...
    def within(self, table: str) -> list[str]: ...
    def cell(self, table: str, name: str) -> tuple[str, str, Severity] | None: ...
    def may_be_absent(self, table: str, name: str) -> bool: ...


class Walk:
    """Goes through one text, with the types of its variables."""

    def __init__(self, written: Written, known: Known) -> None:
        self._written = written
        self._known = known
        self._found: dict[Fault, None] = {}
        self._statements: Mapping[type[nodes.Node], Callable[[Any, Types, Guards], None]] = {
            nodes.For: self._for,
            nodes.If: self._if,
            nodes.With: self._with,
            nodes.Macro: self._macro,
            nodes.CondExpr: self._conditional,
            nodes.And: self._and,
            nodes.Or: self._or,
            nodes.Test: self._test,
            nodes.Filter: self._filter,
            nodes.Getattr: self._getattr,
            nodes.Getitem: self._getitem,
        }

    def faults(self) -> Iterable[Fault]:
        """Return what is wrong with the text."""
        types: dict[str, Rows | None] = {}
        if self._written.each:
            with reading(self._written.source.file):
                listed = self._type(expression(Source("", self._written.each), Places()), {})
            types["item"] = listed and replace(listed, single=True)
        self._visit(self._written.root, types, NONE)
        return self._found

    # What an expression is

    def _type(self, node: nodes.Node | None, types: Types) -> Rows | None:
        """Return which rows an expression gives; None for anything else."""
        if isinstance(node, nodes.Name):
            return types.get(node.name)
        if isinstance(node, nodes.Filter):
            inner = self._type(node.node, types)
            if inner and not inner.single and node.name in ONE_ROW:
                return replace(inner, single=True)
            return inner if node.name in SAME_ROWS else None
        if isinstance(node, nodes.CondExpr):
            return self._type(node.expr1, types)
        if isinstance(node, nodes.Getitem) and not _text(node.arg):
            inner = self._type(node.node, types)
            return inner and replace(inner, single=not isinstance(node.arg, nodes.Slice))
        name = _step(node)
        if name is None or not isinstance(node, nodes.Getattr | nodes.Getitem):
            return None
        if _is_tables(node.node, types):
            return Rows(name) if name in self._known.outermost() else None
        owner = self._type(node.node, types)
        return Rows(name) if owner and owner.single and name in self._known.within(owner.table) else None

    # Statements and expressions, with what is known in each of their parts

    def _visit(self, node: nodes.Node, types: Types, guards: Guards) -> None:
        visit = self._statements.get(type(node))
        if visit:
            visit(node, types, guards)
        else:
            self._children(node, types, guards)

    def _children(self, node: nodes.Node, types: Types, guards: Guards) -> None:
        """Visit a node's children; a variable is known after the statement that sets it."""
        known = dict(types)
        for child in node.iter_child_nodes():
            self._visit(child, known, guards)
            if isinstance(child, nodes.Assign) and isinstance(child.target, nodes.Name):
                known[child.target.name] = self._type(child.node, known)

    def _all(self, body: Iterable[nodes.Node], types: Types, guards: Guards) -> None:
        self._children(nodes.Template(list(body)), types, guards)

    def _for(self, node: nodes.For, types: Types, guards: Guards) -> None:
        self._visit(node.iter, types, guards)
        rows = self._type(node.iter, types)
        names = [name.name for name in _names(node.target)]
        inner = {**types, **dict.fromkeys(names)}
        if rows and not rows.single and isinstance(node.target, nodes.Name):
            inner[node.target.name] = replace(rows, single=True)
        if node.test:
            self._visit(node.test, inner, guards)
        self._all(node.body, inner, guards | (combined(node.test, _guard)[0] if node.test else NONE))
        self._all(node.else_, types, guards)

    def _if(self, node: nodes.If, types: Types, guards: Guards) -> None:
        for branch in (node, *node.elif_):
            self._visit(branch.test, types, guards)
            holds, fails = combined(branch.test, _guard)
            self._all(branch.body, types, guards | holds)
            guards |= fails
        self._all(node.else_, types, guards)

    def _with(self, node: nodes.With, types: Types, guards: Guards) -> None:
        inner = dict(types)
        for target, value in zip(node.targets, node.values, strict=True):
            self._visit(value, types, guards)
            if isinstance(target, nodes.Name):
                inner[target.name] = self._type(value, types)
        self._all(node.body, inner, guards)

    def _macro(self, node: nodes.Macro, _types: Types, guards: Guards) -> None:
        self._all(node.body, {}, guards)  # a macro sees no variables, and nobody knows what it is given

    def _conditional(self, node: nodes.CondExpr, types: Types, guards: Guards) -> None:
        holds, fails = combined(node.test, _guard)
        self._visit(node.test, types, guards)
        self._visit(node.expr1, types, guards | holds)
        if node.expr2:
            self._visit(node.expr2, types, guards | fails)

    def _and(self, node: nodes.And, types: Types, guards: Guards) -> None:
        self._visit(node.left, types, guards)
        self._visit(node.right, types, guards | combined(node.left, _guard)[0])

    def _or(self, node: nodes.Or, types: Types, guards: Guards) -> None:
        self._visit(node.left, types, guards)
        self._visit(node.right, types, guards | combined(node.left, _guard)[1])

    def _test(self, node: nodes.Test, types: Types, guards: Guards) -> None:
        there = {chain(node.node, {})} if node.name in ("defined", "undefined") else NONE
        self._children(node, types, guards | there)

    def _filter(self, node: nodes.Filter, types: Types, guards: Guards) -> None:
        there = {chain(node.node, {})} if node.node and node.name in ("default", "d") else NONE
        self._children(node, types, guards | there)
        rows = self._type(node.node, types)
        if rows and not rows.single:
            for argument in _cell_arguments(node):
                self._read(argument, rows.table, str(argument.value).partition(".")[0], guarded=True)

    def _getattr(self, node: nodes.Getattr, types: Types, guards: Guards) -> None:
        self._step(node, node.attr, types, guards)

    def _getitem(self, node: nodes.Getitem, types: Types, guards: Guards) -> None:
        self._step(node, _text(node.arg), types, guards)

    # Findings

    def _step(self, node: nodes.Getattr | nodes.Getitem, name: str | None, types: Types, guards: Guards) -> None:
        self._children(node, types, guards)
        if name is None:
            return
        owner = self._type(node.node, types)
        if _is_tables(node.node, types):
            self._table(node, name, guarded=chain(node, {}) in guards)
        elif owner and owner.single:
            self._read(node, owner.table, name, guarded=chain(node, {}) in guards)
        elif owner:
            message, hint = f'"{owner.table}" is a list of rows', "go through them in a loop, or say which: [0]"
            self._note(node, "unknown-cell", message, hint, Severity.ERROR)

    def _table(self, node: nodes.Node, name: str, *, guarded: bool) -> None:
        outermost = self._known.outermost()
        if name in outermost:
            return
        message = f'there is no table "{name}"'
        hint = did_you_mean(name, outermost) or f"add [tables.{name}] to process.toml"
        if name in self._known.tables:
            outer = self._known.tables[name].within
            message, hint = f'the table "{name}" lies within the rows of "{outer}"', f"read it from a row of {outer}"
        self._note(node, "no-such-table", message, hint, Severity.WARNING if guarded else Severity.ERROR)

    def _read(self, node: nodes.Node, table: str, name: str, *, guarded: bool) -> None:
        if unknown := self._known.cell(table, name):
            message, hint, severity = unknown
            self._note(node, "unknown-cell", message, hint, Severity.WARNING if guarded else severity)
        elif not guarded and self._known.may_be_absent(table, name):
            message = f'the cell "{name}" may be absent, and then the record fails'
            schema = self._known.tables[table].schema
            hint = f'write | default(""), test it with `is defined`, or require it in {schema}'
            self._note(node, "unguarded-cell", message, hint, Severity.WARNING)

    def _note(self, node: nodes.Node, code: str, message: str, hint: str, severity: Severity) -> None:
        self._found[self._written.fault(node, code, message, hint, severity)] = None


def _guard(test: nodes.Node | None) -> tuple[Guards, Guards]:
    """Return what is defined if a single condition is true, and what if it is false."""
    if isinstance(test, nodes.Test) and test.name in ("defined", "undefined"):
        there = frozenset({chain(test.node, {})})
        return (there, NONE) if test.name == "defined" else (NONE, there)
    if isinstance(test, nodes.Compare) and len(test.ops) == 1 and test.ops[0].op in ("in", "notin"):
        name = _text(test.expr)
        there = frozenset({f"{chain(test.ops[0].expr, {})}.{name}"}) if name else NONE
        return (there, NONE) if test.ops[0].op == "in" else (NONE, there)
    given = needed(test)
    return (frozenset({chain(given, {})}) if given else NONE), NONE


def _cell_arguments(node: nodes.Filter) -> Iterator[nodes.Const]:
    """Yield arguments of filters that name a cell, as in sort(attribute="qty")."""
    given: list[nodes.Node] = [keyword.value for keyword in node.kwargs if keyword.key == "attribute"]
    given += node.args[:1] if node.name in BY_CELL else []
    yield from (each for each in given if isinstance(each, nodes.Const) and isinstance(each.value, str))


def _names(target: nodes.Node) -> Iterator[nodes.Name]:
    if isinstance(target, nodes.Name):
        yield target
    yield from target.find_all(nodes.Name)


def _is_tables(node: nodes.Node, types: Types) -> bool:
    return isinstance(node, nodes.Name) and node.name == "tables" and "tables" not in types


def _step(node: nodes.Node | None) -> str | None:
    if isinstance(node, nodes.Getattr):
        return node.attr
    return _text(node.arg) if isinstance(node, nodes.Getitem) else None


def _text(node: nodes.Node) -> str | None:
    return node.value if isinstance(node, nodes.Const) and isinstance(node.value, str) else None
