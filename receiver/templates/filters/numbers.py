"""Numbers and amounts as decimals: no digit is rounded away or made up."""

import re
from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal, localcontext
from typing import Any

from jinja2 import Environment, Undefined, pass_environment
from jinja2.filters import make_attrgetter

from receiver.formats import budget, values
from receiver.formats.budget import MAX_DIGITS
from receiver.formats.errors import RefusedError
from receiver.schemas.json_text import nearest
from receiver.templates import operations
from receiver.templates.filters.objection import NONE, Objection
from receiver.templates.operations import PRECISION

MAX_NUMBER = 60  # characters: twice the digits of the largest amounts, with separators
CURRENCY = r"(?:[$€£¥]|[A-Z]{3})?"
RULES = {"common": ROUND_HALF_UP, "ceil": ROUND_CEILING, "floor": ROUND_FLOOR}


def number(value: object, decimals: int | None = None, point: str = ".", group: str = ",") -> Decimal:
    """Read a number or amount, "$1,234.50" or "(12.00)", as a decimal.

    It has just so many `decimals`.

    Raises `RefusedError` for anything else, and for more decimals than asked for: rounding is `round`'s affair.
    """
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return _with_decimals(Decimal(values.number(value)), decimals)
    exact = _read(values.text(value), point, group)
    if exact is None:
        raise RefusedError(
            f"is not a number written as 1{group}234{point}50",
            "number",
            lambda text: _read(text, point, group) is None,
        )
    return _with_decimals(exact, decimals)


def _read(text: str, point: str, group: str) -> Decimal | None:
    plain = text.strip()
    found = _pattern(point, group).fullmatch(plain) if len(plain) <= MAX_NUMBER else None
    if found is None or bool(found["open"]) != bool(found["close"]):
        return None
    exact = Decimal(found["whole"].replace(group, "") + "." + (found["part"] or ""))
    return exact.copy_negate() if (found["minus"] or found["open"]) and exact else exact


def _pattern(point: str, group: str) -> re.Pattern[str]:
    point, group = re.escape(point), re.escape(group)
    digits = rf"[0-9]{{1,3}}(?:{group}[0-9]{{3}})+|[0-9]+"
    return re.compile(
        rf"(?P<open>\()? ?{CURRENCY} ?(?P<minus>[-−])?\+? ?{CURRENCY} ?(?P<whole>{digits})(?:{point}(?P<part>[0-9]+))?"
        rf" ?{CURRENCY}(?P<close>\))?"
    )


def _with_decimals(exact: Decimal, decimals: int | None) -> Decimal:
    if decimals is None:
        return exact
    if not 0 <= decimals <= MAX_DIGITS:
        raise RefusedError(f"cannot have more than {MAX_DIGITS} decimals", "argument")
    with localcontext(prec=PRECISION):
        shown = round(exact, decimals)
    if shown != exact:
        raise RefusedError(f"has more than {decimals} decimals (round it with `round`)", "number")
    return shown


def rounded(value: float | Decimal, precision: int = 0, method: str = "common") -> float | Decimal:
    """Round halves away from zero: 2.675 | round(2) is 2.68; `method`: ceil, floor."""
    if abs(precision) > MAX_DIGITS:
        raise RefusedError(f"cannot be rounded to more than {MAX_DIGITS} digits", "round")
    if method not in RULES:
        raise RefusedError("is rounded by common, ceil or floor", "round")
    if not isinstance(value, int | float | Decimal):
        raise RefusedError("is not a number (read it with `number`)", "round")
    with localcontext(prec=PRECISION, rounding=RULES[method]):
        result = round(Decimal(values.number(value)), precision)
    return result if isinstance(value, Decimal) else nearest(result)


@pass_environment
def sum_of(
    environment: Environment, value: Iterable[Any], name: str = "", point: str = ".", group: str = ","
) -> Decimal:
    """Add numbers exactly: a column of a table's rows, or a plain list.

    Raises `RefusedError` with the number of the row that has none.
    """
    of_row = make_attrgetter(environment, name) if name else None
    total = Decimal(0)
    for row, each in enumerate(budget.each(value), 1):
        cell = of_row(each) if of_row else each
        if isinstance(cell, Undefined):
            raise RefusedError(f"has no {name} in row {row}", "sum_of")
        try:
            total = operations.add(total, number(cell, None, point, group))
        except RefusedError as refused:
            raise RefusedError(f"cannot be added up: row {row} {refused.reason}", refused.rule) from None
    return total


def check(arguments: Mapping[str, Any]) -> Objection:
    """Return what is wrong with constant arguments of `number` and `sum_of`."""
    point, group = arguments.get("point", "."), arguments.get("group", ",")
    if isinstance(point, str) and isinstance(group, str) and (point == group or len(point) != 1 or len(group) > 1):
        return Objection("point and group are two different characters; group may be empty")
    decimals = arguments.get("decimals")
    if isinstance(decimals, int) and not 0 <= decimals <= MAX_DIGITS:
        return Objection(f"a number has from 0 to {MAX_DIGITS} decimals")
    return NONE
