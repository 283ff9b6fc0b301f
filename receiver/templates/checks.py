"""Checks names in expressions: variables, filters, tables, methods, arguments."""

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any

from jinja2 import nodes
from jinja2.utils import _PassArg

from receiver.core.faults import ConfigurationError, did_you_mean
from receiver.templates import filters
from receiver.templates.environment import METHODS
from receiver.templates.library import Library, Likeness, Table, lookup
from receiver.templates.names import NAMES
from receiver.templates.unit import GLOBALS, Scope, Unit

LOOKUP = "lookup"
NAMED: Mapping[str, int] = {"map": 0, "select": 0, "reject": 0, "selectattr": 1, "rejectattr": 1}  # which argument
KINDS: Mapping[Any, tuple[Any, str]] = {  # what a filter's signature asks for: what it takes, and how to say it
    int: (int, "a whole number, without quotes"),
    str: (str, "a text in quotes"),
    int | None: (int, "a whole number, without quotes"),
    str | None: (str, "a text in quotes"),
    "int": (int, "a whole number, without quotes"),  # as Jinja2's own filters are annotated
    "str": (str, "a text in quotes"),
    bool: (bool, "true or false, without quotes"),
}
METHOD_HINTS = {  # methods that are not there, and what to write instead
    "get": 'write `fields.name | default("")`',
    "items": "write `fields | items`",
    "keys": "a loop over an object gives its names",
    "values": "write `fields | items`",
    "format": 'write `"%05d" | format(…)`, or put texts together with `~`',
    "format_map": "put texts together with `~`",
    "append": "lists are put together with +",
}
TEST_HINTS = {  # tests that are not there, and what to write instead
    "empty": "write `{% if not value %}`",
    "blank": "write `{% if not value %}`",
    "null": "write `is none`",
    "present": "write `is defined`",
    "not": "write `is not`",
}


def name(unit: Unit, node: nodes.Name, scope: Scope) -> None:
    """Prove a variable."""
    if node.ctx != "load":
        return
    if node.name in scope.macros or node.name in scope.modules:
        unit.fault(node, "unknown-name", f'"{node.name}" is a macro, not a value', "call it: name(…)")
    elif node.name not in scope.names:
        near = did_you_mean(node.name, [*scope.names, *scope.macros, *scope.modules])
        of_each = "a record for each item of a list has it: write each = … under its [[records]]"
        if node.name in NAMES:  # of a batch
            near = "a batch knows no single delivery: batch.number, batch.closed_at, and what records have exported"
        hint = of_each if node.name == "item" else near or f"a field is written fields.{node.name}"
        unit.fault(node, "unknown-name", f'there is no "{node.name}" here', hint)


def filter_(unit: Unit, library: Library, node: nodes.Filter) -> None:
    """Prove a filter, and its arguments as far as they are constant."""
    if node.name in filters.MARKS:
        message = f"`| {node.name}` stands at the end of a printed value and nowhere else"
        unit.fault(node, "escape-filter", message, f"it {filters.MARKS[node.name]}")
    elif node.name == LOOKUP:
        _table(unit, library, node)
    elif node.name not in filters.FILTERS:
        _unknown_filter(unit, node, node.name)
    else:
        _arguments(unit, node, filters.FILTERS[node.name])
        _named(unit, node, [_constant(argument) for argument in node.args])


def _arguments(
    unit: Unit, node: nodes.Filter | nodes.Test, function: Callable[..., Any]
) -> Mapping[str, nodes.Expr] | None:
    """Check a filter's arguments: names and number, and constant values.

    Returns the arguments by name, None for those that it cannot take.
    """
    try:
        given = _bound(function, node)
    except TypeError as error:
        unit.fault(node, "bad-argument", f"`{node.name}`: {error}", _usage(node.name, function))
        return None
    check = filters.CHECKS.get(node.name)
    constants = {name: value for name, each in given.items() if (value := _constant(each)) is not None}
    wrong_kind = _wrong_kind(function, constants)
    message, hint = (wrong_kind, "") if wrong_kind or not check else check(constants)
    if message:
        unit.fault(node, "bad-argument", message, hint or _usage(node.name, function))
    return given


def _usage(name: str, function: Callable[..., Any]) -> str:
    """Show how a filter is written, with the names and the defaults of its arguments."""
    own = 2 if _PassArg.from_obj(function) else 1
    parameters = list(inspect.signature(function).parameters.values())[own:]
    written = (str(each.replace(annotation=each.empty)).replace("'", '"') for each in parameters)
    return f"it is written {name}({', '.join(written)})"


def _wrong_kind(function: Callable[..., Any], constants: Mapping[str, Any]) -> str:
    """Return which constant is not of the kind in the filter's signature, or ""."""
    parameters = inspect.signature(function).parameters
    for name, value in constants.items():
        parameter = parameters.get(name)
        wanted = parameter.annotation if parameter and parameter.kind is not parameter.VAR_POSITIONAL else Any
        if wanted in KINDS and not isinstance(value, KINDS[wanted][0]):
            shown = f'"{value}"' if isinstance(value, str) else str(value)
            return f"{name} is {KINDS[wanted][1]}, not {shown}"
    return ""


def _bound(function: Callable[..., Any], node: nodes.Filter | nodes.Test) -> dict[str, nodes.Expr]:
    """Return the filter's arguments by name. Raises `TypeError`."""
    own = 2 if _PassArg.from_obj(function) else 1  # the value, and before it what Jinja2 passes
    keywords = {str(keyword.key): keyword.value for keyword in node.kwargs}
    bound = inspect.signature(function).bind(*[None] * own, *node.args, **keywords)
    return dict(list(bound.arguments.items())[own:])


def _named(unit: Unit, node: nodes.Filter, constants: list[Any]) -> None:
    """Check the filter or test whose name `map` or `select` is given."""
    index = NAMED.get(node.name)
    if index is None or len(constants) <= index:
        return
    name = constants[index]
    if not isinstance(name, str):
        unit.fault(node, "bad-argument", "the filter or test must be named in quotes", f'write {node.name}("…")')
    elif node.name == "map" and name not in filters.FILTERS:
        _unknown_filter(unit, node, name)
    elif node.name != "map" and name not in filters.TESTS:
        _unknown_test(unit, node, name)
    else:
        _passed_on(unit, node, name, constants[index + 1 :])


def _passed_on(unit: Unit, node: nodes.Filter, name: str, constants: list[Any]) -> None:
    """Check the arguments that `map` or `select` passes to a filter or test of ours."""
    function = (filters.FILTERS if node.name == "map" else filters.OWN_TESTS).get(name)
    check = filters.CHECKS.get(name)
    if function is None or check is None:
        return
    own = 2 if _PassArg.from_obj(function) else 1
    given = dict(zip(list(inspect.signature(function).parameters)[own:], constants, strict=False))
    given |= {str(keyword.key): _constant(keyword.value) for keyword in node.kwargs}
    message, hint = check({name: value for name, value in given.items() if value is not None})
    if message:
        unit.fault(node, "bad-argument", message, hint or _usage(name, function))


def _constant(node: Any) -> Any:
    """Return the value of a constant or of a list of them; None for anything else."""
    if isinstance(node, nodes.List):
        return [_constant(item) for item in node.items]
    if isinstance(node, nodes.Neg) and isinstance(value := _constant(node.node), int | float):
        return -value
    return node.value if isinstance(node, nodes.Const) else None


def _unknown_filter(unit: Unit, node: nodes.Node, name: str) -> None:
    hint = filters.REFUSED.get(name) or did_you_mean(name, [*filters.FILTERS, *filters.MARKS, LOOKUP])
    unit.fault(node, "unknown-filter", f'there is no filter "{name}"', hint)


def test(unit: Unit, node: nodes.Test) -> None:
    """Prove a test, and of one of ours its arguments."""
    if node.name not in filters.TESTS:
        _unknown_test(unit, node, node.name)
    elif node.name in filters.OWN_TESTS:
        _arguments(unit, node, filters.OWN_TESTS[node.name])


def _unknown_test(unit: Unit, node: nodes.Node, name: str) -> None:
    hint = TEST_HINTS.get(name) or did_you_mean(name, filters.TESTS) or f"there are: {', '.join(filters.TESTS)}"
    unit.fault(node, "unknown-test", f'there is no test "{name}"', hint)


def _table(unit: Unit, library: Library, node: nodes.Filter) -> None:
    """Check a code table, its columns named in quotes, and that its keys stay unique."""
    given = _arguments(unit, node, lookup(library.tables))
    if given is None:
        return
    name = _constant(given["table"])
    if not isinstance(name, str):
        unit.fault(node, "unknown-table", "the table must be named in quotes", 'write lookup("name")')
        return
    try:
        found = library.table(name)
    except ConfigurationError as error:
        unit.found(error.faults)
        return
    if isinstance(found, str):
        unit.fault(given["table"], "unknown-table", f'there is no table "{name}"', found)
        return
    unit.uses(library.table_file(name))
    named = {each: _constant(given[each]) for each in ("column", "key") if each in given}
    unknown = {each: column for each, column in named.items() if column and column not in found.columns}
    for each, column in unknown.items():
        hint = did_you_mean(str(column), found.columns) or f"it has {', '.join(found.columns)}"
        unit.fault(given[each], "unknown-table", f'the table has no column "{column}"', hint)
    if not unknown:
        _distinct(unit, node, found, given)


def _distinct(unit: Unit, node: nodes.Filter, table: Table, given: Mapping[str, nodes.Expr]) -> None:
    """Add a fault for two keys of a table that are equal in this look-up."""
    said = {each: _constant(given[each]) for each in ("key", "ignore_case", "strip") if each in given}
    likeness = Likeness(bool(said.get("ignore_case")), bool(said.get("strip")))
    alike = table.alike(said.get("key") or table.columns[0], likeness)
    if alike:
        message = f'"{alike[0]}" and "{alike[1]}" of the table would be one key'
        unit.fault(node, "bad-argument", message, "leave one of them away, or look up exactly what is written")


def callee(unit: Unit, node: nodes.Call, scope: Scope) -> bool:
    """Prove that what is called, apart from macros, may be. Returns whether it may."""
    called = node.node
    if isinstance(called, nodes.Name) and called.name in GLOBALS:
        return True
    if isinstance(called, nodes.Getattr):
        module = scope.modules.get(called.node.name) if isinstance(called.node, nodes.Name) else None
        if module is not None:
            message = f'the imported file has no macro "{called.attr}"'
            unit.fault(called, "unknown-name", message, known_macros(called.attr, module))
            return False
        if called.attr not in METHODS:
            near = METHOD_HINTS.get(called.attr) or did_you_mean(called.attr, METHODS)
            hint = near or "write a filter: {{ value | upper }}; docs/filters.md lists them"
            unit.fault(called, "unknown-method", f'there is no method "{called.attr}"', hint)
        return True
    if not isinstance(called, nodes.Name) or called.name in scope.names:
        hint = "a macro cannot be passed on, and loops cannot call themselves"
        unit.fault(node, "unknown-method", "this cannot be called", hint)
    return True


def arguments(unit: Unit, node: nodes.Call, macro: nodes.Macro) -> None:
    """Prove the arguments of a macro's call."""
    parameters = [argument.name for argument in macro.args]
    if len(node.args) > len(parameters):
        message = f"the macro takes {len(parameters)} {'argument' if len(parameters) == 1 else 'arguments'}"
        unit.fault(node, "bad-argument", message, f"it is written {macro.name}({', '.join(parameters)})")
    given = {*parameters[: len(node.args)], *(keyword.key for keyword in node.kwargs)}
    needed = parameters[: len(parameters) - len(macro.defaults)]
    proven = node.dyn_args is node.dyn_kwargs is None and given <= set(parameters)
    for missing in [each for each in needed if each not in given] if proven else ():
        hint = f"it is written {macro.name}({', '.join(parameters)})"
        unit.fault(node, "bad-argument", f'the macro needs "{missing}"', hint)
    for keyword in node.kwargs:
        if keyword.key not in parameters:
            hint = did_you_mean(keyword.key, parameters) or f"it is written {macro.name}({', '.join(parameters)})"
            unit.fault(keyword, "bad-argument", f'the macro has no argument "{keyword.key}"', hint)


def known_macros(name: str, module: Collection[str]) -> str:
    """Return what to do about a macro that an imported file has not."""
    near = did_you_mean(name, module)
    return near or (f"it has {', '.join(module)}" if module else "define it there: {% macro " + name + "(…) %}")


def separators(unit: Unit, node: nodes.Expr, delimiters: str) -> None:
    """Refuse HL7 delimiters joined to a printed value: they would be escaped."""
    constants: list[nodes.Expr] = []
    if isinstance(node, nodes.Concat):
        constants = node.nodes
    elif isinstance(node, nodes.Filter) and node.name == "join":
        constants = node.args[:1]
    for constant in constants:
        text = constant.value if isinstance(constant, nodes.Const) else None
        if isinstance(text, str) and text and set(text) <= set(delimiters):
            hint = "print each part by itself, {{ … }}^{{ … }}, in a loop for a list"
            unit.fault(constant, "escape-separator", f'"{text}" within a value comes out escaped', hint)
