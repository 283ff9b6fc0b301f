"""Folders: created durably, opened to a group, copied, removed, measured.

What is published is opened to the group of the importing system, and nothing else: `[output] group`. Its files are
readable for the group, its folders can be emptied by it: importing systems take away what they have read. Nobody needs
to be root for that, since a user may give its own files to any group that it is a member of (chown(2)).
"""

import contextlib
import errno
import grp
import os
import stat
from pathlib import Path

from receiver.core.problems import Code, Problem
from receiver.store.durable import FILE_MODE, copy, move_new, storage, sync_folder

FOLDER_MODE = 0o750  # downstream reads through its group; patients' data is for nobody else
SHARED_MODE = 0o2770  # set-group-ID: what is made in it belongs to the group, too


def make_folders(folder: str, root: str) -> None:
    """Create missing folders below `root`, durably.

    A root that is gone was not created by accident: a mount is away, and the disk below it is the wrong one.

    Raises Problem, even if `root` itself is gone.
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
    if not os.path.exists(folder):  # a link that leads nowhere: what it leads to may not be mounted
        raise Problem(Code.STORAGE_FAILED, "could not create a folder (a link that leads nowhere has its name)")
    sync_folder(parent)


def ensure_folder(folder: Path, purpose: str) -> None:
    """Create a folder of the program's, with parents and a README.

    Raises Problem.
    """
    with storage(f"create the folder {folder}"):
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError), (folder / "README").open("x") as readme:
            readme.write(purpose)


def require_access(path: Path, mode: int) -> None:
    """Raise the OSError of an access, and EROFS if the file system is read-only."""
    if not os.access(path, mode):
        read_only = os.statvfs(path).f_flag & os.ST_RDONLY
        raise OSError(errno.EROFS if read_only else errno.EACCES, "not to be written")


def copy_folder(source: Path, target: Path) -> None:
    """Copy a folder of plain files, durable but for its own name: sync its parent.

    Raises Problem.
    """
    with storage("create a folder"):
        target.mkdir(mode=FOLDER_MODE)
        names = [path.name for path in source.iterdir()]
    for name in names:
        copy(source / name, target / name)
    sync_folder(target)


def move_across(source: Path, target: Path) -> None:
    """Move a folder to another file system.

    Whoever holds the source is the only one at the halfway name. Raises Problem, or a bare OSError.
    """
    halfway = target.parent / f".{target.name}"
    remove(halfway)
    copy_folder(source, halfway)
    move_new(halfway, target)


def remove(path: Path) -> None:
    """Remove a file, or a folder with all it holds.

    What another one removes meanwhile is fine. Raises Problem.
    """
    with storage("remove what is no longer needed"), contextlib.suppress(FileNotFoundError):
        if path.is_dir() and not path.is_symlink():
            for inner in list(path.iterdir()):
                remove(inner)
            path.rmdir()
        else:
            path.unlink()


def within(root: Path, depth: int) -> list[Path]:
    """Return the folders `depth` levels below `root`, without hidden ones.

    None if it is missing.

    Raises Problem.
    """
    with storage("list a folder"), contextlib.suppress(FileNotFoundError):
        inner = [path for path in root.iterdir() if not path.name.startswith(".") and path.is_dir()]
        return inner if depth == 1 else [deep for path in inner for deep in within(path, depth - 1)]
    return []


def group_id(group: str | None) -> int | None:
    """Return the number of a group that is written by name or number; None for none.

    Raises KeyError.
    """
    if group is None:
        return None
    return int(group) if group.isdecimal() else grp.getgrnam(group).gr_gid


def is_member(group: int) -> bool:
    """Return whether this process may give files to a group."""
    return os.geteuid() == 0 or group in (os.getegid(), *os.getgroups())


def share_file(path: str, group: int) -> None:
    """Give one of our files to a group, readable; durable once the file is synced.

    Raises Problem.
    """
    _require_member(group)
    with storage("give a file to the group of the output"):
        os.chown(path, -1, group)
        os.chmod(path, FILE_MODE)


def share_folders(folder: str, root: str, group: int) -> None:
    """Open a folder, and those above it up to `root`, to a group. Raises Problem."""
    if folder.startswith(f"{root}/"):
        share_folders(os.path.dirname(folder), root, group)
    if _is_shared(folder, group):
        return
    _require_member(group)
    with storage("give an output folder to its group"):
        os.chown(folder, -1, group)
        os.chmod(folder, SHARED_MODE)


def require_shareable(folder: str, group: int) -> None:
    """Raise Problem if files in a folder cannot be given to a group."""
    _require_member(group)
    if not _is_shared(folder, group) and os.geteuid() not in (0, os.stat(folder).st_uid):
        detail = f"the output folder is not its group's, nor ours: chgrp {group} and chmod 2770 it"
        raise Problem(Code.STORAGE_FAILED, detail)


def share_as_parent(folder: str, parent: str) -> None:
    """Open a new folder to its parent's group, if that is to be inherited."""
    mode = stat.S_IMODE(os.stat(parent).st_mode)
    if mode & stat.S_ISGID and mode & stat.S_IWGRP:
        os.chmod(folder, SHARED_MODE)


def _is_shared(folder: str, group: int) -> bool:
    with storage("look at an output folder"):
        state = os.stat(folder)
    return state.st_gid == group and stat.S_IMODE(state.st_mode) == SHARED_MODE


def _require_member(group: int) -> None:
    if not is_member(group):
        detail = (
            f"the user of the service is no member of the group {name_of(group)} of the output: "
            f"usermod --append --groups {name_of(group)} USER, and restart the service"
        )
        raise Problem(Code.STORAGE_FAILED, detail)


def name_of(group: int) -> str:
    """Return the name of a group, or its number if it has none."""
    try:
        return grp.getgrgid(group).gr_name
    except KeyError:
        return str(group)
