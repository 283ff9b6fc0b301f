"""The operators that can blow up, each bounded before it is applied."""

from collections.abc import Callable
from typing import Any

from receiver.formats import budget, values
from receiver.formats.errors import Exceeded, Refused
from receiver.formats.limits import MAX_BITS, MAX_WIDTH


def add(left: Any, right: Any) -> Any:
    """Add numbers, or put two texts or lists together."""
    if isinstance(left, str) and isinstance(right, str):
        budget.spend(len(left) + len(right))
    elif isinstance(left, list | tuple) and isinstance(right, list | tuple):
        budget.items(len(left) + len(right))
    return _whole(left + right)


def multiply(left: Any, right: Any) -> Any:
    """Multiply numbers, or repeat a text or list."""
    for many, count in ((left, right), (right, left)):
        if isinstance(many, str | list | tuple) and isinstance(count, int):
            bound = budget.spend if isinstance(many, str) else budget.items
            bound(len(many) * max(count, 0))
    _bits(left, right, lambda one, other: one.bit_length() + other.bit_length())
    return _whole(left * right)


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
            raise Exceeded(f"the format asks for a width of more than {MAX_WIDTH:,}")
        budget.width(int(run))
    if "*" in pattern:
        raise Refused("a format with * in it is not supported", "argument")
    filled = pattern % tuple(map(_blank, arguments)) if isinstance(arguments, tuple) else pattern % _blank(arguments)
    return budget.made(filled)


def concat(parts: list[object]) -> str:
    """Put the texts of some values together, as `~` does."""
    return budget.concat(map(values.text, parts))


def _blank(value: object) -> object:
    return "" if value is None else value


def _bits(left: Any, right: Any, size: Callable[[int, int], int]) -> None:
    if isinstance(left, int) and isinstance(right, int) and size(left, right) > MAX_BITS * 2:
        raise Exceeded("the number grows too large")


def _whole(result: Any) -> Any:
    if isinstance(result, int) and result.bit_length() > MAX_BITS:
        raise Exceeded("the number grows too large")
    return result


BOUNDED: dict[str, Callable[[Any, Any], Any]] = {"+": add, "*": multiply, "**": power, "%": modulo}
