"""The power is cut at every step of a delivery, on an ext4 of its own.

    sudo python -m tests.crash.power

The file system is shut down by the ioctl that file system tests use for it: what was not made durable is gone, as
after a power cut. Then it is mounted again, and the sender tries again. The ledger lies once beside the output
and once on another disk, which keeps its power: so each fsync of ours stands for itself. Each is done with the
first delivery of a process, and with one that works in the folder of the one before, right after it.

With `--weaken` one of the promises is broken on purpose, and the run must go red.
"""

import argparse
import fcntl
import os
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from receiver.core.settings import Settings
from receiver.store import durable, stage
from receiver.store.sqlite import schema, writers
from receiver.store.staged import Folder
from tests.crash import syscalls

SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN: _IOR('X', 125, __u32), linux/fs/ext4/ext4.h
NO_LOG_FLUSH = 2  # EXT4_GOING_FLAGS_NOLOGFLUSH: the journal in memory is lost too
SIZE = "64M"


class Disk:
    """An ext4 in a file, mounted over a loop device."""

    def __init__(self, folder: Path) -> None:
        self.image, self.mount = folder / "disk.img", folder / "disk"
        self.mount.mkdir()
        _run("truncate", "-s", SIZE, self.image)
        _run("mkfs.ext4", "-q", "-F", self.image)

    def plug_in(self) -> None:
        _run("mount", "-o", "loop,commit=300", self.image, self.mount)  # no commit of the journal by the clock

    def cut_power(self) -> None:
        descriptor = os.open(self.mount, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(descriptor)
        self.unplug()
        self.plug_in()

    def unplug(self) -> None:
        _run("umount", self.mount)


@contextmanager
def plugged_in(folder: Path) -> Iterator[Disk]:
    disk = Disk(folder)
    disk.plug_in()
    try:
        yield disk
    finally:
        disk.unplug()


def _run(*command: object) -> None:
    subprocess.run([str(word) for word in command], check=True, capture_output=True)


def possible() -> str:
    """Return why the power cannot be cut here; "" where it can."""
    if os.geteuid() != 0:
        return "needs root, to mount an ext4 and shut it down"
    missing = [tool for tool in ("strace", "mkfs.ext4", "mount") if not shutil.which(tool)]
    if missing:
        return f"needs {', '.join(missing)}"
    try:
        with tempfile.TemporaryDirectory() as folder, plugged_in(Path(folder)) as disk:
            disk.cut_power()
    except (OSError, subprocess.CalledProcessError):
        return "needs loop devices, and a kernel that lets ext4 be shut down"
    return ""


def cuts(folder: Path, weaken: str = "", every: int = 1) -> Iterator[tuple[str, list[str] | None]]:
    """Cut the power at every point of a delivery, and after it was answered; yield what must not be.

    Or at each `every`-th point; None is found at the others.
    """
    with plugged_in(folder) as disk:
        made = syscalls.bench(folder)
        for where, place in (("beside the ledger", disk.mount), ("apart from the ledger", folder)):
            for prepared in syscalls.PREPARED:
                points = _points(made, disk, place, prepared)
                for number, point in enumerate(["answered", "marked", *points]):
                    tried = number < 2 or not number % every
                    found = _cut(made, disk, place, prepared, point, weaken) if tried else None
                    yield f"{where}, {prepared}, {point}", found


def settings_on(made: syscalls.Bench, disk: Disk, place: Path) -> Settings:
    settings = made.fresh()
    data = disk.mount / settings.data.name
    return replace(settings, data=data, output=data / "output", ledger=f"sqlite:{place / settings.data.name}.db")


def _points(made: syscalls.Bench, disk: Disk, place: Path, prepared: str) -> list[syscalls.Point]:
    settings, log = settings_on(made, disk, place), made.folder / "strace.log"
    syscalls.hit(None, log, lambda: syscalls.PREPARED[prepared](made, settings), syscalls.deliver_and_mark)
    shutil.rmtree(settings.data)
    return [point for point in syscalls.points(syscalls.calls(log)) if point.how == "signal=KILL"]


def _cut(
    made: syscalls.Bench, disk: Disk, place: Path, prepared: str, point: syscalls.Point | str, weaken: str
) -> list[str]:
    """Cut at a point, or with everything done once it was answered or marked."""
    settings = settings_on(made, disk, place)

    def prepare() -> object:
        WEAKEN[weaken]()
        syscalls.context(made, settings).ledger.close()
        os.sync()  # what was there before the deliveries is not what is looked at
        return syscalls.PREPARED[prepared](made, settings)

    work = syscalls.deliver if point == "answered" else syscalls.deliver_and_mark
    told = syscalls.hit(None if isinstance(point, str) else point, made.folder / "strace.log", prepare, work)
    disk.cut_power()
    try:
        return syscalls.violations(made, settings, told, prepared)
    finally:
        shutil.rmtree(settings.data, ignore_errors=True)


def _without_fsync(of: Callable[[int], bool]) -> None:
    real = os.fsync
    os.fsync = lambda descriptor: None if of(os.fstat(descriptor).st_mode) else real(descriptor)


def _without_fsync_of_files() -> None:
    _without_fsync(stat.S_ISREG)
    durable.NewFile.start_writing = lambda _: None  # early write-back alone would carry most of it to the disk


def _without_synchronous() -> None:
    connect = schema.connect

    def careless(path: Path):
        connection = connect(path)
        connection.pragma("synchronous", "off")
        return connection

    schema.connect = careless
    writers.Writers._set_synchronous = lambda self, how: None


def _with_names_given_again() -> None:
    take = stage.Spare.take

    def careless(self: stage.Spare) -> Folder | None:
        folder = take(self)
        if folder:
            folder.names = 0
        return folder

    stage.Spare.take = careless


WEAKEN = {
    "": lambda: None,
    "file": _without_fsync_of_files,
    "folder": lambda: _without_fsync(stat.S_ISDIR),
    "synchronous": _without_synchronous,
    "names": _with_names_given_again,
}


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--weaken", choices=sorted(WEAKEN), default="")
    weaken = arguments.parse_args().weaken
    if reason := possible():
        sys.exit(reason)
    count = violations = 0
    with tempfile.TemporaryDirectory() as folder:
        for where, found in cuts(Path(folder), weaken):
            count += 1
            violations += len(found or ())
            for each in found or ():
                print(f"{where}: {each}", flush=True)
    print(f"{count} power cuts, {violations} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
