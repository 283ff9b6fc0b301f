"""A site that somebody edits: what changes about it with each save, and a copy of it that nobody edits."""

import hashlib
import shutil
from contextlib import suppress
from pathlib import Path

from receiver.site.config.site import MAPPINGS
from receiver.site.process.compiling import SAMPLES, SCHEMAS
from receiver.site.process.files import BACKUP, entries, files
from receiver.store.durable import storage


def fingerprint(site: Path) -> str:
    """Return what changes with every save: names, sizes, times and inodes. No file is read."""
    seen = []
    for folder in (SCHEMAS, MAPPINGS):
        for entry in entries(site / folder):
            with suppress(OSError):  # gone meanwhile: the next look tells
                state = entry.stat()
                seen.append(f"{entry.path}\0{state.st_size}\0{state.st_mtime_ns}\0{state.st_ino}")
    return hashlib.sha256("\0".join(sorted(seen)).encode("utf-8", "replace")).hexdigest()


def copy(site: Path, target: Path) -> None:
    """Copy a site to a new folder, with links to its samples, which are only looked at. Raises Problem."""
    with storage("copy the configuration"):
        for folder in (target / SCHEMAS, target / MAPPINGS):
            folder.mkdir(parents=True)
        for folder in _processes(site):
            _copy_process(folder, target / MAPPINGS / folder.name)
        for path in files(site / SCHEMAS):
            _copy_file(path, target / SCHEMAS / path.relative_to(site / SCHEMAS))


def _copy_process(folder: Path, target: Path) -> None:
    target.mkdir()
    for path in files(folder):
        name = path.relative_to(folder)
        if name.parts[0] != SAMPLES:
            _copy_file(path, target / name)
    if (folder / SAMPLES).is_dir():
        (target / SAMPLES).symlink_to((folder / SAMPLES).absolute())


def _copy_file(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError, PermissionError):  # the proof says what is missing
        shutil.copyfile(path, target)


def _processes(site: Path) -> list[Path]:
    """Return every folder that may be meant as a process, also an empty one."""
    folders = (site / MAPPINGS).iterdir() if (site / MAPPINGS).is_dir() else ()
    return sorted(path for path in folders if path.is_dir() and path.name[0] != "." and path.name[-1] != BACKUP)
