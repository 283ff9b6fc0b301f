"""For programs: a list of objects, one for each finding."""

import json
from dataclasses import asdict

from receiver.authoring.check.reports.findings import Findings


def report(findings: Findings) -> str:
    """Write every finding with file, line, column, code, message, hint and severity."""
    return json.dumps([asdict(fault) for fault in findings.faults], ensure_ascii=False, indent=2)
