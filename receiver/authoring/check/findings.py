"""The findings of one run, written for people, for programs and for GitHub Actions."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

import click

from receiver.authoring.check.codes import CODES
from receiver.core.faults import Fault, Severity


@dataclass(frozen=True, slots=True)
class Findings:
    """The faults of some processes."""

    faults: Sequence[Fault]
    processes: int  # that were looked at
    site: Path

    def file(self, fault: Fault) -> str:
        """Return a fault's file as it is called from the working directory, where the site lies below that."""
        path, here = (self.site / fault.file).absolute(), Path.cwd()
        return path.relative_to(here).as_posix() if path.is_relative_to(here) else path.as_posix()

    def uri(self, fault: Fault) -> str:
        """Return the same as a URI reference (RFC 3986 §4.1)."""
        file = self.file(fault)
        return f"file://{quote(file)}" if file.startswith("/") else quote(file)

    def summary(self) -> str:
        """Count the findings: "3 processes: 1 error, 2 warnings"."""
        counts = Counter(fault.severity for fault in self.faults)
        counted = [_counted(counts[severity], severity.value) for severity in Severity if counts[severity]]
        return f"{_counted(self.processes, 'process', 'es')}: {', '.join(counted) or 'no fault'}"


def with_hint(fault: Fault) -> str:
    """Write a fault's message with its hint."""
    return f"{fault.message} ({fault.hint})" if fault.hint else fault.message


def _counted(number: int, word: str, plural: str = "s") -> str:
    return f"{number} {word}{'' if number == 1 else plural}"


SAMPLES = "; receiver test tells what the samples become"
COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


def for_people(findings: Findings) -> str:
    """Write `file:line:column: CODE message (hint)`, what is no error with its severity behind it, and a summary."""
    errors = any(fault.severity is Severity.ERROR for fault in findings.faults)
    further = "" if errors else SAMPLES
    return "\n".join([*map(_line, findings.faults), findings.summary() + further])


def _line(fault: Fault) -> str:
    place = click.style(f"{fault.file}:{fault.line}:{fault.column}:", bold=True)
    code = click.style(fault.code, fg=COLOURS[fault.severity])
    severity = "" if fault.severity is Severity.ERROR else click.style(f" [{fault.severity}]", dim=True)
    return f"{place} {code} {with_hint(fault)}{severity}"


def for_programs(findings: Findings) -> str:
    """Write every finding with file, line, column, code, message, hint and severity."""
    return json.dumps([asdict(fault) for fault in findings.faults], ensure_ascii=False, indent=2)


COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
IN_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
IN_PROPERTY = {**IN_DATA, ":": "%3A", ",": "%2C"}


def for_github(findings: Findings) -> str:
    """Write one command for each finding, and the summary as plain text."""
    return "\n".join([*(_command(findings.file(fault), fault) for fault in findings.faults), findings.summary()])


def _command(file: str, fault: Fault) -> str:
    title = f"{fault.code}: {CODES[fault.code]}"
    properties = {"file": file, "line": str(fault.line), "col": str(fault.column), "title": title}
    written = ",".join(f"{name}={_escaped(value, IN_PROPERTY)}" for name, value in properties.items())
    return f"::{COMMANDS[fault.severity]} {written}::{_escaped(with_hint(fault), IN_DATA)}"


def _escaped(text: str, escapes: dict[str, str]) -> str:
    return "".join(escapes.get(letter, letter) for letter in text)
