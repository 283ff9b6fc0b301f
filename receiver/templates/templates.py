"""Compiles the templates of one process."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

import jinja2
from jinja2 import TemplateSyntaxError, nodes

from receiver.core.faults import ConfigurationError, reading
from receiver.formats import budget, path, plain
from receiver.formats.csv import escape as csv
from receiver.formats.escaping import FORMATS, Format, OutputContext
from receiver.formats.text import escape as text
from receiver.templates import library
from receiver.templates.compiler import Compiler
from receiver.templates.environment import Sandbox
from receiver.templates.filters import persons
from receiver.templates.library import Library
from receiver.templates.reads import chain, label
from receiver.templates.source import Places, Source, parse_expression
from receiver.templates.template import Condition, Items, Template
from receiver.templates.tracing import Trace
from receiver.templates.unit import Scope, Unit

EVERYWHERE = Scope()  # what may be named in any template
PLAIN = OutputContext(plain, plain.START)
DELIMITER = re.compile(r"\{#-?\s*delimiter:\s*(\S+)\s*-?#\}")
DELIMITERS = {",": ",", ";": ";", "|": "|", "tab": "\t"}


def declared_delimiter(text: str) -> str | None:
    """Return the delimiter in a comment of a CSV template; None without a valid one."""
    declared = DELIMITER.search(text)
    return DELIMITERS.get(declared[1]) if declared else None


class Dialect(NamedTuple):
    """How a record is written where its format is open: keys of [[records]]."""

    quote: str = "needed"  # of CSV, or "always"
    delimiter: str | None = None  # of CSV; None: as the template says
    forbid: str = ""  # characters that no value of a text may hold


class Templates:
    """Compiles templates of one folder once, with every fault.

    What is rendered is noted in a trace, if any.
    """

    def __init__(
        self, folder: Path, site: Path, trace: Trace | None = None, customs: persons.Customs | None = None
    ) -> None:
        self._library = Library(folder, site)
        own = {"lookup": library.lookup(self._library.tables), "person": persons.reader(customs or persons.Customs())}
        self._environment = Sandbox(own)
        self._trace = trace

    def record(
        self,
        name: str,
        format: str,  # noqa: A002 (process.toml's word)
        encoding: str = "utf-8",
        dialect: Dialect | None = None,
        scope: Scope = EVERYWHERE,
    ) -> Template:
        """Compile a record's template. Raises `ConfigurationError`."""
        source, dialect = self._library.source(name), dialect or Dialect()
        module, state = FORMATS[format], FORMATS[format].START
        if module is csv:
            state = csv.start(dialect.delimiter or self._declared(source) or ",", dialect.quote)
        elif module is text:
            state = dialect.forbid
        return self._template(source, module, state, encoding, scope)

    def missing(self, name: str) -> str | None:
        """Return a hint if there is no such template, or None if there is."""
        return self._library.missing(name)

    def delimiter(self, name: str) -> str | None:
        """Return the delimiter that a comment of a CSV template names, or None.

        Raises `ConfigurationError`.
        """
        return self._declared(self._library.source(name))

    def path(self, source: str, file: str, line: int, column: int, scope: Scope = EVERYWHERE) -> Template:
        """Compile a path pattern that stands somewhere in a file.

        Raises `ConfigurationError`.
        """
        return self._template(_written(source, file, line, column), path, path.START, scope=scope)

    def condition(self, source: str, file: str, line: int, column: int, scope: Scope = EVERYWHERE) -> Condition:
        """Compile a condition that stands somewhere in a file.

        Raises `ConfigurationError`.
        """
        written = _written(source, file, line, column)
        return Condition(self._expression(written, lambda work, read: work.condition(read, PLAIN, scope)))

    def items(self, source: str, file: str, line: int, column: int) -> Items:
        """Compile an expression that gives a list. Raises `ConfigurationError`."""
        written = _written(source, file, line, column)
        with _reading(written):
            owner, *names = chain(parse_expression(self._environment, written, Places()), {}).split(".")
        table = names[0] if owner == "tables" and len(names) == 1 else ""
        return Items(self._expression(written, lambda work, read: work.items(read, PLAIN)), table)

    def scope_of_record(self, each: str | None) -> Scope:
        """Return the names of a record; with `each` also `item`, of its list.

        Raises `ConfigurationError` for an expression that cannot be read.
        """
        if each is None:
            return EVERYWHERE
        return EVERYWHERE.of_item(label(parse_expression(self._environment, _written(each, "", 1, 1), Places()), {}))

    def _expression(self, written: Source, tree: Callable[[Compiler, nodes.Expr], nodes.Template]) -> Template:
        unit = self._unit(written)
        with _reading(written):
            expression = parse_expression(self._environment, written, unit.places)
            compiler = Compiler(self._environment, self._library, unit)
            return self._compiled(written.file, tree(compiler, expression), unit, plain)

    def _template(
        self, source: Source, module: Format, state: object, encoding: str = "utf-8", scope: Scope = EVERYWHERE
    ) -> Template:
        unit = self._unit(source)
        budget.start()  # constants are worked out here
        with _reading(source):
            compiler = Compiler(self._environment, self._library, unit, encoding)
            tree = compiler.template(source, OutputContext(module, state), scope)
            return self._compiled(source.file, tree, unit, module)

    def _declared(self, source: Source) -> str | None:
        declared = DELIMITER.search(source.text)
        if not declared:
            return None
        if declared[1] not in DELIMITERS:
            unit = Unit()
            number = unit.places.add(source, declared.start(1))
            hint = "one of , ; | tab"
            raise ConfigurationError([unit.places.fault(number, "bad-argument", "this is no delimiter of CSV", hint)])
        return DELIMITERS[declared[1]]

    def _unit(self, source: Source) -> Unit:
        unit = Unit(files=[source.file], trace=self._trace)
        unit.places.add(source, 0)  # the place of what has no other
        return unit

    def _compiled(self, file: str, tree: nodes.Template, unit: Unit, module: Format) -> Template:
        if unit.faults:
            raise ConfigurationError(unit.faults)
        tree.set_environment(self._environment)
        try:
            code = self._environment.compile(tree, file, f"<{file}>")
        except TemplateSyntaxError as error:
            message = (error.message or "it cannot be compiled").rstrip(".")
            raise ConfigurationError([unit.places.fault(error.lineno, "template-syntax", message)]) from None
        except (SyntaxError, RecursionError, MemoryError):
            raise ConfigurationError([unit.places.fault(0, "template-syntax", "it is nested too deeply")]) from None
        compiled = jinja2.Template.from_code(self._environment, code, self._environment.globals)
        return Template(file, compiled, unit, module.finish)


def _written(text: str, file: str, line: int, column: int) -> Source:
    return Source(file, text.replace("\r\n", "\n").replace("\r", "\n"), line, column)


def _reading(source: Source) -> AbstractContextManager[None]:
    return reading(source.file, lambda _: source.place(0))
