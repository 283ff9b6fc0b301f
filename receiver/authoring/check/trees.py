"""Templates, paths and conditions that were compiled before, read into Jinja2's tree once more."""

from collections.abc import Iterator
from pathlib import Path

from jinja2 import nodes

from receiver.templates.environment import Sandbox
from receiver.templates.reads import Fields, field, guards
from receiver.templates.source import Places, Source, parse, parse_expression

_SANDBOX = Sandbox({})


def tree(source: Source, places: Places) -> nodes.Template:
    """Return the tree of a template or path."""
    return parse(_SANDBOX, source, places)


def expression(source: Source, places: Places) -> nodes.Expr:
    """Return the tree of a condition."""
    return parse_expression(_SANDBOX, source, places)


def guarded_by(condition: str) -> Fields:
    """Return the fields that are there wherever a condition holds."""
    return guards(parse_expression(_SANDBOX, Source("", condition), Places()))[0]


def reads_all(file: Path) -> bool:
    """Tell whether a template goes through the fields, or names one by a variable: then it may read any of them."""
    root = tree(Source("", file.read_text("utf-8-sig")), Places())
    whole = sum(1 for name in root.find_all(nodes.Name) if name.name == "fields")
    single = sum(1 for node in root.find_all((nodes.Getattr, nodes.Getitem)) if field(node) is not None)
    return whole > single + _membership(root)


def _membership(root: nodes.Node) -> int:
    """Count the tests `"mrn" in fields`: they read nothing but what is tested."""
    return sum(1 for _ in _tested(root))


def _tested(root: nodes.Node) -> Iterator[nodes.Name]:
    for operand in root.find_all(nodes.Operand):
        if isinstance(operand.expr, nodes.Name) and operand.expr.name == "fields":
            yield operand.expr
