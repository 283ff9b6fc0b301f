"""Documents within records."""

from binascii import b2a_base64
from collections.abc import Mapping
from typing import Any

from receiver.core import units
from receiver.formats import budget
from receiver.formats.errors import Refused
from receiver.formats.limits import MAX_DOCUMENT
from receiver.templates.names import Document


def base64(value: object, limit: str | int = MAX_DOCUMENT) -> str:
    """Return a document's bytes in base64 (RFC 4648 §4), in one line.

    `limit` is "10 MB", or bytes, and at most MAX_DOCUMENT. Raises `Refused` for a document that is larger.
    """
    if not isinstance(value, Document):
        raise Refused("is not a document: write {{ document | base64 }}", "base64")
    allowed = min(_bytes(limit), MAX_DOCUMENT)
    if value.part.path.stat().st_size > allowed:
        told = units.size_text(allowed)
        raise Refused(f"has more than {told}, too many to embed; point to its path", "limit")
    return budget.made(b2a_base64(value.part.path.read_bytes(), newline=False).decode("ascii"))


def check(arguments: Mapping[str, Any]) -> str:
    """Return what is wrong with constant arguments of `base64`, or ""."""
    try:
        too_large = _bytes(arguments.get("limit", 0)) > MAX_DOCUMENT
    except (ValueError, TypeError, AttributeError):
        return 'the limit is a size such as "10 MB"'
    return f"no more than {units.size_text(MAX_DOCUMENT)} are embedded" if too_large else ""


def _bytes(limit: str | int) -> int:
    return limit if isinstance(limit, int) else units.size(limit)
