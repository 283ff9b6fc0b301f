"""What is in force: which copy of the site each process is served from, and what keeps an edit back."""

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from receiver.core.problems import Code, Problem
from receiver.store import durable, folders, stage

FOLDER = "configuration"  # under RECEIVER_DATA
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
        """Return the digest of the configuration that a process is served by; None where there is none."""
        served = self.processes.get(process)
        return served.digest if served else None

    def has_output(self, output: Path) -> bool:
        """Tell whether a folder is the output of something in force: then it was there, or is waited for already."""
        return any(each.output == str(output) for each in self.processes.values())


def own(data: Path) -> None:
    """Create the folder. Raises Problem."""
    folders.own(folder(data), README)


def folder(data: Path) -> Path:
    """Return the folder of copies and state."""
    return data.absolute() / FOLDER


def place(data: Path, copy: str) -> Path:
    """Return where a copy lies."""
    return folder(data) / COPIES / copy


def new_copy(data: Path) -> Path:
    """Return a place for a copy that nothing has yet."""
    return place(data, os.urandom(5).hex())


def mark(data: Path) -> tuple[int, int]:
    """Return what is different for another state, without reading it."""
    with suppress(OSError):
        seen = (folder(data) / FILE).stat()
        return seen.st_ino, seen.st_mtime_ns
    return 0, 0


def watch(data: Path) -> int | None:
    """Return a lock that makes its holder the one who watches the site; None where somebody does. Raises Problem."""
    place = folder(data) / WATCH
    folders.own(place, WATCH_README)
    return stage.hold(place)


@contextmanager
def joining(data: Path) -> Iterator[bool]:
    """Be `alone`, and from then on one of the processes that serve, until this one ends. Raises Problem.

    Yields whether no other process serves. Whoever raises inside has not joined.
    """
    with alone(data):
        file = os.open(folder(data) / SERVING, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, durable.FILE_MODE)
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
def alone(data: Path) -> Iterator[None]:
    """Be the only one on this host who makes copies and puts a state in force. Raises Problem."""
    own(data)
    while (lock := stage.hold(folder(data))) is None:
        time.sleep(PAUSE)
    try:
        yield
    finally:
        os.close(lock)


def read(data: Path) -> State | None:
    """Return what is in force; None where the file is missing or spoilt, or a copy is gone. Raises Problem.

    All is then made anew of the site, as at a start.
    """
    try:
        content = (folder(data) / FILE).read_bytes()
    except FileNotFoundError:
        return None
    except OSError:
        raise Problem(Code.STORAGE_FAILED, f"{folder(data) / FILE} cannot be read") from None
    try:
        told = json.loads(content)
        served = {name: Served(**each) for name, each in told["processes"].items()}
        found = State(told["judged"], served, tuple(told["kept_back"]))
        lie_there = all(place(data, each.copy).is_dir() for each in served.values())
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
    return found if lie_there else None


def write(data: Path, state: State) -> None:
    """Put a state in force, and remove the copies that neither it nor the one before needs. Raises Problem."""
    before = read(data)
    content = json.dumps(asdict(state), indent=1).encode()
    durable.write_over(folder(data) / FILE, content, folder(data) / f"{os.urandom(5).hex()}.new")
    needed = {each.copy for known in (state, before) if known for each in known.processes.values()}
    for path in folders.within(folder(data) / COPIES, depth=1):
        if path.name not in needed:
            folders.remove(path)
