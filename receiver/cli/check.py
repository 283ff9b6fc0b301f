"""`receiver check`: all faults of the configuration in one run."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from receiver.authoring.check import check, findings
from receiver.authoring.check.findings import Findings
from receiver.core.faults import Fault, Severity, did_you_mean
from receiver.core.settings import Settings
from receiver.site.compiling import SCHEMAS
from receiver.site.config.site import MAPPINGS, find
from receiver.templates.library import SHARED

REPORTS: dict[str, Callable[[Findings], str]] = {
    "text": findings.for_people,
    "json": findings.for_programs,
    "sarif": findings.report,
    "github": findings.for_github,
}


@click.command()
@click.argument("processes", nargs=-1)
@click.option("--format", "form", type=click.Choice(list(REPORTS)), default="text", help="How findings are written.")
@click.option("--strict", is_flag=True, help="Warnings count as well.")
def command(processes: Sequence[str], form: str, strict: bool) -> None:
    """Prove the configuration of PROCESSES, or of the whole site.

    Every fault is told, with its file, line and column.

    Ends with 0 if nothing is wrong, 1 if there are errors (with --strict also for warnings), 2 if a
    process of that name does not exist. What is only worth a look (info) never counts.
    """
    settings = Settings.from_environment()
    known = [folder.name for folder in find(settings.site)[0]]
    if missing := sorted(set(processes) - set(known)):
        near = did_you_mean(missing[0], known) or f"there are: {', '.join(known)}"
        raise click.UsageError(f"no such process: {', '.join(missing)} ({near})")
    concerns = _concerning(settings.site, processes)
    faults = [fault for fault in check(settings, os.environ) if not processes or concerns(fault)]
    click.echo(REPORTS[form](Findings(faults, len(processes or known), settings.site)))
    counting = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    sys.exit(1 if any(fault.severity in counting for fault in faults) else 0)


def _concerning(site: Path, processes: Sequence[str]) -> Callable[[Fault], bool]:
    """Return a test whether a fault is of some processes, or of what all share.

    What is only worth a look in a schema is of those that name the schema.
    """
    own = tuple(f"{MAPPINGS}/{name}/" for name in processes)
    texts = [(site / MAPPINGS / name / "process.toml").read_text("utf-8", "replace") for name in processes]

    def concerns(fault: Fault) -> bool:
        if fault.file.startswith(f"{SCHEMAS}/") and fault.severity is Severity.INFO:
            return any(fault.file.removeprefix(f"{SCHEMAS}/") in text for text in texts)
        return fault.file.startswith((*own, f"{MAPPINGS}/{SHARED}/", f"{SCHEMAS}/"))

    return concerns
