"""Documents within records."""

from binascii import b2a_base64

from receiver.mapping import budget
from receiver.mapping.errors import Refused
from receiver.mapping.limits import MAX_DOCUMENT
from receiver.mapping.names import Document


def base64(value: object) -> str:
    """Return a document's bytes in base64 (RFC 4648 §4), in one line. Raises `Refused` beyond MAX_DOCUMENT bytes."""
    if not isinstance(value, Document):
        raise Refused("is not a document: write {{ document | base64 }}", "base64")
    if value.file.stat().st_size > MAX_DOCUMENT:
        raise Refused(f"has more than {MAX_DOCUMENT:,} bytes, too many to embed; point to its path", "limit")
    return budget.made(b2a_base64(value.file.read_bytes(), newline=False).decode("ascii"))
