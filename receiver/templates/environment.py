"""The sandbox of templates: listed attributes, bounded operators, no loader."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import partial
from typing import Any

from jinja2 import Environment, Template, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.idtracking import VAR_LOAD_RESOLVE
from jinja2.nodes import EvalContext
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from receiver.formats import budget, values
from receiver.formats.budget import MAX_RANGE
from receiver.formats.errors import Missing, RefusedError
from receiver.metadata.xml_names import Names
from receiver.templates import filters, operations
from receiver.templates.names import OBJECTS

DATE = frozenset({"year", "month", "day", "weekday", "isoweekday", "isoformat", "strftime"})
LIST = frozenset({"count", "index"})

ATTRIBUTES: dict[type, frozenset[str]] = {
    str: frozenset(
        {"upper", "lower", "title", "capitalize", "casefold", "swapcase", "strip", "lstrip", "rstrip"}
        | {"split", "rsplit", "splitlines", "partition", "rpartition", "removeprefix", "removesuffix"}
        | {"startswith", "endswith", "find", "rfind", "index", "count"}
        | {"isdigit", "isdecimal", "isnumeric", "isalpha", "isalnum", "isspace", "isupper", "islower", "isascii"}
    ),
    list: LIST,
    tuple: LIST,
    date: DATE,
    datetime: DATE | {"hour", "minute", "second", "microsecond", "date", "time", "timestamp"},
    LoopContext: frozenset(
        {"index", "index0", "revindex", "revindex0", "first", "last", "length", "depth", "depth0"}
        | {"previtem", "nextitem", "cycle", "changed"}
    ),
}


def _padded(method: Callable[..., str]) -> Callable[..., str]:
    def padded(text: str, columns: int, *fill: str) -> str:
        budget.width(columns)
        return budget.made(method(text, columns, *fill))

    return padded


BOUNDED_METHODS: dict[str, Callable[..., str]] = {  # methods of texts
    "join": operations.join,
    "replace": operations.replace,
    "center": _padded(str.center),
    "ljust": _padded(str.ljust),
    "rjust": _padded(str.rjust),
    "zfill": _padded(str.zfill),
}

METHODS = frozenset().union(BOUNDED_METHODS, *ATTRIBUTES.values())


class Generator(CodeGenerator):
    """Notes the place of literal text for `Template.lines`, and writes the shortest look-ups."""

    def visit_Output(self, node: nodes.Output, frame: Frame) -> None:  # noqa: N802 (Jinja2's name)
        """Write what prints some text or values, with its place."""
        self.newline(node)
        super().visit_Output(node, frame)

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        """Write nothing around a value: what its escaper returns is a text."""

    _output_child_post = _output_child_pre

    def visit_Name(self, node: nodes.Name, frame: Frame) -> None:  # noqa: N802 (Jinja2's name)
        """Write a name as it is where `Seen` gave it a value: one that is not there is `Missing` already."""
        reference = frame.symbols.ref(node.name)
        load = frame.symbols.find_load(reference)
        if node.ctx == "load" and load and load[0] == VAR_LOAD_RESOLVE:
            self.write(reference)
        else:
            super().visit_Name(node, frame)

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:  # noqa: N802 (Jinja2's name)
        """Write a look-up; an item of a name is found without calling `Sandbox.getattr`."""
        if not isinstance(node.node, nodes.Name):
            super().visit_Getattr(node, frame)
            return
        self.write("(")
        self.visit(node.node, frame)
        self.write(f"[{node.attr!r}] if ")
        if node.node.name not in OBJECTS:
            self.write("isinstance(")
            self.visit(node.node, frame)
            self.write(", dict) and ")
        self.write(f"{node.attr!r} in ")
        self.visit(node.node, frame)
        self.write(" else ")
        super().visit_Getattr(node, frame)
        self.write(")")


class _Given(dict[str, Any]):
    """What a template is given, by name; any other name is `Missing`."""

    def __missing__(self, name: str) -> Missing:
        return Missing(name=name)


class Seen(Context):
    """What one rendering sees; Jinja2's own copies what serves inheritance and imports."""

    eval_ctx = EvalContext(Environment())  # noqa: S701 (of all: nothing changes it, {% autoescape %} is refused)

    def __init__(self, compiled: Template, names: dict[str, object]) -> None:
        self.environment = compiled.environment
        self.parent = _Given(compiled.globals, **names)
        self.resolve_or_missing = self.parent.__getitem__  # type: ignore[assignment, method-assign]
        self.vars: dict[str, Any] = {}
        self.exported_vars: set[str] = set()


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment of one process's templates."""

    concat = staticmethod(budget.concat)
    code_generator_class = Generator
    intercepted_binops = frozenset(operations.OPERATORS)

    def __init__(self, own_filters: Mapping[str, Callable[..., Any]]) -> None:
        super().__init__(undefined=Missing, keep_trailing_newline=True, cache_size=0)
        self.filters = {**filters.FILTERS, **own_filters}
        self.tests = dict(filters.TESTS)
        self.globals = {"range": bounded_range, "dict": dict, "namespace": Namespace}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return an item, or a listed attribute: never a method that hides an item."""
        if isinstance(obj, dict):  # nearly every look-up: this way is the shortest
            try:
                return obj[attribute]
            except KeyError:
                return Missing(obj=obj, name=attribute)
        if isinstance(obj, Mapping | Names):
            return self.getitem(obj, attribute)
        if isinstance(obj, Missing):
            str(obj)  # raises MissingNameError
        if type(obj) is Namespace and attribute.startswith("_"):
            return Missing(obj=obj, name=attribute)
        try:
            return getattr(obj, attribute) if type(obj) is Namespace else reach(obj, attribute)
        except AttributeError:
            return Missing(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return an item and nothing else."""
        try:
            return obj[argument]
        except (TypeError, LookupError):
            return Missing(obj=obj, name=argument)
        except ValueError:
            raise RefusedError(values.SEVERAL) from None

    def call_binop(self, _context: Context, operator: str, left: Any, right: Any) -> Any:
        """Apply an operator whose result is bounded and, of decimals, exact."""
        return operations.OPERATORS[operator](left, right)

    def name_of(self, function: Callable[..., Any]) -> str:
        """Return a filter's name, for a function of ours that no author can name."""
        name = f"~{id(function):x}"
        self.filters[name] = function
        return name


def reach(owner: object, name: str) -> Any:
    """Return an attribute that is listed. Raises `AttributeError` for any other."""
    if name in ATTRIBUTES.get(type(owner), ()):
        return getattr(owner, name)
    if type(owner) is str and name in BOUNDED_METHODS:
        return partial(BOUNDED_METHODS[name], owner)
    raise AttributeError


def bounded_range(*arguments: int) -> range:
    """Return a range of at most MAX_RANGE numbers."""
    numbers = range(*arguments)
    if len(numbers) > MAX_RANGE:
        raise RefusedError(f"the range has more than {MAX_RANGE:,} numbers", "limit")
    return numbers
