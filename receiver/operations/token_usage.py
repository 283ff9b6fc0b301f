"""When each token was used last, for whoever removes the old one.

A file for each token and process, whose time tells it, named by how process.toml has the token and by the start of
its SHA-256. All workers touch the same file, each at most once a minute.
"""

import re
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from receiver.site.config.tokens import FINGERPRINT
from receiver.site.process import Process
from receiver.store import durable, folders

FOLDER = "tokens"
README = """\
The time of each file is when a token was last used, for `receiver status`. May be removed at any time.
"""
EVERY = 60.0  # seconds: a look at the clock costs nothing, a change of a file 10 µs
NAME = re.compile(rf"(?:env-(\w+)|sha256)\.([0-9a-f]{{{FINGERPRINT}}})", re.ASCII)


class Usage:
    """What one worker has noted lately."""

    def __init__(self, data: Path) -> None:
        """Own the folder. Raises Problem."""
        self._folder = data / FOLDER
        self._noted: dict[tuple[str, str], float] = {}
        folders.ensure_folder(self._folder, README)

    def note(self, process: Process, place: int | None) -> None:
        """Note that a process was entered with one of its tokens.

        What cannot be noted harms no delivery.
        """
        if place is None:
            return
        name, now = file_name(process.tokens.sources[place], process.tokens.digests[place]), time.monotonic()
        if now - self._noted.get((process.name, name), -EVERY) >= EVERY:
            self._noted[process.name, name] = now
            with suppress(OSError):
                folder = self._folder / process.name
                folder.mkdir(mode=folders.FOLDER_MODE, exist_ok=True)
                (folder / name).touch(durable.FILE_MODE)


@dataclass(frozen=True, slots=True)
class Used:
    """One token of a process, and when it was used last; None if it never was."""

    source: str  # "env:NAME" or "sha256"
    fingerprint: str  # "" if it is not known: a variable that was never used tells none
    at: datetime | None  # aware, UTC


def last_used(data: Path, process: Process) -> list[Used]:
    """Return each token of a process with its last use, in the order of process.toml.

    A variable has a line for each token that it has held.
    """
    known = _known(data / FOLDER / process.name)
    lines: list[Used] = []
    for written in process.config.auth.tokens:
        form, _, rest = written.partition(":")
        if form == "sha256":
            print_ = rest.lower()[:FINGERPRINT]
            lines.append(Used(form, print_, known.get(("", print_))))
        else:
            held = [Used(written, print_, at) for (name, print_), at in known.items() if name == rest]
            lines += sorted(held, key=lambda used: str(used.at), reverse=True) or [Used(written, "", None)]
    return lines


def file_name(source: str, digest: bytes) -> str:
    """Return a token's file name: `env-NAME.4f2a91c07b3e`, `sha256.11a7f45d1d60`."""
    form, _, rest = source.partition(":")
    fingerprint = digest.hex()[:FINGERPRINT]
    return f"env-{rest}.{fingerprint}" if form == "env" else f"{form}.{fingerprint}"


def _known(folder: Path) -> dict[tuple[str, str], datetime]:
    found: dict[tuple[str, str], datetime] = {}
    with suppress(OSError):
        for path in folder.iterdir():
            if match := NAME.fullmatch(path.name):
                found[match[1] or "", match[2]] = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return found
