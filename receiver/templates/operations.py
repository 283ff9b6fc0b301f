"""What templates may compute, each bounded before it is applied."""

import operator
from collections.abc import Callable, Iterable
from decimal import Context, Decimal, Inexact, localcontext
from typing import Any

from receiver.formats import budget, values
from receiver.formats.budget import MAX_BITS, MAX_WIDTH
from receiver.formats.errors import ExceededError, RefusedError

PRECISION = 400  # digits of a decimal: the largest float has 309 before its point
EXACT = Context(prec=PRECISION, traps=[Inexact])  # a digit that would be lost is an error


def join(separator: str, pieces: Iterable[object]) -> str:
    """Put the texts of a list together."""
    return budget.concat(_separated(separator, pieces))


def _separated(separator: str, pieces: Iterable[object]) -> Iterable[str]:
    for index, piece in enumerate(budget.each(pieces)):
        if index:
            yield separator
        yield values.text(piece)


def replace(text: str, old: str, new: str, count: int = -1) -> str:
    """Replace, its result counted before it is made."""
    found = text.count(old) if count < 0 else min(count, text.count(old))
    budget.spend(len(text) + found * len(new))
    return text.replace(old, new, count)


def exact(value: Any) -> Any:
    """Return a fraction as the decimal as written, else the value: 0.1 is 0.1."""
    return Decimal(values.number(value)) if isinstance(value, float) else value


def _counted(operator: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    """Apply an operator; to fractions as decimals as written, without losing a digit."""
    if not isinstance(left, Decimal | float) and not isinstance(right, Decimal | float):
        return operator(left, right)
    try:
        with localcontext(EXACT):
            return operator(exact(left), exact(right))
    except Inexact:
        raise ExceededError(f"the number grows to more than {PRECISION} digits") from None


def add(left: Any, right: Any) -> Any:
    """Add numbers, or put two texts or lists together."""
    if isinstance(left, str) and isinstance(right, str):
        budget.spend(len(left) + len(right))
    elif isinstance(left, list | tuple) and isinstance(right, list | tuple):
        budget.items(len(left) + len(right))
    return _whole(_counted(operator.add, left, right))


def subtract(left: Any, right: Any) -> Any:
    """Subtract numbers."""
    return _counted(operator.sub, left, right)


def divide(left: Any, right: Any) -> Any:
    """Divide numbers; decimals to 28 digits, for many quotients have no end."""
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        return exact(left) / exact(right)
    return left / right


def multiply(left: Any, right: Any) -> Any:
    """Multiply numbers, or repeat a text or list."""
    for many, count in ((left, right), (right, left)):
        if isinstance(many, str | list | tuple) and isinstance(count, int):
            bound = budget.spend if isinstance(many, str) else budget.items
            bound(len(many) * max(count, 0))
    _bits(left, right, lambda one, other: one.bit_length() + other.bit_length())
    return _whole(_counted(operator.mul, left, right))


def power(left: Any, right: Any) -> Any:
    """Raise a number to a power."""
    _bits(left, right, lambda one, other: one.bit_length() * abs(other))
    return _whole(left**right)


def modulo(left: Any, right: Any) -> Any:
    """Return a remainder, or a format with its values filled in."""
    return fill(left, right) if isinstance(left, str) else left % right


def fill(pattern: str, arguments: Any) -> str:
    """Fill in a format such as "%05d": widths are bounded, null is empty."""
    for run in "".join(character if character.isdigit() else " " for character in pattern).split():
        if len(run) > len(str(MAX_WIDTH)):
            raise ExceededError(f"the format asks for a width of more than {MAX_WIDTH:,}")
        budget.width(int(run))
    if "*" in pattern:
        raise RefusedError("a format with * in it is not supported", "argument")
    filled = pattern % tuple(map(_blank, arguments)) if isinstance(arguments, tuple) else pattern % _blank(arguments)
    return budget.made(filled)


def concat(parts: list[object]) -> str:
    """Put the texts of some values together, as `~` does."""
    return budget.concat(map(values.text, parts))


def _blank(value: object) -> object:
    return "" if value is None else value


def _bits(left: Any, right: Any, size: Callable[[int, int], int]) -> None:
    if isinstance(left, int) and isinstance(right, int) and size(left, right) > MAX_BITS * 2:
        raise ExceededError("the number grows too large")


def _whole(result: Any) -> Any:
    if isinstance(result, int) and result.bit_length() > MAX_BITS:
        raise ExceededError("the number grows too large")
    return result


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "**": power,
    "%": modulo,
}
