"""The numbers that a worker counts, in files that all workers of a service share.

The files are those of prometheus-client, which lays them out, and reads them for the page. Its own way of counting
asks with each number whether the process is still the same, locks, and looks the number up: for the nineteen numbers
of a delivery that was 2 % of its CPU. Here they are doubles in memory that is a file.
"""

import os
from collections.abc import Callable, Iterable
from functools import cache
from mmap import mmap
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import mark_process_dead

from receiver.store import folders

DOUBLE = 8  # bytes


class Numbers:
    """The numbers of one kind of metric. Whoever changes them holds a lock."""

    def __init__(self, kind: str, folder: Path) -> None:
        """Go on with what a worker of the same process id has counted, in general nobody."""
        self._path = folder / f"{kind}_{os.getpid()}.db"
        self._places: dict[str, int] = {}

    def begin(self, names: Iterable[str]) -> None:
        """Have these numbers stand in the file; new ones are zero."""
        file = MmapedDict(str(self._path))  # type: ignore[no-untyped-call]
        for name in names:
            file.read_value(name)  # type: ignore[no-untyped-call]
        file.close()  # type: ignore[no-untyped-call]
        found = MmapedDict.read_all_values_from_file(self._path)  # type: ignore[no-untyped-call]
        self._places = {name: place // DOUBLE for name, _, _, place in found}
        with self._path.open("r+b") as written:
            self._doubles = memoryview(mmap(written.fileno(), 0)).cast("d")

    def add(self, name: str, amount: float = 1) -> None:
        """Count on."""
        if name not in self._places:
            self.begin([name])
        self._doubles[self._places[name]] += amount

    def set(self, name: str, value: float) -> None:
        """Put another value in place of the present one."""
        if name not in self._places:
            self.begin([name])
        self._doubles[self._places[name]] = value


def named(metric: str, told: str, *labels: str, suffix: str = "") -> Callable[..., str]:
    """Return what makes the name of a number from the values of its labels; it keeps all, so they must be bounded."""
    return cache(lambda *values: mmap_key(metric, metric + suffix, list(labels), list(values), told))


FOLDER = "metrics"
README = """\
What the workers of the running service count, for /metrics. Emptied at each start; may be removed while it is stopped.
"""


def folder_in(data: Path) -> Path:
    """Return the folder."""
    return data.absolute() / FOLDER


def prepare(data: Path, *, first: bool) -> None:
    """Own the folder. Raises Problem.

    The first process of a service empties it: counters begin at zero, as Prometheus expects of a start. Whoever comes
    beside the living, also an upgrade, goes on counting where those are.
    """
    folders.own(folder_in(data), README)
    if first:
        for path in folder_in(data).glob("*.db"):
            folders.remove(path)


def forget(data: Path, pid: int) -> None:
    """Take what a worker had in flight out of the sums; what it has counted stays in them."""
    mark_process_dead(pid, str(folder_in(data)))  # type: ignore[no-untyped-call]
