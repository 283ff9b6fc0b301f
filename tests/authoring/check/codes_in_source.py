"""Finds every code that the source can put into a fault: a fault names its code in so many words."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
CODE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")
FAULTS = {"Fault", "fault", "Form"}  # what makes a fault out of a code
HANDED_ON = {"code", "form"}  # what holds a code that a caller named: `code`, `form.code`


def codes(folder: Path = ROOT / "receiver") -> dict[str, str]:
    """Return every code with one place that names it. Raises `AssertionError` for a fault without a plain code."""
    trees = {module: ast.parse(module.read_text()) for module in sorted(folder.rglob("*.py"))}
    handing_on = {name for tree in trees.values() for name in _functions_of_a_code(tree)}
    found: dict[str, str] = {}
    for module, tree in trees.items():
        constants = dict(_constants(tree))
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and _name(call.func) in FAULTS | handing_on and len(call.args) > 1:
                place = f"{module.relative_to(folder)}:{call.lineno}"
                told = _codes(call, constants)
                assert told is not None or _name(call.func) not in FAULTS, f"{place}: a fault without a plain code"
                found |= dict.fromkeys(told or [], place)
    return found


def _codes(call: ast.Call, constants: dict[str, str]) -> list[str] | None:
    for argument in call.args:
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str) and CODE.fullmatch(argument.value):
            return [argument.value]
        if isinstance(argument, ast.Name) and argument.id in constants:
            return [constants[argument.id]]
        if isinstance(argument, ast.Name | ast.Attribute) and _name(argument) in HANDED_ON:
            return []
    return None


def _functions_of_a_code(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and any(argument.arg == "code" for argument in node.args.args):
            yield node.name


def _constants(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield names that hold a code: CODE = "toml-syntax"."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            value = node.value
            if isinstance(value, ast.Constant) and isinstance(value.value, str) and CODE.fullmatch(value.value):
                yield node.targets[0].id, value.value


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
