"""Folders: created durably where they may be, owned, copied, removed, measured."""

import contextlib
import errno
import os
from pathlib import Path

from receiver.core.problems import Code, Problem
from receiver.store.durable import copy, storage, sync_folder
from receiver.store.sharing import share_as_parent

FOLDER_MODE = 0o750  # downstream reads through its group; patients' data is for nobody else


def make_folders(folder: str, root: str) -> None:
    """Create what is missing of `folder` below `root`, durably. Raises Problem, also where `root` itself is gone.

    A root that is gone was not created by accident: a mount is away, and the disk below it is the wrong one.
    """
    if os.path.isdir(folder):
        return
    if not folder.startswith(f"{root}/"):
        raise Problem(Code.STORAGE_FAILED, "could not create a folder (its root is not there)")
    parent = os.path.dirname(folder)
    make_folders(parent, root)
    with storage("create a folder"), contextlib.suppress(FileExistsError):
        os.mkdir(folder, FOLDER_MODE)
        with contextlib.suppress(PermissionError):  # under RestrictSUIDSGID= of systemd: it stays closed
            share_as_parent(folder, parent)
    sync_folder(parent)


def own(folder: Path, purpose: str) -> None:
    """Create a folder that the program owns, with its parents and a README for whoever finds it. Raises Problem."""
    with storage(f"create the folder {folder}"):
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError), (folder / "README").open("x", encoding="utf-8") as readme:
            readme.write(purpose)


def require_access(path: Path, mode: int) -> None:
    """Raise the OSError that an access would raise, and EROFS where the file system itself is read-only."""
    path.stat()
    if not os.access(path, mode):
        read_only = os.statvfs(path).f_flag & os.ST_RDONLY
        raise OSError(errno.EROFS if read_only else errno.EACCES, "not to be written")


def copy_folder(source: Path, target: Path) -> None:
    """Copy a folder of plain files, durable but for its own name: sync its parent. Raises Problem."""
    with storage("create a folder"):
        target.mkdir(mode=FOLDER_MODE)
        names = sorted(path.name for path in source.iterdir())
    for name in names:
        copy(source / name, target / name)
    sync_folder(target)


def remove(path: Path) -> None:
    """Remove a file, or a folder with all it holds. What another one removes meanwhile is fine. Raises Problem."""
    with storage("remove what is no longer needed"), contextlib.suppress(FileNotFoundError):
        if path.is_dir() and not path.is_symlink():
            for inner in list(path.iterdir()):
                remove(inner)
            path.rmdir()
        else:
            path.unlink()


def within(root: Path, depth: int) -> list[Path]:
    """Return the folders that lie `depth` levels below `root`, but hidden ones; none where it is missing.

    Raises Problem.
    """
    with storage("list a folder"), contextlib.suppress(FileNotFoundError):
        inner = [path for path in root.iterdir() if not path.name.startswith(".") and path.is_dir()]
        return inner if depth == 1 else [deep for path in inner for deep in within(path, depth - 1)]
    return []


def free_space(path: Path) -> int:
    """Return the bytes that are free for us on the file system of `path`. Raises Problem."""
    with storage("ask for the free space"):
        state = os.statvfs(path)
    return state.f_bavail * state.f_frsize
