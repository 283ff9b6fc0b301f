"""What process.toml needs on this host.

Folders and groups for the output, programs and variables for notices.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from receiver.authoring.check.site import Site
from receiver.core.faults import Fault, Severity
from receiver.site import in_force
from receiver.site.compiling import SCHEMAS
from receiver.site.config.model import ProcessConfig
from receiver.site.config.site import MAPPINGS, directories
from receiver.site.pieces import groups
from receiver.store import originals, quarantine, stage
from receiver.store.folders import group_id, is_member

OWN = (stage.FOLDER, quarantine.FOLDER, originals.FOLDER)  # under RECEIVER_DATA


def folders(site: Site) -> Iterator[Fault]:
    """Yield output folders of the program, or not on their stage's file system."""
    data = site.settings.data.resolve()
    for process in site.processes:
        written = process.config.output.directory
        folder = (site.settings.output / written).resolve()
        fault = process.config.fault
        taken = next((name for name in _own(site) if _touch(folder, name)), None)
        if taken:
            message = f"this folder is, holds or lies in {taken.name}/, which is not for published files"
            hint = "give the process an output folder of its own"
            yield fault("output-reserved", message, "output", "directory", hint=hint)
        elif _device(folder) != _device(data):
            message = "this folder lies on another file system than RECEIVER_DATA"
            hint = f"deliveries are put together in {written.rstrip('/')}/.stage: whoever polls must pass it over"
            yield fault("stage-elsewhere", message, "output", "directory", hint=hint, severity=Severity.WARNING)
        yield from _further(site, process.config, _device(folder))
        yield from _group(process.config)


def _further(site: Site, config: ProcessConfig, device: int) -> Iterator[Fault]:
    """Yield further output folders with the same faults.

    Those that belong to the program, or are not on the file system of the process's own.
    """
    for position, written in directories(config)[1:]:
        folder = (site.settings.output / written).resolve()
        if taken := next((name for name in _own(site) if _touch(folder, name)), None):
            message = f"this folder is, holds or lies in {taken.name}/, which is not for published files"
            yield config.fault("output-reserved", message, *position, hint="give it a folder of its own")
        elif _device(folder) != device:
            message = "this folder lies on another file system than the process's own output folder"
            hint = "put both on one, or let a process of its own write there"
            yield config.fault("output-unwritable", message, *position, hint=hint)


def _group(config: ProcessConfig) -> Iterator[Fault]:
    """Yield a group that the user who runs the check is not in.

    An unknown group has its fault already.
    """
    for position, written in groups(config):
        with suppress(KeyError):
            group = group_id(written)
            if group is not None and not is_member(group):
                message = "the user that runs this check is no member of the group, as the service must be"
                hint = f"usermod --append --groups {written} receiver, then restart the service"
                yield config.fault("not-a-member", message, *position, hint=hint, severity=Severity.WARNING)


def _own(site: Site) -> list[Path]:
    root = site.settings.site
    folders = [*(site.settings.data / name for name in OWN), site.settings.local / in_force.FOLDER]
    return [folder.resolve() for folder in (*folders, root / MAPPINGS, root / SCHEMAS)]


def _touch(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)


def _device(folder: Path) -> int:
    """Return the file system of a folder, or of its nearest parent that exists."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    return existing.stat().st_dev


def notices(site: Site) -> Iterator[Fault]:
    """Yield missing programs and unset variables; the service's host needs them."""
    for process in site.processes:
        yield from _command(process.config)
        yield from _webhook(process.config, site)


def _command(config: ProcessConfig) -> Iterator[Fault]:
    program = next(iter(config.notify.command), None)
    if program and not (Path(program).is_file() and os.access(program, os.X_OK)):
        message, hint = "this program is not here, or may not be run", "where the service runs it must be there"
        path = ("notify", "command", 0)
        yield config.fault("program-missing", message, *path, hint=hint, severity=Severity.WARNING)


def _webhook(config: ProcessConfig, site: Site) -> Iterator[Fault]:
    variable = config.notify.variable
    if variable and not site.environ.get(variable, "").strip():
        message = f"the variable {variable} is not set: nobody would be told"
        hint = f"set {variable} in the environment of the service"
        yield config.fault("variable-missing", message, "notify", "webhook", hint=hint, severity=Severity.WARNING)
