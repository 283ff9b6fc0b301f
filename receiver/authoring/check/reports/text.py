"""For people: one line for each finding, in colour on a terminal."""

import click

from receiver.authoring.check.reports.findings import Findings, with_hint
from receiver.core.faults import Fault, Severity

SAMPLES = "; receiver test tells what the samples become"
COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


def report(findings: Findings) -> str:
    """Write `file:line:column: CODE message (hint)`, what is no error with its severity behind it, and a summary."""
    errors = any(fault.severity is Severity.ERROR for fault in findings.faults)
    further = "" if errors else SAMPLES
    return "\n".join([*map(_line, findings.faults), findings.summary() + further])


def _line(fault: Fault) -> str:
    place = click.style(f"{fault.file}:{fault.line}:{fault.column}:", bold=True)
    code = click.style(fault.code, fg=COLOURS[fault.severity])
    severity = "" if fault.severity is Severity.ERROR else click.style(f" [{fault.severity}]", dim=True)
    return f"{place} {code} {with_hint(fault)}{severity}"
