"""Fails a property whose assertions most of its examples never reach: it says little, and looks like a proof.

An example counts if it comes to an `assert` or a `pytest.raises` of the test's own file; those that hypothesis discards
do not count. A property that holds neither is not judged: that nothing is raised may be all that it says.
"""

import ast
import sys
from functools import cache, wraps
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

LEAST = 0.5  # of the examples
LOOKED_AT = 200  # examples: twice as many as usual; a long run needs not be slowed down by looking at all


class Reached:
    """Counts the examples of one property, and those that reach an assertion."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.file = inner, inner.__code__.co_filename
        self.asserts = asserts(self.file)
        self.examples = self.reached = 0
        self.asserted = False
        self.warm = False  # the first example imports and compiles: looking on, too, could break its deadline

    def counted(self) -> Any:
        """Return the property, counting."""

        @wraps(self.inner)
        def example(*args: Any, **kwargs: Any) -> None:
            if not self.warm or self.examples == LOOKED_AT or sys.gettrace():  # by a debugger, or for coverage
                self.warm = True
                return self.inner(*args, **kwargs)
            self.asserted = False
            sys.settrace(self._called)
            try:
                self.inner(*args, **kwargs)
            finally:
                sys.settrace(None)
            self.examples += 1
            self.reached += self.asserted
            return None

        return example

    def _called(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        """Follow the lines of the test's own file only."""
        return self._line if frame.f_code.co_filename == self.file else None

    def _line(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        self.asserted = self.asserted or frame.f_lineno in self.asserts
        return None if self.asserted else self._line

    def judge(self) -> None:
        if self.reached < LEAST * self.examples:
            told = f"only {self.reached} of {self.examples} examples reach an assertion"
            pytest.fail(f"{told}: let the strategy make what it needs", pytrace=False)


@cache
def asserts(file: str) -> set[int]:
    """Return the lines of a file on which something is asserted."""
    nodes = [node for node in ast.walk(ast.parse(Path(file).read_bytes())) if _is_assertion(node)]
    return {line for node in nodes for line in range(node.lineno, _end(node) + 1)}


def _is_assertion(node: ast.AST) -> bool:
    return isinstance(node, ast.Assert) or (
        isinstance(node, ast.With) and "pytest.raises" in ast.unparse(node.items[0])
    )


def _end(node: Any) -> int:
    return node.body[0].lineno - 1 if isinstance(node, ast.With) else node.end_lineno


def _asserts_itself(inner: Any) -> bool:
    lines = {line for _, _, line in inner.__code__.co_lines() if line}
    return bool(lines & asserts(inner.__code__.co_filename))


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function):
    handle = getattr(pyfuncitem.obj, "hypothesis", None)
    if handle is None or not _asserts_itself(handle.inner_test):
        return (yield)
    reached = Reached(handle.inner_test)
    handle.inner_test = reached.counted()
    try:
        result = yield
    finally:
        handle.inner_test = reached.inner
    reached.judge()
    return result
