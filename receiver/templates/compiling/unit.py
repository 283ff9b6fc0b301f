"""What is gathered while one template is compiled, across the files that it includes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from jinja2 import nodes

from receiver.core.faults import Fault, Misconfigured
from receiver.formats.errors import Misplaced
from receiver.formats.escaping import Spot
from receiver.formats.limits import MAX_NODES
from receiver.templates.compiling.guards import Fields, Read
from receiver.templates.compiling.labels import label
from receiver.templates.names import NAMES
from receiver.templates.source import Places

GLOBALS = frozenset({"range", "dict", "namespace"})


@dataclass(frozen=True, eq=False)
class Scope:
    """What a piece of a template may name."""

    names: frozenset[str] = NAMES | GLOBALS
    macros: Mapping[str, "Macro"] = field(default_factory=dict)
    modules: Mapping[str, Mapping[str, "Macro"]] = field(default_factory=dict)
    guards: Fields = frozenset()  # fields that are known to be there
    chain: tuple[object, ...] = ()  # files and macros that are being unfolded, the innermost last
    aliases: dict[str, str] = field(default_factory=dict)  # a name that the template gave → what it stands for

    def guarded(self, fields: Fields) -> "Scope":
        """Return the scope in which some more fields are known to be there."""
        return replace(self, guards=self.guards | fields) if fields else self

    def naming(self, names: Iterable[str]) -> "Scope":
        """Return the scope with some more names."""
        return replace(self, names=self.names | set(names))

    def aliased(self, target: nodes.Node, read: nodes.Node) -> "Scope":
        """Return the scope in which a name stands for what is read."""
        if not isinstance(target, nodes.Name):
            return self
        return replace(self, aliases={**self.aliases, target.name: label(read, self.aliases) or target.name})

    def assigned(self, target: nodes.Node, read: nodes.Node) -> None:
        """Note what a variable stands for; one that is set to different things stands for itself."""
        if isinstance(target, nodes.Name):
            found = label(read, self.aliases) or target.name
            if self.aliases.setdefault(target.name, found) != found:
                self.aliases[target.name] = target.name


@dataclass(frozen=True, eq=False)
class Macro:
    """A macro, and what its own file lets it name."""

    node: nodes.Macro
    scope: Scope


class Variant(NamedTuple):
    """A macro compiled for the place where it is called."""

    node: nodes.Macro
    end: Spot


@dataclass(slots=True)
class Unit:
    """Gathers places, faults and reads."""

    places: Places = field(default_factory=Places)
    faults: dict[Fault, None] = field(default_factory=dict)  # each once, though loops are walked again
    reads: dict[Read, None] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    labels: dict[int, str] = field(default_factory=dict)  # place → what is read there
    words: set[str] = field(default_factory=set)  # names that stand in the template itself
    visited: int = 0
    included: int = 0

    def fault(self, node: nodes.Node, code: str, message: str, hint: str = "") -> None:
        """Note a fault at a node."""
        self.found([self.places.fault(node.lineno, code, message, hint)])

    def found(self, faults: Iterable[Fault]) -> None:
        """Note faults that were found elsewhere."""
        self.faults.update(dict.fromkeys(faults))

    def uses(self, file: str) -> None:
        """Note a file that the template is made of."""
        if file not in self.files:
            self.files.append(file)

    def misplaced(self, node: nodes.Node, error: Misplaced, offset: int = 0) -> None:
        """Note literal text or a value at an impossible place."""
        self.found([self.places.fault(start(node), "escape-place", error.message, error.hint, offset)])

    def name(self, node: nodes.Node, read: nodes.Node, scope: Scope) -> None:
        """Note what is read at a node, for messages."""
        self.labels[node.lineno] = label(read, scope.aliases)

    def visit(self, node: nodes.Node) -> None:
        """Count a node. Raises `Misconfigured` for a template that unfolds without end."""
        self.visited += 1
        if self.visited > MAX_NODES:
            fault = self.places.fault(node.lineno, "template-too-large", f"it unfolds to more than {MAX_NODES:,} nodes")
            raise Misconfigured([*self.faults, fault])


def start(node: nodes.Node) -> int:
    """Return the place where an expression begins: Jinja gives some nodes that of a later token."""
    return min([node.lineno, *(child.lineno for child in node.find_all(nodes.Expr))])
