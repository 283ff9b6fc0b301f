"""Records which lines and conditions are rendered, only for test coverage."""

from collections.abc import Callable, Iterator

from jinja2 import nodes, pass_context
from jinja2.runtime import Context

from receiver.templates.source import Place, Places, start

STATEMENTS = (nodes.Output, nodes.If, nodes.For, nodes.Assign, nodes.AssignBlock, nodes.With, nodes.Include)

Line = tuple[str, int]  # a file, relative to the site, and a line of it
Note = Callable[[Context, object], object]  # a filter; one with a context is never worked out in advance


class Trace:
    """The lines and conditions of some templates, and which were rendered.

    For one thread.
    """

    def __init__(self) -> None:
        self.lines: dict[Line, bool] = {}  # whether it was rendered
        self.conditions: dict[Place, set[bool]] = {}  # how it turned out

    def declare(self, tree: nodes.Template, places: Places) -> None:
        """Add all lines and conditions of a file, also those of unused macros."""
        for node in tree.find_all(STATEMENTS):
            for line in _lines(node, places):
                self.lines.setdefault(line, False)
        for test in _tests(tree):
            self.conditions.setdefault(places.place(start(test)), set())

    def forget(self) -> None:
        """Reset: nothing was rendered."""
        self.lines = dict.fromkeys(self.lines, False)
        for seen in self.conditions.values():
            seen.clear()

    def passed(self, node: nodes.Node, places: Places) -> Note:
        """Return a filter that records that a statement is rendered."""
        lines = list(_lines(node, places))

        @pass_context
        def note(_context: Context, value: object) -> object:
            self.lines.update(dict.fromkeys(lines, True))
            return value

        return note

    def asked(self, test: nodes.Node, places: Places) -> Note:
        """Return a filter that records how a condition turns out."""
        place = places.place(start(test))

        @pass_context
        def note(_context: Context, value: object) -> object:
            self.lines[place.file, place.line] = True
            self.conditions[place].add(bool(value))
            return value

        return note


def _tests(tree: nodes.Template) -> Iterator[nodes.Node]:
    yield from (node.test for node in tree.find_all(nodes.If))
    yield from (node.test for node in tree.find_all(nodes.CondExpr))


def _lines(node: nodes.Node, places: Places) -> Iterator[Line]:
    """Yield a statement's lines: of text those not blank, of a tag the first."""
    for piece in node.nodes if isinstance(node, nodes.Output) else [node]:
        place = places.place(start(piece))
        text = piece.data if isinstance(piece, nodes.TemplateData) else "a tag or value"
        yield from ((place.file, place.line + number) for number, line in enumerate(text.split("\n")) if line.strip())
