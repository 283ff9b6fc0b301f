"""The configuration in force: proven copies of the site that all workers use.

    site ──▶ copy in RECEIVER_LOCAL/configuration/ ──▶ proven? ──▶ state.json names it ──▶ workers take it over
                                                      └──▶ state.json says what keeps it back

What is proven is what is served, even if somebody edits the site meanwhile, and a worker that is replaced after a
crash starts with what its neighbours have.
"""

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType

from receiver.core.problems import Code, Problem
from receiver.core.settings import Settings
from receiver.site import compiling
from receiver.site.compiling import SAMPLES, SCHEMAS
from receiver.site.config.site import BACKUP, MAPPINGS, entries, files
from receiver.site.process import Process
from receiver.store import durable, folders, stage
from receiver.store.data_version import require_known, stamped
from receiver.store.durable import storage
from receiver.store.folders import share_folders
from receiver.store.stage import stage_for

FOLDER = "configuration"  # under RECEIVER_LOCAL: each host serves what was proven there
FILE = "state.json"
COPIES = "copies"
SERVING = "serving"  # locked, shared, by each process that serves or is to start one that does
PAUSE = 0.05  # seconds between two tries for the lock
README = """\
The service works from copies of the site that were proven; state.json says which process from which of them.
They are made anew at every start. Edit the site itself, never what lies here.
"""


WATCH = "watch"
WATCH_README = """\
Nothing is here but a lock: who holds it watches the site for edits.
"""


@dataclass(frozen=True, slots=True)
class Served:
    """Where one process is served from."""

    copy: str  # the folder's name
    digest: str  # of the process's files: what the ledger has as `configuration`
    output: str  # its output folder


@dataclass(frozen=True, slots=True)
class State:
    """What is in force."""

    judged: str  # fingerprint of the site that was judged last
    processes: Mapping[str, Served]
    kept_back: tuple[str, ...] = ()  # faults of that site, as `receiver check` prints them

    def digest(self, process: str) -> str | None:
        """Return the digest of a process's configuration; None if there is none."""
        served = self.processes.get(process)
        return served.digest if served else None

    def has_output(self, output: Path) -> bool:
        """Return whether a folder is the output of something in force.

        Then it was there, or is waited for already.
        """
        return any(each.output == str(output) for each in self.processes.values())


def move_in(settings: Settings) -> None:
    """Move files of earlier releases from RECEIVER_DATA to an empty RECEIVER_LOCAL."""
    for name in (FOLDER, "metrics"):
        before, now = settings.data / name, settings.local / name
        if before.is_dir() and not now.exists():
            with suppress(OSError):  # another process does it, or it is another disk: all is made anew at a start
                settings.local.mkdir(mode=folders.FOLDER_MODE, parents=True, exist_ok=True)
                durable.move_new(before, now)


def ensure_folder(local: Path) -> None:
    """Create the folder. Raises Problem."""
    folders.ensure_folder(folder(local), README)


def folder(local: Path) -> Path:
    """Return the folder of copies and state."""
    return local.absolute() / FOLDER


def place(local: Path, copy: str) -> Path:
    """Return where a copy lies."""
    return folder(local) / COPIES / copy


def new_copy(local: Path) -> Path:
    """Return a place for a copy that nothing has yet."""
    return place(local, os.urandom(5).hex())


def mark(local: Path) -> tuple[int, int]:
    """Return what is different for another state, without reading it."""
    with suppress(OSError):
        seen = (folder(local) / FILE).stat()
        return seen.st_ino, seen.st_mtime_ns
    return 0, 0


def watch(local: Path) -> int | None:
    """Return the lock of the one who watches the site; None if it is taken.

    Raises Problem.
    """
    place = folder(local) / WATCH
    folders.ensure_folder(place, WATCH_README)
    return stage.lock_folder(place)


@contextmanager
def joining(local: Path) -> Iterator[bool]:
    """Be `alone`, then one of the processes that serve, until this one ends.

    Yields whether no other process serves. Whoever raises inside has not joined.

    Raises Problem.
    """
    with alone(local):
        file = os.open(folder(local) / SERVING, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, durable.FILE_MODE)
        try:
            yield _shared(file)
        except BaseException:
            os.close(file)
            raise


def _shared(file: int) -> bool:
    """Lock a file together with others; return whether nobody else has it locked."""
    first = True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        first = False
    fcntl.flock(file, fcntl.LOCK_SH)
    return first


@contextmanager
def alone(local: Path) -> Iterator[None]:
    """Be the only one on this host who makes copies and puts a state in force.

    Raises Problem.
    """
    ensure_folder(local)
    while (lock := stage.lock_folder(folder(local))) is None:
        time.sleep(PAUSE)
    try:
        yield
    finally:
        os.close(lock)


def read(local: Path) -> State | None:
    """Return what is in force; None if it is missing, spoilt, or a copy is gone.

    All is then made anew of the site, as at a start. Raises Problem, also for what a newer program wrote.
    """
    try:
        content = (folder(local) / FILE).read_bytes()
    except FileNotFoundError:
        return None
    except OSError:
        raise Problem(Code.STORAGE_FAILED, f"{folder(local) / FILE} cannot be read") from None
    try:
        described = json.loads(content)
        require_known(described, f"{folder(local) / FILE}")
        served = {name: Served(**each) for name, each in described["processes"].items()}
        found = State(described["judged"], served, tuple(described["kept_back"]))
        lie_there = all(place(local, each.copy).is_dir() for each in served.values())
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
    return found if lie_there else None


def write(local: Path, state: State) -> None:
    """Put a state in force, and remove older copies than the previous one.

    Raises Problem.
    """
    before = read(local)
    content = json.dumps(stamped(asdict(state)), indent=1).encode()
    durable.write_over(folder(local) / FILE, content, folder(local) / f"{os.urandom(5).hex()}.new")
    needed = {each.copy for known in (state, before) if known for each in known.processes.values()}
    for path in folders.within(folder(local) / COPIES, depth=1):
        if path.name not in needed:
            folders.remove(path)


def establish(settings: Settings) -> dict[str, Process]:
    """Put the site in force as it lies there, whole, and return its processes.

    The caller is `alone`. Raises `ConfigurationError` if it is faulty, with every error there is, and
    `Problem`.
    """
    seen = fingerprint(settings.site)
    target = new_copy(settings.local)
    copy(settings.site, target)
    processes = compiling.proven(replace(settings, site=target))
    before = read(settings.local)
    for process in processes.values():
        create_output(settings, process.output, process.group, before)
        if before is None or before.digest(process.name) != process.digest:
            for folder, group in process.further.items():
                create_output(settings, folder, group, None)
    served = {name: Served(target.name, each.digest, str(each.output)) for name, each in processes.items()}
    write(settings.local, State(seen, served))
    return processes


def create_output(settings: Settings, output: Path, group: int | None, before: State | None) -> None:
    """Create the output folder of what comes into force, for its group if it has one.

    What was an output before had its folder: if that is missing now, a disk is away, and comes back.

    Raises `Problem`.
    """
    if before is None or not before.has_output(output) or output.is_dir():
        stage_for(settings.data, output)
        if group is not None:
            share_folders(str(output), str(output), group)


def load(settings: Settings, current: State, known: Mapping[str, Process] = MappingProxyType({})) -> dict[str, Process]:
    """Return the processes in force: `known` ones as they are, others compiled.

    Raises `ConfigurationError` if one that was proven cannot be compiled here.
    """
    same = {name: known[name] for name in known if _is_same(known[name], current.processes.get(name))}
    processes = dict(same)
    for site, names in sites(settings, current):
        if missing := [name for name in names if name not in same]:
            processes |= compiling.proven(site, os.environ, missing)
    return dict(sorted(processes.items()))


def sites(settings: Settings, current: State) -> Iterator[tuple[Settings, list[str]]]:
    """Yield each copy in force as the settings' site, with its processes."""
    for copy in sorted({each.copy for each in current.processes.values()}):
        names = [name for name, each in current.processes.items() if each.copy == copy]
        yield replace(settings, site=place(settings.local, copy)), names


def _is_same(process: Process, served: Served | None) -> bool:
    return served is not None and served.digest == process.digest


def fingerprint(site: Path) -> str:
    """Return what changes with every save: names, sizes, times and inodes.

    No file is read.
    """
    seen = []
    for folder in (SCHEMAS, MAPPINGS):
        for entry in entries(site / folder):
            with suppress(OSError):  # gone meanwhile: the next look tells
                state = entry.stat()
                seen.append(f"{entry.path}\0{state.st_size}\0{state.st_mtime_ns}\0{state.st_ino}")
    return hashlib.sha256("\0".join(sorted(seen)).encode("utf-8", "replace")).hexdigest()


def copy(site: Path, target: Path) -> None:
    """Copy a site to a new folder, with links to its samples, which are only read.

    Raises Problem.
    """
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
