"""Templates that run away: the samples are rendered as deliveries are, within the same bounds of time and size.

What the records must satisfy is not asked here: `receiver test` does that, and reading a standard in takes its time.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from receiver.checking.site import Site
from receiver.faults import Fault
from receiver.problems import Violation
from receiver.process import Process
from receiver.proving.captured import NotARequest
from receiver.proving.cases import Case, cases, incoming
from receiver.proving.outcome import run


def faults(site: Site) -> Iterator[Fault]:
    """Yield each line of a template that rendering had to cut off."""
    for pieces in site.processes:
        process = pieces.process(Path(), "")
        for case in cases(_unchecked(process)) if process else ():
            for violation in _violations(case, site.settings.max_body):
                if violation.rule == "limit":
                    yield _cut_off(violation.where, case.name)


def _violations(case: Case, max_body: int) -> tuple[Violation, ...]:
    with suppress(NotARequest, OSError):  # `receiver test` tells of it
        problem = run(case.process, incoming(case, max_body)).problem
        return problem.violations if problem else ()
    return ()


def _unchecked(process: Process) -> Process:
    return replace(process, records=tuple(replace(rule, check=lambda _: ()) for rule in process.records))


def _cut_off(where: str, sample: str) -> Fault:
    file, _, line = where.rpartition(":")
    message = f"rendering was cut off here, with the sample {sample}: too long or too large"
    hint = "a loop or a repetition has no end worth waiting for"
    return Fault(file, int(line), 1, "template-without-end", message, hint)
