"""Takes in the bytes of one section."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from receiver.delivery import sniffing
from receiver.store.stage import Staged


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of one section, as far as they are kept."""

    path: Path  # where they lie, or will
    size: int  # bytes
    sha256: str  # hexadecimal
    held: bytes | None = field(default=None, repr=False)  # all of it, where it was asked for and is small


def begin(content: Iterable[bytes] | Path) -> tuple[bytes, Iterable[bytes] | Path]:
    """Return the first kilobyte of a section, and all of it. May raise OSError."""
    if isinstance(content, Path):
        with content.open("rb") as file:
            return file.read(sniffing.HEAD), content
    chunks = iter(content)
    first = []
    size = 0
    while size < sniffing.HEAD and (chunk := next(chunks, b"")):
        first.append(chunk)
        size += len(chunk)
    return b"".join(first)[: sniffing.HEAD], chain(first, chunks)


def take_in(
    content: Iterable[bytes] | Path, max_size: int | None, staged: Staged, suffix: str, *, hold: bool
) -> Content:
    """Take in what arrives, or lies in a file already. Of what is larger than allowed, the excess is not kept.

    `hold` what is to be read at once. Raises Problem.
    """
    if isinstance(content, Path):
        return _adopt(content, staged, suffix)
    return _stage(_up_to(content, max_size), staged, suffix, hold=hold)


def _up_to(content: Iterable[bytes], max_size: int | None) -> Iterator[bytes]:
    """Yield chunks until one byte more than allowed was seen: it tells the excess, and the rest is not kept."""
    if max_size is None:
        yield from content
        return
    left = max_size + 1
    for chunk in content:
        yield chunk[:left]
        left -= len(chunk)
        if left <= 0:
            return


def _stage(arriving: Iterable[bytes], staged: Staged, suffix: str, *, hold: bool) -> Content:
    file = staged.part(suffix)
    for chunk in arriving:
        file.write(chunk)
    return Content(file.path, file.size, file.sha256, file.held if hold else None)


def _adopt(kept: Path, staged: Staged, suffix: str) -> Content:
    path = staged.adopt(kept, suffix)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Content(path, path.stat().st_size, digest)
