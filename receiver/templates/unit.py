"""What is collected while one template is compiled, across included files."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from jinja2 import nodes

from receiver.core.faults import ConfigurationError, Fault
from receiver.formats.budget import MAX_NODES
from receiver.formats.errors import MisplacedError
from receiver.formats.escaping import OutputContext
from receiver.templates.names import NAMES, OF_BATCH
from receiver.templates.reads import Fields, Read, label
from receiver.templates.source import Places, start
from receiver.templates.tracing import Trace

GLOBALS = frozenset({"range", "dict", "namespace"})
EXPORTED = "exported"  # what a record of a batch tells header and trailer


@dataclass(frozen=True, eq=False)
class Scope:
    """What a piece of a template may name."""

    names: frozenset[str] = NAMES | GLOBALS
    macros: Mapping[str, "Macro"] = field(default_factory=dict)
    modules: Mapping[str, Mapping[str, "Macro"]] = field(default_factory=dict)
    guards: Fields = frozenset()  # fields that are known to be there
    chain: tuple[object, ...] = ()  # files and macros that are being unfolded, the innermost last
    aliases: dict[str, str] = field(default_factory=dict)  # a name that the template gave → what it stands for

    def of_item(self, label: str) -> "Scope":
        """Return the scope of a record made for each item, and what the item is called."""
        return replace(self.naming({"item", "loop"}), aliases={"item": label or "item"})

    def macro(self, node: nodes.Node) -> "Macro | None":
        """Return the macro that a call names: `name(…)`, or `module.name(…)`."""
        callee = node.node if isinstance(node, nodes.Call) else None
        if isinstance(callee, nodes.Name):
            return self.macros.get(callee.name)
        if isinstance(callee, nodes.Getattr) and isinstance(callee.node, nodes.Name):
            return self.modules.get(callee.node.name, {}).get(callee.attr)
        return None

    def guarded(self, fields: Fields) -> "Scope":
        """Return the scope in which some more fields are known to be there."""
        return replace(self, guards=self.guards | fields) if fields else self

    def naming(self, names: Iterable[str]) -> "Scope":
        """Return the scope with some more names."""
        return replace(self, names=self.names | set(names))

    def bound(self, names: Iterable[str]) -> "Scope":
        """Return the scope with some more variables, which hide macros of the same names."""
        hidden = set(names)
        macros = {name: macro for name, macro in self.macros.items() if name not in hidden}
        modules = {name: module for name, module in self.modules.items() if name not in hidden}
        return replace(self, names=self.names | hidden, macros=macros, modules=modules)

    def aliased(self, target: nodes.Node, read: nodes.Node) -> "Scope":
        """Return the scope in which a name stands for what is read."""
        if not isinstance(target, nodes.Name):
            return self
        return replace(self, aliases={**self.aliases, target.name: label(read, self.aliases) or target.name})

    def assigned(self, target: nodes.Node, read: nodes.Node) -> None:
        """Note a variable's meaning; one set to different things has only its own."""
        if isinstance(target, nodes.Name):
            found = label(read, self.aliases) or target.name
            if self.aliases.setdefault(target.name, found) != found:
                self.aliases[target.name] = target.name


BATCH = Scope(OF_BATCH | GLOBALS)  # what header, trailer and path of a batch may name


@dataclass(frozen=True, eq=False)
class Macro:
    """A macro, and what its own file lets it name."""

    node: nodes.Macro
    scope: Scope


class Variant(NamedTuple):
    """A macro compiled for the place where it is called."""

    node: nodes.Macro
    end: OutputContext


@dataclass(slots=True)
class Unit:
    """Collects places, faults and reads."""

    places: Places = field(default_factory=Places)
    faults: dict[Fault, None] = field(default_factory=dict)  # each once, though loops are walked again
    reads: dict[Read, None] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    labels: dict[int, str] = field(default_factory=dict)  # place → what is read there
    names: set[str] = field(default_factory=set)  # variables that are read
    words: set[str] = field(default_factory=set)  # names that stand in the template itself
    visited: int = 0
    included: int = 0
    trace: Trace | None = None  # records what is rendered

    def fault(self, node: nodes.Node, code: str, message: str, hint: str = "") -> None:
        """Add a fault at a node."""
        self.found([self.places.fault(node.lineno, code, message, hint)])

    def found(self, faults: Iterable[Fault]) -> None:
        """Add faults that were found elsewhere."""
        self.faults.update(dict.fromkeys(faults))

    def uses(self, file: str) -> None:
        """Add a file that the template is made of."""
        if file not in self.files:
            self.files.append(file)

    def bind(self, target: nodes.Node, allowed: frozenset[str] = frozenset()) -> None:
        """Add a fault for each name of ours that a template assigns a value to."""
        bound = [target] if isinstance(target, nodes.Name) else list(target.find_all(nodes.Name))
        for name in bound:
            if name.name in (NAMES | GLOBALS | {EXPORTED}) - allowed or name.name.startswith("_"):
                message = f'"{name.name}" is a name that templates cannot give'
                self.fault(name, "name-taken", message, "choose another one")

    def misplaced(self, node: nodes.Node, error: MisplacedError, offset: int = 0) -> None:
        """Add the fault of literal text or a value at an impossible place."""
        self.found([self.places.fault(start(node), "escape-place", error.message, error.hint, offset)])

    def name(self, node: nodes.Node, read: nodes.Node, scope: Scope) -> None:
        """Keep the label of what is read at a node, for messages."""
        self.labels[node.lineno] = label(read, scope.aliases)

    def visit(self, node: nodes.Node) -> None:
        """Count a node.

        Raises `ConfigurationError` for a template that unfolds without end.
        """
        self.visited += 1
        if self.visited > MAX_NODES:
            fault = self.places.fault(node.lineno, "template-too-large", f"it unfolds to more than {MAX_NODES:,} nodes")
            raise ConfigurationError([*self.faults, fault])
