"""Takes in the bytes of one section: held in memory where they are read at once, else a file of the stage."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from receiver import sniffing
from receiver.store.stage import Staged

MAX_HELD = 128 * 1024  # bytes: the metadata of 1,000 fields; 256 senders that pause take 32 MB of a worker at most


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of one section, as far as they are kept."""

    path: Path  # of the file; of what is held, the name that is free for it
    size: int  # bytes
    sha256: str  # hexadecimal
    head: bytes = field(repr=False)  # its first kilobyte
    held: bytes | None = field(default=None, repr=False)  # all of it, where there is no file


def take_in(
    content: Iterable[bytes] | Path, max_size: int | None, staged: Staged, suffix: str, *, hold: bool
) -> Content:
    """Take in what arrives, or lies in a file already. Of what is larger than allowed, the excess is not kept.

    What is to be held becomes a file all the same where it is more than MAX_HELD. Raises Problem.
    """
    if isinstance(content, Path):
        return _adopt(content, staged, suffix)
    arriving = _up_to(content, max_size)
    begun = _begin(arriving) if hold else b""
    if hold and len(begun) <= MAX_HELD:
        digest = hashlib.sha256(begun).hexdigest()
        return Content(staged.free(suffix), len(begun), digest, begun[: sniffing.HEAD], held=begun)
    return _write(chain([begun], arriving), staged, suffix)


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


def _begin(arriving: Iterator[bytes]) -> bytes:
    """Return all that arrives, or its beginning where it is more than may be held."""
    begun = bytearray()
    for chunk in arriving:
        begun += chunk
        if len(begun) > MAX_HELD:
            break
    return bytes(begun)


def _write(arriving: Iterable[bytes], staged: Staged, suffix: str) -> Content:
    file = staged.part(suffix)
    head = b""
    for chunk in arriving:
        if len(head) < sniffing.HEAD:
            head += chunk[: sniffing.HEAD]
        file.write(chunk)
    return Content(file.path, file.size, file.sha256, head)


def _adopt(kept: Path, staged: Staged, suffix: str) -> Content:
    path = staged.adopt(kept, suffix)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        return Content(path, path.stat().st_size, digest, file.read(sniffing.HEAD))
