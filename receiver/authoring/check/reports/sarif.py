"""For code scanning: SARIF 2.1.0 (OASIS, 2020)."""

import json
from importlib.metadata import version
from typing import Any

from receiver.authoring.check.codes import CODES
from receiver.authoring.check.reports.findings import Findings, with_hint
from receiver.authoring.check.reports.fixes import Edit, edit
from receiver.core.faults import Fault, Severity

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}  # §3.27.10


def report(findings: Findings) -> str:
    """Write one run with a result for each finding."""
    codes = sorted({fault.code for fault in findings.faults})
    driver = {"name": "receiver", "version": version("receiver"), "rules": [_rule(code) for code in codes]}
    results = [_result(findings, fault, codes.index(fault.code)) for fault in findings.faults]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2)


def _rule(code: str) -> dict[str, Any]:
    name = "".join(word.capitalize() for word in code.split("-"))
    return {"id": code, "name": name, "shortDescription": {"text": f"{CODES[code]}."}}


def _result(findings: Findings, fault: Fault, rule: int) -> dict[str, Any]:
    location = {
        "artifactLocation": {"uri": findings.uri(fault)},
        "region": {"startLine": fault.line, "startColumn": fault.column},
    }
    mended = edit(findings.site, fault)
    fixes = {"fixes": [_fix(findings, fault, mended)]} if mended else {}
    return {
        "ruleId": fault.code,
        "ruleIndex": rule,
        "level": LEVELS[fault.severity],
        "message": {"text": with_hint(fault)},
        "locations": [{"physicalLocation": location}],
        **fixes,
    }


def _fix(findings: Findings, fault: Fault, mended: Edit) -> dict[str, Any]:
    """Write the edit that mends a fault (§3.55)."""
    region = {
        "startLine": fault.line,
        "startColumn": mended.start,
        "endLine": fault.line,
        "endColumn": mended.end,
    }
    replacement = {"deletedRegion": region, "insertedContent": {"text": mended.text}}
    location = {"uri": findings.uri(fault)}
    return {
        "description": {"text": f'Write "{mended.text}".'},
        "artifactChanges": [{"artifactLocation": location, "replacements": [replacement]}],
    }
