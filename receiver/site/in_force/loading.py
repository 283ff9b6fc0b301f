"""Puts the site in force when the service starts, and compiles what is in force for a worker."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from receiver.core.settings import Settings
from receiver.site.in_force import site_copy, state
from receiver.site.in_force.state import Served, State
from receiver.site.process import Process, compiling
from receiver.store.sharing import share_folders
from receiver.store.stage import stage_for


def establish(settings: Settings) -> dict[str, Process]:
    """Put the site in force as it lies there, whole, and return its processes.

    Whoever calls it is `state.alone`. Raises `Misconfigured` where it is faulty, with every error there is, and
    `Problem`.
    """
    seen = site_copy.fingerprint(settings.site)
    target = state.new_copy(settings.data)
    site_copy.copy(settings.site, target)
    processes = compiling.proven(replace(settings, site=target))
    before = state.read(settings.data)
    for process in processes.values():
        create_output(settings, process.output, process.group, before)
    served = {name: Served(target.name, each.digest, str(each.output)) for name, each in processes.items()}
    state.write(settings.data, State(seen, served))
    return processes


def create_output(settings: Settings, output: Path, group: int | None, before: State | None) -> None:
    """Create the output folder of what comes into force, for its group if it has one. Raises `Problem` where it cannot.

    What was an output before had its folder: where that is missing now, a disk is away, and comes back.
    """
    if before is None or not before.has_output(output) or output.is_dir():
        stage_for(settings.data, output)
        if group is not None:
            share_folders(str(output), str(output), group)


def load(settings: Settings, current: State, known: Mapping[str, Process] = MappingProxyType({})) -> dict[str, Process]:
    """Return the processes in force: those that are `known` already as they are, the others compiled.

    Raises `Misconfigured` where one that was proven cannot be compiled here.
    """
    same = {name: known[name] for name in known if _is_same(known[name], current.processes.get(name))}
    processes = dict(same)
    for site, names in sites(settings, current):
        if missing := [name for name in names if name not in same]:
            processes |= compiling.proven(site, os.environ, missing)
    return dict(sorted(processes.items()))


def sites(settings: Settings, current: State) -> Iterator[tuple[Settings, list[str]]]:
    """Yield each copy in force as the settings' site, with the processes that are served from it."""
    for copy in sorted({each.copy for each in current.processes.values()}):
        names = [name for name, each in current.processes.items() if each.copy == copy]
        yield replace(settings, site=state.place(settings.data, copy)), names


def _is_same(process: Process, served: Served | None) -> bool:
    return served is not None and served.digest == process.digest
