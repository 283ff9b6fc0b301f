"""Templates that run away: the samples are rendered as deliveries are, within the same bounds of time and size.

What the records must satisfy is not asked here: `receiver test` does that, and reading a standard in takes its time.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from receiver.checking.site import Site
from receiver.faults import Fault
from receiver.process import Process
from receiver.proving.cases import cases
from receiver.proving.proof import prove


def faults(site: Site) -> Iterator[Fault]:
    """Yield each line of a template that rendering had to cut off."""
    for pieces in site.processes:
        process = pieces.process(Path(), "")
        for case in cases(_unchecked(process)) if process else ():
            problem = prove(case, site.settings.max_body).outcome.problem
            for violation in problem.violations if problem else ():
                if violation.rule == "limit":
                    yield _cut_off(violation.where, case.name)


def _unchecked(process: Process) -> Process:
    return replace(process, records=tuple(replace(rule, check=lambda _: ()) for rule in process.records))


def _cut_off(where: str, sample: str) -> Fault:
    file, _, line = where.rpartition(":")
    message = f"rendering was cut off here, with the sample {sample}: too long or too large"
    hint = "a loop or a repetition has no end worth waiting for"
    return Fault(file, int(line), 1, "template-without-end", message, hint)
