"""`receiver check`: all faults of the configuration in one run."""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict

import click

from receiver.compiling import compile_site
from receiver.faults import Fault, Severity
from receiver.settings import Settings

COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


@click.command()
@click.argument("processes", nargs=-1)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How faults are written.")
def command(processes: Sequence[str], form: str) -> None:
    """Prove the configuration of PROCESSES, or of the whole site: every fault, with its file, line and column.

    Ends with 0 where nothing is wrong, 1 where there are findings, 2 where a process of that name does not exist.
    """
    settings = Settings.from_environment()
    compiled, faults = compile_site(settings, os.environ)
    known = {path.name for path in (settings.site / "mappings").glob("*/")}
    if missing := sorted(set(processes) - known):
        raise click.UsageError(f"no such process: {', '.join(missing)} (there are: {', '.join(sorted(known))})")
    if processes:
        prefixes = tuple(f"mappings/{name}/" for name in processes)
        faults = [fault for fault in faults if fault.file.startswith(prefixes) or fault.file.startswith("schemas/")]
    show = _show_json if form == "json" else _show_text
    show(faults, len(processes or compiled))
    sys.exit(1 if any(fault.severity is Severity.ERROR for fault in faults) else 0)


def _show_text(faults: Sequence[Fault], count: int) -> None:
    for fault in faults:
        place, _, rest = str(fault).partition(f" {fault.code} ")
        click.echo(f"{click.style(place, bold=True)} {click.style(fault.code, fg=COLOURS[fault.severity])} {rest}")
    if not faults:
        click.echo(f"{count} {'process' if count == 1 else 'processes'}: no fault")


def _show_json(faults: Sequence[Fault], _count: int) -> None:
    click.echo(json.dumps([asdict(fault) for fault in faults], ensure_ascii=False, indent=2))
