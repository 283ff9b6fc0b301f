"""The processes that are proven: nobody is let in here, so that no token is asked for."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from receiver.core.faults import Fault, Misconfigured, Severity, did_you_mean
from receiver.core.settings import Settings
from receiver.site.compiling import compile_site
from receiver.site.config.site import MAPPINGS, find
from receiver.site.process import Process


def processes(settings: Settings, names: Iterable[str] = ()) -> dict[str, Process]:
    """Return some processes of a site by name, or all. Raises `Misconfigured` where one is faulty or not there."""
    known = [folder.name for folder in find(settings.site)[0]]
    wanted = list(names) or known
    if unknown := list(_unknown(wanted, known)):
        raise Misconfigured(unknown)
    compiled, faults = compile_site(settings, {}, wanted)
    if not wanted or not set(wanted) <= set(compiled):
        raise Misconfigured(filter(_matters, faults))
    return {name: compiled[name] for name in wanted}


def _matters(fault: Fault) -> bool:
    return fault.severity is Severity.ERROR and not fault.code.startswith("token-")


def root(process: Process) -> Path:
    """Return the folder of the site that a process belongs to: it lies in <site>/mappings/<process>."""
    return process.config.folder.parents[1]


def _unknown(wanted: Sequence[str], known: Sequence[str]) -> Iterator[Fault]:
    there_are = f"there are: {', '.join(known)}" if known else ""
    for name in wanted:
        if name not in known:
            hint = did_you_mean(name, known) or there_are
            yield Fault(MAPPINGS, 1, 1, "no-such-process", f'there is no process "{name}"', hint)
