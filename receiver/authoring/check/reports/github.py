"""For GitHub Actions: workflow commands, which become annotations at the lines of a pull request.

https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
"""

from receiver.authoring.check.codes import CODES
from receiver.authoring.check.reports.findings import Findings, with_hint
from receiver.core.faults import Fault, Severity

COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
IN_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
IN_PROPERTY = {**IN_DATA, ":": "%3A", ",": "%2C"}


def report(findings: Findings) -> str:
    """Write one command for each finding, and the summary as plain text."""
    return "\n".join([*(_command(findings.file(fault), fault) for fault in findings.faults), findings.summary()])


def _command(file: str, fault: Fault) -> str:
    title = f"{fault.code}: {CODES[fault.code]}"
    properties = {"file": file, "line": str(fault.line), "col": str(fault.column), "title": title}
    written = ",".join(f"{name}={_escaped(value, IN_PROPERTY)}" for name, value in properties.items())
    return f"::{COMMANDS[fault.severity]} {written}::{_escaped(with_hint(fault), IN_DATA)}"


def _escaped(text: str, escapes: dict[str, str]) -> str:
    return "".join(escapes.get(letter, letter) for letter in text)
