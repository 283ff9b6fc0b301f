"""Opens what is published to the group of the importing system, and nothing else: `[output] group`.

Its files are readable for the group, its folders can be emptied by it: importing systems take away what they have read.
Nobody needs to be root for that, since a user may give its own files to any group that it is a member of (chown(2)).
"""

import grp
import os
import stat

from receiver.core.problems import Code, Problem
from receiver.store.durable import storage

FILE_MODE = 0o640
FOLDER_MODE = 0o2770  # set-group-ID: what is made in it belongs to the group, too


def group_id(group: str | None) -> int | None:
    """Return the number of a group that is written by name or number; None for none. Raises KeyError."""
    if group is None:
        return None
    return int(group) if group.isdecimal() else grp.getgrnam(group).gr_gid


def is_member(group: int) -> bool:
    """Tell whether this process may give files to a group."""
    return os.geteuid() == 0 or group in (os.getegid(), *os.getgroups())


def share_file(path: str, group: int) -> None:
    """Give one of our files to a group, readable; durable once the file is synced. Raises Problem."""
    _require_member(group)
    with storage("give a file to the group of the output"):
        os.chown(path, -1, group)
        os.chmod(path, FILE_MODE)


def share_folders(folder: str, root: str, group: int) -> None:
    """Open a folder to a group, and each one that leads to it below `root`, which is opened too. Raises Problem."""
    if folder.startswith(f"{root}/"):
        share_folders(os.path.dirname(folder), root, group)
    if _is_shared(folder, group):
        return
    _require_member(group)
    with storage("give an output folder to its group"):
        os.chown(folder, -1, group)
        os.chmod(folder, FOLDER_MODE)


def require_shareable(folder: str, group: int) -> None:
    """Raise Problem where files in a folder cannot be given to a group."""
    _require_member(group)
    if not _is_shared(folder, group) and os.geteuid() not in (0, os.stat(folder).st_uid):
        detail = f"the output folder is not its group's, nor ours: chgrp {group} and chmod 2770 it"
        raise Problem(Code.STORAGE_FAILED, detail)


def share_as_parent(folder: str, parent: str) -> None:
    """Open a new folder to the group that its parent is open to, if that is to be inherited."""
    mode = stat.S_IMODE(os.stat(parent).st_mode)
    if mode & stat.S_ISGID and mode & stat.S_IWGRP:
        os.chmod(folder, FOLDER_MODE)


def _is_shared(folder: str, group: int) -> bool:
    with storage("look at an output folder"):
        state = os.stat(folder)
    return state.st_gid == group and stat.S_IMODE(state.st_mode) == FOLDER_MODE


def _require_member(group: int) -> None:
    if not is_member(group):
        detail = (
            f"the user of the service is no member of the group {name_of(group)} of the output: "
            f"usermod --append --groups {name_of(group)} USER, and restart the service"
        )
        raise Problem(Code.STORAGE_FAILED, detail)


def name_of(group: int) -> str:
    """Return the name of a group, or its number where it has none."""
    try:
        return grp.getgrgid(group).gr_name
    except KeyError:
        return str(group)
