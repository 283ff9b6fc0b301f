"""What a delivery needs around it: the processes, the ledger, and a stage for each output folder."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from receiver import log
from receiver.delivery import Arrival
from receiver.problems import Code, Problem
from receiver.process import Process
from receiver.settings import Settings
from receiver.store import originals, quarantine
from receiver.store.folders import free_space
from receiver.store.ledger import Ledger
from receiver.store.recover import Report, recover
from receiver.store.stage import Stage, Staged, stage_for


@dataclass(frozen=True, slots=True)
class House:
    """Everything that is shared by the threads of one worker."""

    settings: Settings
    processes: Mapping[str, Process]
    ledger: Ledger
    stages: Mapping[str, Stage]  # by process

    def require_space(self, process: Process) -> None:
        """Raise `Problem` where the disk of the stage has less free space than the settings ask for."""
        if free_space(self.stages[process.name].root) < self.settings.min_free:
            raise Problem(Code.DISK_FULL, "There is too little free space to take a delivery.")

    def disks(self) -> list[Path]:
        """Return one folder on each file system that is written to."""
        found: dict[int, Path] = {}
        for folder in (self.settings.data, *(stage.root for stage in self.stages.values())):
            with suppress(OSError):
                found.setdefault(folder.stat().st_dev, folder)
        return list(found.values())

    def recover(self) -> Report:
        """Finish or sweep what a crash left behind, beside whoever is at work. Raises `Problem`."""
        return recover(self.ledger, self.settings.data, {stage.root for stage in self.stages.values()})


@dataclass(slots=True)
class Current:
    """The house in force. A reload puts another in its place; who is at work goes on in the one it began in."""

    house: House


@dataclass(frozen=True, slots=True)
class Reception:
    """One delivery being taken in: where, for which process, from whom, and the folder in which it is put together."""

    house: House
    process: Process
    arrival: Arrival
    staged: Staged


def opened(settings: Settings, processes: Mapping[str, Process]) -> House:
    """Return the house, with what a crash left behind finished or swept. Raises `Problem`.

    The ledger must have been created before.
    """
    house = unrecovered(settings, processes)
    log.recovered(house.recover())
    return house


def unrecovered(settings: Settings, processes: Mapping[str, Process], *, create: bool = True) -> House:
    """Return the house as a crash may have left it; output folders that are missing are created. Raises `Problem`."""
    quarantine.own(settings.data)
    originals.own(settings.data)
    stages = {name: stage_for(settings.data, process.output, create=create) for name, process in processes.items()}
    return House(settings, processes, Ledger(settings.ledger), stages)
