"""The stage: private folders for deliveries, on their output's file system.

Each delivery fills a folder of its own, and its owner holds an advisory lock (flock(2)) on the folder for as long as it
works there. The kernel drops the lock with the owner's process, however that ends: who gets the lock knows that the
owner is dead. So nobody ever touches the folder of a living owner, and no clock is asked. The lock is on the folder
itself, so that taking it leaves nothing behind, and it goes along where the folder is moved. A folder on which nothing
rests any more is kept, with its lock, for a later delivery of the same process of ours (`Spare`).

If several hosts share the disk, such a lock counts within one process alone. The folders of each process then lie below
one that is named by its incarnation, and the ledger says whether that lives (`postgres/hosts.py`).
"""

import contextlib
import fcntl
import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_IMODE

from receiver.core import limits
from receiver.core.problems import Code, Problem
from receiver.store import durable, file_system, folders
from receiver.store.durable import storage, storage_problem
from receiver.store.staged import Folder, Staged

FOLDER = "stage"  # under RECEIVER_DATA
PRIVATE = 0o700  # of a stage inside an output: its folder may be inherited by the group of that
README = """\
Deliveries are put together here. Nothing in this folder is for other programs.
Folders that a crash left behind are finished or swept when the service starts, or by `receiver recover`.
Do not remove them by hand: an accepted delivery that is not yet published lives only here.
"""


class Stage:
    """A folder in which deliveries are put together."""

    def __init__(self, root: Path) -> None:
        """Own `root`, creating it if it is missing. Raises Problem."""
        self.root = root.absolute()
        self.owner = ""  # the incarnation that it belongs to, if several hosts share the disk
        self.output: tuple[int, int] | None = None  # device and inode of the folder that it was made for
        self.inside = False  # it lies in that folder
        self.disks: list[Path] = []  # one folder on each disk that a delivery needs: found out with the first
        folders.ensure_folder(self.root, README)
        self._spare = Spare()
        self._end = weakref.finalize(self, self._spare.close)  # even if the process ends

    def serves(self, output: Path) -> bool:
        """Return whether a rename still reaches an output folder that may be new.

        One that is away is waited for.
        """
        try:
            return _identity(output) == self.output and not (self.inside and not self.root.is_dir())
        except OSError:
            return True

    def require_leads_to(self, output: Path, *, create: bool) -> None:
        """Raise Problem unless files can be renamed to another output folder.

        It is created if asked for.
        """
        if create:
            with storage(f"create the output folder {output}"):
                output.mkdir(mode=folders.FOLDER_MODE, parents=True, exist_ok=True)
        with storage(f"write to the output folder {output}"):
            folders.require_access(output, os.W_OK | os.X_OK)
        if not durable.leads_to(self.root, output):
            detail = f"the output folder {output} lies on another file system than the process's own: put both on one"
            raise Problem(Code.STORAGE_FAILED, detail)

    def close(self) -> None:
        """Remove the spare folders, and keep none any more."""
        self._end()

    @contextmanager
    def open(self) -> Iterator[Staged]:
        """Put one delivery together. What becomes of its folder at the end:

        accepted, not published    it stays as it is, for a retry or recovery
        ended without exception    it is emptied, and lies ready for a later delivery
        else, or not to be kept    it is removed
        """
        folder = self._spare.take() or self._claim()
        staged = Staged(folder)
        whole = False
        try:
            yield staged
            whole = True
        finally:
            staged.close()
            if staged.accepted:
                os.close(folder.lock)
            elif not (whole and self._spare.put(folder, empty=not staged.lying)):
                discard(folder.path)
                os.close(folder.lock)

    def _claim(self) -> Folder:
        """Create a folder and lock it; if a sweeper was faster, try the next one."""
        while True:
            path = self.root / durable.new_name()
            with storage("create a folder in the stage"):
                path.mkdir(mode=folders.FOLDER_MODE)
            lock = lock_folder(path)
            if lock is not None:
                return Folder(path, lock, os.fstat(lock)[1:3])


def lock_folder(folder: Path) -> int | None:
    """Lock `folder` and return the lock's descriptor; None if locked or gone."""
    with storage("lock a folder of the stage"):
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(lock), folder.stat()):  # else its owner moved it meanwhile
                return lock
        except (BlockingIOError, FileNotFoundError):
            pass
        except OSError:
            os.close(lock)
            raise
        os.close(lock)
        return None


def discard(folder: Path) -> None:
    """Remove a folder that its caller holds.

    What cannot be removed now is swept later.
    """
    with contextlib.suppress(Problem):
        folders.remove(folder)


def sweep(folder: Path) -> None:
    """Remove what somebody left who may wake yet.

    It is moved aside first: for that one it is whole or gone.
    """
    aside = folder.with_name(durable.new_name())
    with contextlib.suppress(OSError):
        durable.move_new(folder, aside)
        discard(aside)


def stage_for(data: Path, output: Path, *, owner: str = "", create: bool = True) -> Stage:
    """Return an output folder's stage: with the data if a rename reaches, or inside.

    `owner` is the incarnation of this process, if several hosts share the disk.

    Raises Problem if one of them cannot be written, if its file system is not fit (`file_system.py`), or if the output
    folder is missing and not to be created.
    """
    if create:
        with storage(f"create the output folder {output}"):
            output.mkdir(mode=folders.FOLDER_MODE, parents=True, exist_ok=True)
    with storage(f"write to the output folder {output}"):
        folders.require_access(output, os.W_OK | os.X_OK)
        identity = _identity(output)
    stage = Stage(data / FOLDER)
    file_system.require_sound(stage.root)
    if not durable.leads_to(stage.root, output):
        stage = _stage_inside(output)
        stage.inside = True
        file_system.require_sound(stage.root)
    if owner:
        stage = _stage_of(owner, stage)
    stage.output = identity
    return stage


def free_space(path: Path) -> int:
    """Return the bytes that are free for us on the file system of `path`.

    Raises Problem.
    """
    try:
        state = os.statvfs(path)
    except OSError as error:
        raise storage_problem("ask for the free space", error) from None
    return state.f_bavail * state.f_frsize


def place_for(data: Path, output: Path) -> Path:
    """Return where the stage for an output folder is, or will be made.

    Touches nothing. Raises Problem.
    """
    beside = data / FOLDER
    leads = durable.leads_to(beside if beside.is_dir() else data, output)
    return beside if leads else output / ".stage"


def _identity(folder: Path) -> tuple[int, int]:
    state = os.stat(folder)  # for each delivery: Path.stat takes longer
    return state.st_dev, state.st_ino


def _stage_inside(output: Path) -> Stage:
    """Return the stage in an output folder, readable to the same people only."""
    stage = Stage(output / ".stage")
    with storage("close the stage to others"):
        if S_IMODE(stage.root.stat().st_mode) != PRIVATE:
            stage.root.chmod(PRIVATE)
    return stage


def _stage_of(owner: str, common: Stage) -> Stage:
    """Return the stage of one incarnation, in a durable folder."""
    stage = Stage(common.root / owner)
    stage.owner, stage.inside = owner, common.inside
    durable.sync_folder(common.root)
    return stage


class Spare:
    """Spare folders of one stage: empty, still locked, reused by later deliveries.

    A new folder must be created, made durable and removed; and for half a minute ext4 looks at an inode that was
    removed before it gives one out, which costs the deliveries after it far more than the removal itself.

    The one that was used last is on top, so there are as few as are needed at once. A spare folder stays with the
    process that created it: no fork takes it along, and one that is found on disk is never taken. `publish.py` says
    why nothing is mistaken in a folder that had several deliveries.
    """

    def __init__(self) -> None:
        self._free: list[Folder] = []
        self._most = limits.AT_WORK
        _everywhere.add(self)

    def take(self) -> Folder | None:
        """Return a folder, which is the caller's from now on; None if there is none."""
        while True:
            try:
                folder = self._free.pop()
            except IndexError:
                return None
            if folder.is_there():
                return folder
            os.close(folder.lock)

    def put(self, folder: Folder, *, empty: bool) -> bool:
        """Keep an unused folder; False if it is not needed, or not as it was."""
        if len(self._free) >= self._most or not folder.is_there():
            return False
        try:
            if not empty:
                folder.empty()
        except Problem:
            return False
        self._free.append(folder)
        return True

    def close(self) -> None:
        """Remove all there are, and take no more."""
        self._most = 0
        while self._free:
            folder = self._free.pop()
            with contextlib.suppress(OSError):
                folder.path.rmdir()
            os.close(folder.lock)

    def close_inherited(self) -> None:
        """Close what a fork inherited: folders and locks are the parent's."""
        while self._free:
            os.close(self._free.pop().lock)


_everywhere: weakref.WeakSet[Spare] = weakref.WeakSet()


def _close_inherited() -> None:
    for spare in _everywhere:
        spare.close_inherited()


os.register_at_fork(after_in_child=_close_inherited)
