"""The files of a site as they lie on disk. What is hidden, or an editor's backup, is no part of it."""

import os
from collections.abc import Iterator
from pathlib import Path

BACKUP = "~"  # how editors end the name of what a file was before


def files(folder: Path) -> list[Path]:
    """Return every file below a folder, in the order of their paths; links are followed, in a circle only once."""
    return sorted(_below(folder, set()))


def _below(folder: Path, seen: set[tuple[int, int]]) -> Iterator[Path]:
    try:
        state = folder.stat()
        entries = list(os.scandir(folder))
    except OSError:  # gone meanwhile, or not ours to read
        return
    if (state.st_dev, state.st_ino) in seen:
        return
    seen.add((state.st_dev, state.st_ino))
    for entry in entries:
        if entry.name.startswith(".") or entry.name.endswith(BACKUP):
            continue
        if entry.is_dir():
            yield from _below(folder / entry.name, seen)
        elif entry.is_file():
            yield folder / entry.name
