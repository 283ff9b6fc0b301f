"""The context of a delivery: processes, ledger, a stage for each output folder."""

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from receiver import log
from receiver.core.delivery import Arrival
from receiver.core.faults import ConfigurationError
from receiver.core.problems import Code, Problem
from receiver.core.settings import Settings
from receiver.site import in_force
from receiver.site.compiling import compile_site
from receiver.site.in_force import State
from receiver.site.process import Process
from receiver.store import journal, originals, quarantine
from receiver.store.durable import storage
from receiver.store.folders import FOLDER_MODE
from receiver.store.ledger import Ledger
from receiver.store.recover import Report, recover
from receiver.store.rows import Roots
from receiver.store.stage import FOLDER, Stage, free_space, stage_for
from receiver.store.staged import Staged


@dataclass(frozen=True, slots=True)
class Context:
    """Everything that is shared by the threads of one worker."""

    settings: Settings
    processes: Mapping[str, Process]
    ledger: Ledger
    stages: dict[str, Stage]  # by process; none yet if the output folder is away

    def stage(self, process: Process) -> Stage:
        """Return the stage of a process.

        Raises `Problem` as long as its output folder is away.
        """
        found = self.stages.get(process.name)
        if found is None or found.owner != self.ledger.owner or not found.serves(process.output):
            if found:
                found.close()
            found = self.stages[process.name] = stage_of(self.settings, process, self.ledger.owner, create=False)
        return found

    def away(self) -> dict[str, Problem]:
        """Return why the output of a process cannot be written, for each that cannot."""
        found: dict[str, Problem] = {}
        for name, process in self.processes.items():
            try:
                self.stage(process)
            except Problem as problem:
                found[name] = problem
        return found

    def stage_with_space(self, process: Process) -> Stage:
        """Return the stage of a process for a delivery.

        Raises `Problem` as `stage` does, and if a disk that the delivery needs has less free space than the settings
        ask for.
        """
        stage = self.stage(process)
        stage.disks = stage.disks or _one_on_each([stage.root, self.settings.data, *self.ledger.folders])
        for folder in stage.disks:
            if free_space(folder) < self.settings.min_free:
                raise Problem(Code.DISK_FULL, "There is too little free space to take a delivery.")
        return stage

    def disks(self) -> list[Path]:
        """Return one folder on each file system that is written to."""
        outputs = [folder for process in self.processes.values() for folder in (process.output, *process.further)]
        return _one_on_each([self.settings.data, *self.ledger.folders, *sorted(self.roots()), *sorted(outputs)])

    def recover(self) -> Report:
        """Finish or sweep what a crash left behind, while others are at work.

        Raises `Problem`.
        """
        return recover(self.ledger, self.settings.data, self.roots())

    def announce(self) -> None:
        """Report to other hosts which site is served here. Raises `Problem`.

        A folder in the stage tells them that it is the same disk, also if deliveries are put together elsewhere.
        """
        if self.ledger.hosts:
            with storage("create a folder in the stage"):
                self.place_of(self.ledger.owner).mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            self.ledger.hosts.serve(self.site_digest())

    def place_of(self, incarnation: str) -> Path:
        """Return the folder in the stage that each process of several hosts has."""
        return self.settings.data / FOLDER / incarnation

    def shown(self, path: str) -> str:
        """Return a path as receipts tell it: from the root of all output on, if it lies in there."""
        return path.removeprefix(f"{self.ledger.roots.folders['output']}/")

    def site_digest(self) -> str:
        """Return what is the same on two hosts that serve the same."""
        text = "\n".join(f"{name} {process.digest}" for name, process in sorted(self.processes.items()))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def roots(self) -> set[Path]:
        """Return the folders of all stages."""
        return {stage.root for stage in list(self.stages.values())}


def _one_on_each(folders: Iterable[Path]) -> list[Path]:
    """Return the first folder on each file system of those that are there."""
    found: dict[int, Path] = {}
    for folder in folders:
        with suppress(OSError):
            found.setdefault(folder.stat().st_dev, folder)
    return list(found.values())


@dataclass(slots=True)
class ContextHolder:
    """The context in force.

    A reload puts another in its place; a delivery goes on in the one it began in.
    """

    context: Context


class Intake(NamedTuple):
    """One delivery being received: its process, sender, and folder in the stage."""

    context: Context
    process: Process
    arrival: Arrival
    staged: Staged


def open_context(settings: Settings, processes: Mapping[str, Process], *, create: bool = True) -> Context:
    """Return the context, after finishing or sweeping what a crash left.

    The ledger must have been created before.

    Raises `Problem`.
    """
    context = open_unrecovered(settings, processes, create=create)
    log.recovered(context.recover())
    return context


def open_unrecovered(settings: Settings, processes: Mapping[str, Process], *, create: bool = True) -> Context:
    """Return the context as a crash may have left it. Raises `Problem`.

    Output folders that are missing are created, or waited for: a disk that is away must not be replaced by a folder
    on the one below it. Only what puts a site in force creates them (`site.in_force`), and a verb that runs before
    the first start.
    """
    quarantine.ensure_folder(settings.data)
    originals.ensure_folder(settings.data)
    ledger = Ledger(settings.ledger, Roots.of(settings))
    return Context(settings, processes, ledger, stages_of(settings, processes, ledger.owner, create=create))


def processes_in_force(settings: Settings, state: State) -> dict[str, Process]:
    """Return the processes in force without tokens, for those beside the service.

    Raises `ConfigurationError` if one that was proven cannot be compiled here.
    """
    found: dict[str, Process] = {}
    for site, names in in_force.sites(settings, state):
        compiled, faults = compile_site(site, {}, names)
        if not set(names) <= set(compiled):
            raise ConfigurationError(faults)
        found |= {name: compiled[name] for name in names}
    return found


def stages_of(settings: Settings, processes: Mapping[str, Process], owner: str, *, create: bool) -> dict[str, Stage]:
    """Return the stages of processes whose output folder is, or can be, writable.

    `Context.stage` tries again for the others, and says why.
    """
    found: dict[str, Stage] = {}
    for name, process in processes.items():
        with suppress(Problem):
            found[name] = stage_of(settings, process, owner, create=create)
    return found


def stage_of(settings: Settings, process: Process, owner: str, *, create: bool) -> Stage:
    """Return a process's stage, and begin its output's journal if it is to have one.

    Raises `Problem`.
    """
    stage = stage_for(settings.data, process.output, owner=owner, create=create)
    for further in process.further:
        stage.require_leads_to(further, create=create)
    for folder in (process.output, *process.further) if process.config.output.journal else ():
        journal.ensure_folder(folder)
    return stage
