"""JSON by RFC 8259, with the stricter I-JSON (RFC 7493) where readers differ.

Python's json does the work. What it would let pass (duplicate names, NaN, numbers that become infinite, halves
of surrogate pairs) its hooks and a few counts notice; only then does `_judge` walk the text to find the place.

A number may be written as `1.10`, `12345678901234567.89`, `1E5` or `-0`. A float has 53 bits, and prints the shortest
digits that lead back to it. That is another text than what was sent, and may be another number. So where the two
differ, the float keeps its literal (`Written`): it counts and compares as any float does, prints as it was written, and
exact numbers come from the literal.
"""

import json
import marshal
import re
from contextlib import suppress
from decimal import Decimal
from math import isinf
from typing import Any

from receiver.schemas import encodings
from receiver.schemas.encodings import MalformedError, at

MAX_DEPTH = 64  # levels of nesting: NEXTSTEP's metadata has three; far from Python's recursion limit of 1,000
MAX_DIGITS = 300  # digits of one number: a float ends at 309, and Python takes quadratic time over long integers
MAX_EXPONENT = 3  # digits of a number's exponent: a float has no more, and each unit is a zero where it is written out
MAX_VALUES = 60_000  # values in one document: 500 table rows of ten verbose cells; explaining a refused one takes 10 µs

_TOKEN = re.compile(r'("(?:[^"\\]|\\.)*+"?)(\s*:)?|([{\[])|([}\]])|(,)|([^\s{}\[\]:,"]+)', re.DOTALL)
_IN_ASCII = re.compile(rb"[{\[][\t\n\r -~]")  # a beginning that no other encoding than UTF-8 has, nor what is packed
_NESTING = frozenset({dict, list})
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")

_WHAT = {  # the beginning of a message of Python's json → ours, which quotes nothing
    "Expecting value": "a value is expected here",
    "Expecting property name": "a name in double quotes is expected here",
    "Expecting ':'": "a colon is expected here",
    "Expecting ','": "a comma or the end of the object or array is expected here",
    "Illegal trailing comma": "a comma must not stand before the end of an object or array",
    "Extra data": "more follows after the end of the document",
    "Unterminated string": "the string that starts here has no end",
    "Invalid control character": "a control character in a string must be escaped",
    "Invalid \\": "this escape is not one of JSON's",
}


class _UnsafeError(Exception):
    pass


def loads(content: bytes, charset: str = "") -> Any:
    """Return the value of some JSON.

    In UTF-8, unless a byte order mark or the charset says otherwise. Raises `MalformedError`.
    """
    if not charset and _IN_ASCII.match(content):
        with suppress(UnicodeDecodeError):  # reported below, with its place
            return parse(content.decode())
    return parse(encodings.decoded(content, charset))


def utf8(content: bytes, charset: str = "") -> bytes:
    """Return the same document in UTF-8, each character at its place.

    Raises `MalformedError`.
    """
    return encodings.decoded(content, charset).encode()


def parse(text: str) -> Any:
    """Return the value that a text spells. Raises `MalformedError`."""
    if not text or text.isspace():
        raise MalformedError("it is empty")
    if text.count(",") >= MAX_VALUES:  # commas in strings count here, not below
        _judge(text)  # ends at the limit, where decoding would take ten times as long
    value, fault = _decoded(text)
    if fault is not None:
        raise fault
    most = text.count("[") + text.count("{")
    if (most > MAX_DEPTH and _is_deep(value, most)) or _ESCAPED_SURROGATE.search(text):
        _judge(text)
    return value


def _decoded(text: str) -> tuple[Any, MalformedError | None]:
    """Return the value or the fault: an exception raised here would hold the text."""
    try:
        return _DECODER.decode(text), None
    except json.JSONDecodeError as error:
        what = next((ours for theirs, ours in _WHAT.items() if error.msg.startswith(theirs)), "it is not JSON")
        return None, at(text, error.pos, what)
    except (_UnsafeError, RecursionError):
        pass
    try:
        _judge(text)
    except MalformedError as fault:
        return None, fault
    return None, MalformedError("it is not JSON that can be read")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _UnsafeError
    return members


def _integer(digits: str) -> int | float:
    if len(digits) > MAX_DIGITS:
        raise _UnsafeError
    return Written(digits) if digits == "-0" else int(digits)


def _float(digits: str) -> float:
    number = float(digits)
    if repr(number) == digits:  # as nearly always: then it is within all limits
        return number
    if len(digits) > MAX_DIGITS or isinf(number) or _is_beyond(digits):
        raise _UnsafeError
    return Written(digits)


def _is_beyond(digits: str) -> bool:
    """Return whether a number has an exponent that writes it with thousands of zeros."""
    exponent = digits.lower().partition("e")[2]
    return len(exponent.lstrip("+-0")) > MAX_EXPONENT


def _constant(_name: str) -> float:
    raise _UnsafeError


_DECODER = json.JSONDecoder(
    object_pairs_hook=_members, parse_int=_integer, parse_float=_float, parse_constant=_constant
)


def _is_deep(value: Any, most: int) -> bool:
    """Say whether a value of at most so many objects and arrays is nested deeper than MAX_DEPTH levels."""
    level = [value]
    for depth in range(1, MAX_DEPTH + 1):
        most -= len(level)
        if depth + most <= MAX_DEPTH:  # also if each of those that are left lies in another one
            return False
        level = [
            inner
            for each in level
            for inner in (each.values() if type(each) is dict else each)
            if type(inner) in _NESTING
        ]
        if not level:
            return False
    return True


def _judge(text: str) -> None:
    """Walk a text's tokens up to the first fault, and raise that."""
    names: list[set[str]] = []  # of each object or array that is open
    commas = 0
    for token in _TOKEN.finditer(text):
        string, colon, opening, closing, comma, literal = token.groups()
        what = ""
        if string:
            what = _string_fault(string, names[-1] if colon and names else None)
        elif opening:
            names.append(set())
            what = f"it is nested deeper than {MAX_DEPTH} levels" if len(names) > MAX_DEPTH else ""
        elif closing and names:
            names.pop()
        elif comma:
            commas += 1
            what = f"it has more than {MAX_VALUES:,} values" if commas >= MAX_VALUES else ""
        elif literal:
            what = _literal_fault(literal)
        if what:
            raise at(text, token.start(), what)


def _string_fault(string: str, siblings: set[str] | None) -> str:
    try:
        value = json.loads(string)
    except json.JSONDecodeError:
        return ""  # decoding reports it
    if _SURROGATE.search(value):
        return "half of a surrogate pair is not a character (RFC 7493 §2.1)"
    if siblings is not None:
        if value in siblings:
            return "a name comes twice in one object (RFC 7493 §2.3)"
        siblings.add(value)
    return ""


def _literal_fault(literal: str) -> str:
    if literal.removeprefix("-").startswith(("NaN", "Infinity")):
        return "NaN and Infinity are not JSON (RFC 8259 §6)"
    if len(literal) > MAX_DIGITS:
        return f"a number has more than {MAX_DIGITS} digits"
    with suppress(ValueError):  # no number: decoding reports it
        number = float(literal)
        if _is_beyond(literal):
            return f"a number's exponent has more than {MAX_EXPONENT} digits"
        return "a number is too large (RFC 7493 §2.2)" if isinf(number) else ""
    return ""


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
    """Return a float that prints as the decimal, if no float is equal to it."""
    plain = float(exact)
    return plain if Decimal(repr(plain)) == exact else Written(format(exact, "f"))


def exact(value: Any) -> Any:
    """Return a document with Decimals for numbers that are not plain floats.

    jsonschema-rs accepts those.
    """
    try:
        marshal.dumps(value)  # takes a float, and nothing that is derived from it
    except ValueError:
        return _converted(value)
    return value


def _converted(value: Any) -> Any:
    kind = type(value)
    if kind is dict:
        return {name: _converted(each) for name, each in value.items()}
    if kind is list:
        return [_converted(each) for each in value]
    return Decimal(value.literal) if kind is Written else value
