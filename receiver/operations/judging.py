"""Judges an edited site in a process of its own: no fault harms deliveries.

`python -m receiver.operations.judging`, with the settings of the service in its environment. What passes every
check of `receiver check` is put in force, process by process; what does not stays as it was, and is logged once.
"""

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from receiver import log
from receiver.authoring.check import inspect
from receiver.core.faults import ConfigurationError, Fault, Severity
from receiver.core.problems import Problem
from receiver.core.settings import Settings
from receiver.site import in_force
from receiver.site.compiling import SAMPLES, compile_pieces, digests
from receiver.site.config.build import read
from receiver.site.config.model import ProcessConfig
from receiver.site.config.site import MAPPINGS, conflicts, shared_files
from receiver.site.config.tokens import read_tokens
from receiver.site.in_force import Served, State
from receiver.site.pieces import further_outputs
from receiver.store.folders import group_id

MEMORY = 2 * 10**9  # bytes: fifty processes take 200 MB; a schema may be a bomb
PR_SET_PDEATHSIG = 1  # linux/prctl.h
Configs = dict[str, ProcessConfig]


def main(settings: Settings) -> int:
    """Judge the site; return 1 if that comes to no end."""
    log.set_up(settings.log)
    try:
        _put_in_force(settings)
    except Problem as problem:
        log.not_reloaded(problem.detail)
    except ConfigurationError as faulty:
        log.not_reloaded(str(faulty))
    except Exception as error:  # noqa: BLE001 (its own words might quote a sample)
        log.crashed(error)
    else:
        return 0
    return 1


def _put_in_force(settings: Settings) -> None:
    """Judge the site, unless that was done meanwhile or still being edited.

    Raises Problem, ConfigurationError.
    """
    with in_force.alone(settings.local):
        before = in_force.read(settings.local)
        if before is None:  # somebody has removed or spoilt it
            in_force.establish(settings)
            return
        seen = in_force.fingerprint(settings.site)
        if before.judged == seen:
            return
        target = in_force.new_copy(settings.local)
        in_force.copy(settings.site, target)
        if in_force.fingerprint(settings.site) != seen:
            return  # it is asked for again
        after = judge(settings, replace(settings, site=target), before, seen)
        in_force.write(settings.local, after)
    _log_changes(before, after)


def judge(settings: Settings, copied: Settings, before: State, seen: str) -> State:
    """Return the new state: changed processes that pass, all others as they were.

    `copied` are the settings with a copy of the site as theirs, `seen` is the fingerprint of what was copied.
    """
    found = digests(copied.site)
    changed = [name for name, digest in found.items() if before.digest(name) != digest]
    compiled = compile_pieces(copied, os.environ, changed)
    faults = {fault for fault in inspect(copied, compiled, os.environ) if fault.severity is Severity.ERROR}
    sound = {each.config.name: each.config for each in compiled.processes if not each.faults}
    for name in [name for name, config in sound.items() if _concerns(config, faults)]:
        del sound[name]
    faults |= _without_output(settings, sound, before)
    faults |= _in_conflict(settings, sound, before, found)
    kept = {name: each for name, each in before.processes.items() if name in found or not found}
    same = {name: replace(kept[name], copy=copied.site.name) for name in found if name not in changed}
    new = {name: Served(copied.site.name, found[name], str(_output(settings, sound[name]))) for name in sound}
    return State(seen, kept | same | new, tuple(map(str, sorted(faults))))


def _concerns(config: ProcessConfig, faults: set[Fault]) -> bool:
    """Return whether a fault is in a file of the process, or in a shared one."""
    site = config.folder.parents[1]
    shared = {path.relative_to(site).as_posix() for path in shared_files(config.folder, SAMPLES)}
    return any(fault.file.startswith(f"{MAPPINGS}/{config.name}/") or fault.file in shared for fault in faults)


def _output(settings: Settings, config: ProcessConfig) -> Path:
    return (settings.output / config.output.directory).absolute()


def _without_output(settings: Settings, sound: Configs, before: State) -> set[Fault]:
    """Remove processes whose output folder is not writable; return why."""
    faults = set()
    for name, config in list(sound.items()):
        try:
            in_force.create_output(settings, _output(settings, config), group_id(config.output.group), before)
            for folder, group in further_outputs(config, settings.output).items():
                in_force.create_output(settings, folder, group, None)
        except Problem as problem:
            faults.add(config.fault("output-unwritable", problem.detail, "output", "directory"))
            del sound[name]
    return faults


def _in_conflict(settings: Settings, sound: Configs, before: State, found: Mapping[str, str]) -> set[Fault]:
    """Remove processes that conflict with others in force; return why.

    One that is taken out stays as it was before, which another one may contradict in turn.
    """
    faults: set[Fault] = set()
    while True:
        old = _configs(settings, before, [name for name in before.processes if name in found and name not in sound])
        both = old | sound  # what changed comes last, and gets the blame
        tokens = {name: read_tokens(config, os.environ)[0] for name, config in both.items()}
        met = {
            each for each in conflicts(list(both.values()), tokens, settings.output) if each.severity is Severity.ERROR
        }
        blamed = [name for name, config in sound.items() if _concerns(config, met)]
        faults |= met
        if not blamed:
            return faults
        for name in blamed:
            del sound[name]


def _configs(settings: Settings, before: State, names: list[str]) -> Configs:
    sites = {name: in_force.place(settings.local, before.processes[name].copy) for name in names}
    return {name: read(site / MAPPINGS / name, site) for name, site in sites.items()}


def _log_changes(before: State, after: State) -> None:
    for name, served in after.processes.items():
        if before.digest(name) != served.digest:
            log.configured(name, served.digest)
    for name in before.processes.keys() - after.processes.keys():
        log.configured(name, "")
    for fault in after.kept_back:
        if fault not in before.kept_back:
            log.kept_back(fault)
    if before.kept_back and not after.kept_back:
        log.nothing_kept_back()


def end_with_parent() -> None:
    """Have this process killed when the one that started it ends, however it does."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL))


if __name__ == "__main__":
    end_with_parent()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    sys.exit(main(Settings.from_environment()))
