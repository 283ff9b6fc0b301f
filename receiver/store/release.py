"""Moves what is accepted out of the stage to its final names, each step durable before the next begins."""

import errno
import os
from collections.abc import Sequence
from pathlib import Path

from receiver.core.problems import Code, Problem
from receiver.store import durable, folders
from receiver.store.durable import storage
from receiver.store.entry import Entry, Kind, Output

IN_ORDER = tuple(Kind)  # an enumeration is slow to go through


def release(entries: Sequence[Entry]) -> dict[str, Problem]:
    """Publish accepted deliveries whose stage the caller holds; what was published already stays as it is.

    Many are done as fast as one: a folder is synced once per step. Returns the problem of each delivery, by its
    id, that could not be published to the end.
    """
    failed: dict[str, Problem] = {}
    for kind in IN_ORDER:
        due = [(entry, output) for entry in entries for output in entry.of_kind(kind)]
        to_sync: dict[str, list[str]] = {}  # the ids of deliveries, by folder
        for entry, output in due:
            if entry.id in failed:
                continue
            try:
                _place(entry, output)
            except Problem as problem:
                failed[entry.id] = problem
            else:
                to_sync.setdefault(output.folder, []).append(entry.id)
        for folder, ids in to_sync.items():
            try:
                durable.sync_folder(folder)
            except Problem as problem:
                if not _is_gone(folder):  # downstream may take files and folder away as they come
                    failed |= dict.fromkeys(ids, problem)
    return failed


def _is_gone(folder: str) -> bool:
    try:
        os.stat(folder)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        pass
    return False


def _place(entry: Entry, output: Output) -> None:
    """Move one file or folder to its final name, in a folder that is made again where it is gone. Raises Problem."""
    source = f"{entry.stage}/{output.staged}"
    with storage("publish a file"):
        if not _move(source, output) and os.path.lexists(source):
            root = os.path.dirname(output.folder) if output.kind is Kind.ORIGINALS else entry.output
            folders.make_folders(output.folder, root)
            _move(source, output)


def _move(source: str, output: Output) -> bool:
    """Move one file or folder; False where it, or the folder it goes to, is not there. Raises OSError, Problem."""
    try:
        durable.move_new(source, output.target)
    except FileNotFoundError:
        return False
    except FileExistsError:
        if output.kind is not Kind.ORIGINALS:  # those of an earlier life of the same delivery are the same
            detail = "a file that is not ours has taken a name of an accepted delivery: move it away"
            raise Problem(Code.STORAGE_FAILED, detail) from None
    except OSError as error:
        if error.errno != errno.EXDEV or output.kind is not Kind.ORIGINALS:
            raise
        _copy_over(Path(source), Path(output.target))
    return True


def _copy_over(source: Path, target: Path) -> None:
    """Move a folder to another file system. Whoever holds the stage is the only one at the halfway name."""
    halfway = target.parent / f".{target.name}"
    folders.remove(halfway)
    folders.copy_folder(source, halfway)
    with storage("keep the originals"):
        durable.move_new(halfway, target)
