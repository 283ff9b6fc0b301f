"""Texts as records need them."""

from receiver.mapping import budget, values
from receiver.mapping.errors import Refused

DIGITS = frozenset("0123456789")


def digits(value: object) -> str:
    """Return the digits 0–9 of a value: "(555) 013-4217" becomes 5550134217."""
    return "".join(filter(DIGITS.__contains__, values.text(value)))


def fixed(value: object, width: int, align: str = "left", fill: str = " ", encoding: str = "utf-8") -> str:
    """Return a value as a column of a fixed width in bytes, aligned "left" or "right".

    Raises `Refused` for a value that does not fit: a cut one would be another value.
    """
    budget.width(width)
    if align not in ("left", "right"):
        raise Refused('is aligned "left" or "right"', "fixed")
    plain = values.text(value)
    missing = width - len(_encoded(plain, encoding))
    if missing < 0:
        raise Refused(f"does not fit into {width} bytes", "fixed")
    if len(_encoded(fill, encoding)) != 1:
        raise Refused("is filled up with one character of one byte", "fixed")
    return plain + fill * missing if align == "left" else fill * missing + plain


def _encoded(text: str, encoding: str) -> bytes:
    try:
        return text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        raise Refused(f"cannot be expressed in {encoding}", "fixed") from None
