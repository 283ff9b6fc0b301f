"""Texts, identifiers and embedded documents as records need them."""

import json
import re
from binascii import b2a_base64
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

from receiver.core import units
from receiver.formats import budget, values
from receiver.formats.budget import MAX_DOCUMENT
from receiver.formats.errors import RefusedError
from receiver.templates.filters.objection import NONE, Objection
from receiver.templates.names import DocumentView

DIGITS = frozenset("0123456789")
EXTENSION = re.compile(r"\s*(?:ext(?:ension|n)?\.?|x|#)\s*(?P<digits>[0-9]{1,6})\s*", re.IGNORECASE)
TELEPHONE = re.compile(r"[0-9 ().+/-]*")
MAX_PHONE = 100  # characters: the longest way to write one, with its extension in words, has half of that
SIGNS = ("+", "-", "−", "(")  # brackets make a number of bookkeepers negative
SIGNED = re.compile(r"[+-](?:[0-9]+(?:[.,][0-9]*)*|[.,][0-9]+)")
COUNTRY = "1"  # the country code of North America


def digits(value: object) -> str:
    """Return the digits 0–9 of a value: "(555) 013-4217" becomes 5550134217."""
    return "".join(filter(DIGITS.__contains__, values.text(value)))


def phone(value: object, shape: str = "999-999-9999", extension: str = "") -> str:
    """Write a telephone number in a shape where each 9 is a digit; "" stays empty.

    A leading country code 1 that the shape has no room for is left away. `extension` is what stands before an
    extension; without it a number that has one is refused.
    Raises `RefusedError` for what is no such number: another count of digits, or text.
    """
    plain = values.text(value).strip()
    if not plain:
        return ""
    number, extra = _extended(plain[:MAX_PHONE])
    found = digits(number)
    room = shape.count("9")
    if len(found) == room + 1 and found.startswith(COUNTRY):
        found = found[1:]
    if len(found) != room or len(plain) > MAX_PHONE or not TELEPHONE.fullmatch(number):
        raise RefusedError(f"is not a telephone number of {room} digits", "phone")
    if extra and not extension:
        raise RefusedError('has an extension (write it with `phone(…, extension=" x")`)', "phone")
    left = iter(found)
    written = "".join(next(left) if character == "9" else character for character in shape)
    return f"{written}{extension}{extra}" if extra else written


def _extended(plain: str) -> tuple[str, str]:
    """Return the number itself, and the digits of its extension or ""."""
    for found in EXTENSION.finditer(plain):
        if found.end() == len(plain):
            return plain[: found.start()], found["digits"]
    return plain, ""


def check_phone(arguments: Mapping[str, Any]) -> Objection:
    """Return what is wrong with constant arguments of `phone`."""
    shape = arguments.get("shape", "9")
    if not isinstance(shape, str) or "9" in shape:
        return NONE
    return Objection("the shape has no 9, which stands for a digit", 'write "999-999-9999"')


def without(value: object, characters: str) -> str:
    """Return a text without some characters, for targets that cannot escape them.

    Raises `RefusedError` for one that has.
    """
    plain = values.text(value)
    if any(character in characters for character in plain):
        raise RefusedError(f"has one of these, which the target cannot hold: {' '.join(characters)}", "without")
    return plain


def fixed(value: object, width: int, align: str = "left", fill: str = " ", encoding: str = "utf-8") -> str:
    """Return a column of so many bytes, "left" or "right"; zeros follow a sign.

    The compiler gives the record's own encoding. Raises `RefusedError` for a value that does not fit: a cut one would
    be another value.
    """
    budget.width(width)
    if wrong := check_fixed({"align": align, "fill": fill}):
        raise RefusedError(f"cannot be filled up: {wrong.message}", "argument")
    plain = values.text(value)
    missing, step = width - _size(plain, encoding), _size(fill, encoding)
    if missing < 0:
        raise RefusedError(f"does not fit into {width} bytes", "fixed")
    if missing % step:
        raise RefusedError(f"cannot be filled up with characters of {step} bytes", "argument")
    filling = fill * (missing // step)
    if align == "left":
        return plain + filling
    sign = _sign(plain) if fill == "0" else ""
    return sign + filling + plain[len(sign) :]


def check_fixed(arguments: Mapping[str, Any]) -> Objection:
    """Return what is wrong with constant arguments of `fixed`."""
    align, fill = arguments.get("align", "left"), arguments.get("fill", " ")
    if isinstance(align, str) and align not in ("left", "right"):
        return Objection('a column is aligned "left" or "right"')  # without what was given: it may be a field's
    if isinstance(fill, str) and len(fill) != 1:
        return Objection("a column is filled up with one character")
    if align == "left" and isinstance(fill, str) and fill in DIGITS:
        return Objection("digits behind a number make another one of it", 'align it "right"')
    return NONE


def _sign(plain: str) -> str:
    """Return the sign of a number, which zeros stand behind; "" if there is none."""
    if not plain.startswith(SIGNS):
        return ""
    if not SIGNED.fullmatch(plain):
        raise RefusedError(
            "begins with a sign and is no number that zeros could fill up (read it with `number`)", "fixed"
        )
    return plain[0]


def _size(text: str, encoding: str) -> int:
    """Return a text's bytes, without the mark with which some encodings begin."""
    try:
        return len(text.encode(encoding)) - len("".encode(encoding))
    except (UnicodeEncodeError, LookupError):
        raise RefusedError(f"cannot be expressed in {encoding}", "fixed") from None


def split(value: object, separators: str = ",") -> list[str]:
    """Split a text at any separator; pieces are trimmed, empty ones left out."""
    plain = budget.slow(values.text(value))
    pieces = re.split("[" + re.escape(separators) + "]", plain) if separators else plain.split()
    budget.items(len(pieces))
    return [piece for each in pieces if (piece := each.strip())]


NAMESPACE = UUID("7f0f2a8e-3b0c-5c61-9a52-0d6f1a7b6c1d")  # of this product alone; another one would change every id


def uuid(value: object, name: str = "") -> str:
    """Return a UUID of a value and a name: `delivery.id | uuid("patient")`.

    Version 5, RFC 9562 §5.5.
    """
    return str(uuid5(NAMESPACE, json.dumps([values.text(value), name])))


def base64(value: object, limit: str | int = MAX_DOCUMENT) -> str:
    """Return a document's bytes in base64 (RFC 4648 §4), in one line.

    `limit` is "10 MB", or bytes, and at most MAX_DOCUMENT. Raises `RefusedError` for a document that is larger.
    """
    if not isinstance(value, DocumentView):
        raise RefusedError("is not a document: write {{ document | base64 }}", "base64")
    allowed = min(_bytes(limit), MAX_DOCUMENT)
    if value.part.path.stat().st_size > allowed:
        told = units.size_text(allowed)
        raise RefusedError(f"has more than {told}, too many to embed; point to its path", "limit")
    return budget.made(b2a_base64(value.part.path.read_bytes(), newline=False).decode("ascii"))


def check_base64(arguments: Mapping[str, Any]) -> Objection:
    """Return what is wrong with constant arguments of `base64`."""
    try:
        too_large = _bytes(arguments.get("limit", MAX_DOCUMENT)) > MAX_DOCUMENT
    except (ValueError, TypeError, AttributeError):
        return Objection("the limit is no size", 'write it such as "10 MB"')
    most = units.size_text(MAX_DOCUMENT)
    return Objection(f"no more than {most} are embedded", f'write at most "{most}"') if too_large else NONE


def _bytes(limit: str | int) -> int:
    return limit if isinstance(limit, int) else units.size(limit)
