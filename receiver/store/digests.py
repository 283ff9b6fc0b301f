"""Keyed digests (HMAC-SHA-256) of field values, to find deliveries by a value.

The key lies in RECEIVER_DATA/digests.key, for the service's user alone. Whoever has the ledger without it can neither
read the values nor try likely ones; with another key, older digests are found no longer.
"""

import contextlib
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from receiver.store import durable, folders
from receiver.store.durable import storage

FILE = "digests.key"
SIZE = 32  # bytes of the key: as many as SHA-256 has (RFC 2104 §3)
MODE = 0o600
SHOWN = 16  # hexadecimal characters of a digest in the audit trail: enough to tell two values apart


@lru_cache
def key(data: Path) -> bytes:
    """Return the key of a data folder, made anew if there is none. Raises Problem."""
    path = data.absolute() / FILE
    with storage("read the key of the digests"):
        if not path.exists():
            _create(path)
        return path.read_bytes()


def _create(path: Path) -> None:
    scratch = path.with_name(f".{path.name}.{durable.new_name()}")
    durable.write_new(scratch, secrets.token_bytes(SIZE), MODE)
    try:
        with contextlib.suppress(FileExistsError):  # another process was faster: its key counts
            durable.move_new(scratch, path)
    finally:
        folders.remove(scratch)
    durable.sync_folder(path.parent)


def digest(data: Path, name: str, value: object) -> str:
    """Return the digest of a field's value without blanks around it.

    Raises Problem.
    """
    text = f"{name}\0{str(value).strip()}"
    return hmac.new(key(data), text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def digests(data: Path, names: Iterable[str], fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the digests of those fields that have a value; of a repeated one all.

    Raises Problem.
    """
    found = {digest(data, name, value) for name in names for value in _values(fields.get(name))}
    return tuple(sorted(found))


def _values(value: Any) -> Iterator[object]:
    values = value if isinstance(value, list) else [value]
    yield from (each for each in values if isinstance(each, str | int | float) and str(each).strip())
