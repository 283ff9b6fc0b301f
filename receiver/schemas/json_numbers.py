"""Numbers of JSON as they were written: `1.10`, `12345678901234567.89`, `1E5`, `-0`.

A float has 53 bits, and prints the shortest digits that lead back to it. That is another text than what was sent, and
may be another number. So where the two differ, the float keeps its literal: it counts and compares as any float does,
prints as it was written, and exact numbers come from the literal.
"""

from decimal import Decimal
from typing import Any


class Written(float):
    """A float that prints as it was written."""

    literal: str
    __slots__ = ("literal",)

    def __new__(cls, literal: str) -> "Written":
        """Read a literal. Raises `ValueError`."""
        number = super().__new__(cls, literal)
        number.literal = literal
        return number

    def __repr__(self) -> str:
        return self.literal

    def __getnewargs__(self) -> tuple[str]:  # type: ignore[override]  # for copies
        return (self.literal,)


Written.__name__ = "float"  # JMESPath knows a number by the name of its type


def nearest(exact: Decimal) -> float:
    """Return a float that prints as the decimal where no float is equal to it; else the plain one."""
    plain = float(exact)
    return plain if Decimal(repr(plain)) == exact else Written(format(exact, "f"))


def exact(value: Any) -> Any:
    """Return a document whose numbers are Decimals where they are not plain floats: what jsonschema-rs takes."""
    return _converted(value) if _has_written(value) else value


def _has_written(value: Any) -> bool:
    """Return whether a number of a document prints as it was written."""
    if type(value) not in CONVERTED:
        return False
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if type(each) is Written:
            return True
        for inner in each.values() if type(each) is dict else each:
            if type(inner) in CONVERTED:
                waiting.append(inner)  # noqa: PERF401 (the loop over what is short costs less than a generator)
    return False


def _converted(value: Any) -> Any:
    kind = type(value)
    if kind is dict:
        return {name: _converted(each) if type(each) in CONVERTED else each for name, each in value.items()}
    if kind is list:
        return [_converted(each) if type(each) in CONVERTED else each for each in value]
    return Decimal(value.literal) if kind is Written else value


CONVERTED = frozenset({dict, list, Written})
