"""Every way in which a module can be made wrong, of the kinds that have cost somebody a delivery.

Not changed are annotations, decorators, messages (f-strings) and the numbers that a module names at its top.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OPERATORS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "is": "is not", "in": "not in"}
NEGATED = {"is not": "is", "not in": "in"}
ARITHMETIC = {"+": "-", "-": "+", "*": "//", "//": "*", "/": "*", "|": "&", "&": "|"}
NAMES = {
    "any": "all",
    "all": "any",
    "min": "max",
    "max": "min",
    "fullmatch": "match",
    "match": "search",
    "startswith": "endswith",
    "endswith": "startswith",
    "partition": "rpartition",
    "rpartition": "partition",
    "rsplit": "split",
    "lstrip": "strip",
    "rstrip": "strip",
}
DROPPED = {"strip", "lower", "upper", "casefold", "resolve", "lstrip", "rstrip"}  # methods that give much the same


@dataclass(frozen=True, slots=True)
class Change:
    """One place of a module, and what stands there instead."""

    module: Path  # below the root of the project
    line: int
    kind: str
    code: str  # the line, without its indentation
    start: int  # in the bytes of the module
    end: int
    old: str
    new: str

    @property
    def words(self) -> str:
        """Return what is changed, in one line."""
        return f"{' '.join(self.old.split())} → {' '.join(self.new.split()) or '(nothing)'}"

    def applied(self, source: bytes) -> bytes:
        """Return the module as it is with the change. Raises ValueError for one that somebody has edited since."""
        if source[self.start : self.end] != self.old.encode():
            raise ValueError(f"{self.module} is not as it was when its changes were looked for")
        return source[: self.start] + self.new.encode() + source[self.end :]


def changes(root: Path, module: Path) -> list[Change]:
    """Return every change of a module that leaves Python."""
    source = (root / module).read_bytes()
    found = dict.fromkeys(Finder(module, source).changes())
    return [change for change in found if _is_python(change.applied(source))]


def _is_python(source: bytes) -> bool:
    try:
        compile(source, "changed", "exec")
    except (SyntaxError, ValueError):
        return False
    return True


class Finder:
    """Walks one module."""

    def __init__(self, module: Path, source: bytes) -> None:
        self.module, self.source = module, source
        self.lines = source.split(b"\n")
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line) + 1)

    def changes(self) -> Iterator[Change]:
        tree = ast.parse(self.source)
        for node in self._nodes(tree):
            kinds = getattr(self, f"_{type(node).__name__.lower()}", None)
            for place, kind, new in kinds(node) if kinds else ():
                yield self._change(node, place, kind, new)

    def _nodes(self, node: ast.AST) -> Iterator[ast.AST]:
        for field, value in ast.iter_fields(node):
            if field in ("annotation", "returns", "decorator_list", "type_params"):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST) and not isinstance(child, ast.JoinedStr) and not _is_setting(node, child):
                    yield child
                    yield from self._nodes(child)

    def _change(self, node: ast.AST, place: tuple[int, int], kind: str, new: str) -> Change:
        start, end = place
        begin = end - len(self.source[start:end].lstrip(b", \t\n"))  # a keyword goes with the comma before it
        line = self.source.count(b"\n", 0, begin) + 1
        code = self.lines[line - 1].decode().strip()
        return Change(self.module, line, kind, code, start, end, self.source[start:end].decode(), new)

    # What stands where

    def _place(self, node: ast.AST) -> tuple[int, int]:
        start = self.starts[node.lineno - 1] + node.col_offset
        return start, self.starts[node.end_lineno - 1] + node.end_col_offset

    def _text(self, node: ast.AST) -> str:
        start, end = self._place(node)
        return self.source[start:end].decode()

    def _between(self, left: ast.AST, right: ast.AST, word: str) -> tuple[int, int] | None:
        """Return the place of an operator."""
        start, end = self._place(left)[1], self._place(right)[0]
        sign = r"\s+".join(re.escape(each) for each in word.split())
        found = re.search((rf"\b{sign}\b" if word[0].isalpha() else sign).encode(), self.source[start:end])
        return (start + found.start(), start + found.end()) if found else None

    # The kinds

    def _compare(self, node: ast.Compare):
        words = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=", ast.Is: "is"}
        words |= {ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in"}
        left = node.left
        for operator, right in zip(node.ops, node.comparators, strict=True):
            word = words[type(operator)]
            if place := self._between(left, right, word):
                yield place, "comparison", (OPERATORS | NEGATED)[word]
            left = right
        for each in (node.left, *node.comparators):
            if isinstance(each, ast.Constant) and isinstance(each.value, str):
                yield self._place(each), "constant", repr(each.value[:-1] if len(each.value) > 1 else each.value + "~")

    def _boolop(self, node: ast.BoolOp):
        texts = [f"({self._text(each)})" for each in node.values]
        other = " or " if isinstance(node.op, ast.And) else " and "
        yield self._place(node), "and/or", f"({other.join(texts)})"
        for dropped in range(len(texts)):
            rest = texts[:dropped] + texts[dropped + 1 :]
            yield self._place(node), "operand", f"({(' and ' if other == ' or ' else ' or ').join(rest)})"

    def _unaryop(self, node: ast.UnaryOp):
        if isinstance(node.op, ast.Not):
            yield self._place(node), "not", f"({self._text(node.operand)})"
        elif isinstance(node.op, ast.USub):
            yield self._place(node), "sign", f"({self._text(node.operand)})"

    def _binop(self, node: ast.BinOp):
        words = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.FloorDiv: "//", ast.Div: "/"}
        words |= {ast.BitOr: "|", ast.BitAnd: "&"}
        word = words.get(type(node.op), "")
        text = any(isinstance(each, ast.JoinedStr) for each in (node.left, node.right))
        if word and not text and (place := self._between(node.left, node.right, word)):
            yield place, "arithmetic", ARITHMETIC[word]

    def _if(self, node: ast.If):
        if not _is_for_types(node):
            yield self._place(node.test), "never", "False"
            yield self._place(node.test), "always", "True"

    def _ifexp(self, node: ast.IfExp):
        yield self._place(node), "always", f"({self._text(node.body)})"
        yield self._place(node), "never", f"({self._text(node.orelse)})"

    def _comprehension(self, node: ast.comprehension):
        for each in node.ifs:
            yield self._place(each), "filter", "True"

    def _expr(self, node: ast.Expr):
        if isinstance(node.value, ast.Call):
            yield self._place(node), "call", "pass"

    def _raise(self, node: ast.Raise):
        yield self._place(node), "raise", "pass"

    def _delete(self, node: ast.Delete):
        yield self._place(node), "delete", "pass"

    def _augassign(self, node: ast.AugAssign):
        yield self._place(node), "assignment", "pass"

    def _assign(self, node: ast.Assign):
        if not isinstance(node.targets[0], ast.Name | ast.Tuple):
            yield self._place(node), "assignment", "pass"

    def _return(self, node: ast.Return):
        if node.value is not None and not isinstance(node.value, ast.Constant):
            yield self._place(node), "return", "return None"

    def _break(self, node: ast.Break):
        yield self._place(node), "loop", "pass"

    def _continue(self, node: ast.Continue):
        yield self._place(node), "loop", "pass"

    def _withitem(self, node: ast.withitem):
        if node.optional_vars is None:
            yield self._place(node.context_expr), "with", '__import__("contextlib").nullcontext()'

    def _excepthandler(self, node: ast.ExceptHandler):
        if not all(isinstance(each, ast.Pass) for each in node.body):
            yield (self._place(node.body[0])[0], self._place(node.body[-1])[1]), "except", "pass"
        if isinstance(node.type, ast.Tuple):
            for dropped in node.type.elts:
                rest = [self._text(each) for each in node.type.elts if each is not dropped]
                yield self._place(node.type), "except", f"({', '.join(rest)},)"

    def _slice(self, node: ast.Slice):
        for each in (node.lower, node.upper):
            if each is not None:
                yield self._place(each), "slice", ""

    def _subscript(self, node: ast.Subscript):
        index = node.slice
        if isinstance(index, ast.Constant) and index.value == 0 and isinstance(index.value, int):
            yield self._place(index), "index", "-1"
        elif isinstance(index, ast.UnaryOp) and isinstance(index.op, ast.USub):
            yield self._place(index), "index", "0"

    def _constant(self, node: ast.Constant):
        if isinstance(node.value, bool):
            yield self._place(node), "constant", str(not node.value)
        elif isinstance(node.value, int):
            yield self._place(node), "constant", str(node.value + 1)

    def _call(self, node: ast.Call):
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        end = self._place(function)[1]
        if name in NAMES and not (name in ("min", "max") and len(node.args) == 1 and node.keywords):
            yield (end - len(name), end), "name", NAMES[name]
        if name == "sorted" and not node.keywords:
            yield (end - len(name), end), "name", "list"
        if name in DROPPED and isinstance(function, ast.Attribute):
            yield (self._place(function.value)[1], self._place(node)[1]), "method", ""
        given = sorted([*node.args, *node.keywords], key=self._place)
        for keyword in node.keywords:
            if keyword.arg:
                before = given[given.index(keyword) - 1] if given[0] is not keyword else None
                start, end = self._place(keyword)
                rest = re.match(rb"\s*,\s*", self.source[end:])
                yield (
                    (self._place(before)[1], end) if before else (start, end + (rest.end() if rest else 0)),
                    "keyword",
                    "",
                )


def _is_setting(parent: ast.AST, child: ast.AST) -> bool:
    """Tell whether it is `NAME = …` at the top of a module, or what only type checkers read."""
    if isinstance(parent, ast.Module) and isinstance(child, ast.Assign | ast.AnnAssign):
        return isinstance(child.value, ast.Constant | ast.BinOp | ast.Tuple | ast.List | ast.Dict | ast.Set | None)
    return isinstance(parent, ast.If) and _is_for_types(parent)


def _is_for_types(node: ast.If) -> bool:
    return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
