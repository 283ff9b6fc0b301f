"""The files of a site as they lie on disk. What is hidden, or an editor's backup, is no part of it."""

import os
from collections.abc import Iterator
from pathlib import Path

BACKUP = "~"  # how editors end the name of what a file was before

Entry = os.DirEntry[str]


def files(folder: Path) -> list[Path]:
    """Return every file below a folder, in the order of their paths; links are followed, in a circle only once."""
    return sorted(Path(entry.path) for entry in entries(folder))


def entries(folder: Path) -> Iterator[Entry]:
    """Yield the same in any order, for little: a service looks at its site twice a second."""
    return _below(str(folder), set())


def _below(folder: str, seen: set[tuple[int, int]]) -> Iterator[Entry]:
    try:
        state = os.stat(folder)  # noqa: PTH116 (a Path for each file would cost ten times as much)
        found = list(os.scandir(folder))
    except OSError:  # gone meanwhile, or not ours to read
        return
    if (state.st_dev, state.st_ino) in seen:
        return
    seen.add((state.st_dev, state.st_ino))
    for entry in found:
        if entry.name.startswith(".") or entry.name.endswith(BACKUP):
            continue
        if entry.is_dir():
            yield from _below(entry.path, seen)
        elif entry.is_file():
            yield entry
