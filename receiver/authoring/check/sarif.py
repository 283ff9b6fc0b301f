"""For code scanning: SARIF 2.1.0 (OASIS, 2020), with the edit that mends a fault if its hint names one."""

import json
import re
from collections.abc import Callable
from difflib import get_close_matches
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from receiver.authoring.check.codes import CODES
from receiver.authoring.check.findings import Findings, with_hint
from receiver.core.faults import Fault, Severity

MEANT = re.compile(r'did you mean "(.+)"\?')  # as `did_you_mean` writes it
WORD = re.compile(r"[\w./+-]+")
STEP = re.compile(r"\w+")


class Edit(NamedTuple):
    """What to write instead of a part of a fault's line; columns from 1, the end is behind the last character."""

    start: int
    end: int
    text: str


QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
QUOTED_WORD = re.compile(r'"([^"]+)"')
BARE = re.compile(r"[^\s,\]}#]+")
EITHER = re.compile(r"\"[^\"]*\"|'[^']*'")
Rewrite = Callable[[re.Match[str], re.Match[str]], str]  # of the hint and of what stands there
MARKS = "\u201c\u201d\u201e\u2018\u2019\u201a\u00ab\u00bb'"  # that stand for quotes in texts of word processors
CURLY = re.compile(f'[{MARKS}]([^{MARKS}"]*)[{MARKS}]')
# A hint, what stands at the fault's place, and what to write instead
MENDED: tuple[tuple[re.Pattern[str], re.Pattern[str], Rewrite], ...] = (
    (re.compile("write straight (?:double )?quotes"), CURLY, lambda _hint, found: f'"{found[1]}"'),
    (re.compile("^write == to compare"), re.compile("(?<!=)=(?!=)"), lambda _hint, _found: "=="),
    (re.compile("^write `and`"), re.compile("&&?"), lambda _hint, _found: "and"),
    (re.compile("^write (true|false), in small"), BARE, lambda hint, _found: hint[1]),
    (re.compile("^put it in quotes$"), BARE, lambda _hint, found: f'"{found[0]}"'),
    (re.compile("without quotes$"), EITHER, lambda _hint, found: found[0][1:-1]),
    (re.compile('^write \\["…"\\], also'), EITHER, lambda _hint, found: f"[{found[0]}]"),
    (re.compile(r'^write ("[$\w]+")$'), QUOTED, lambda hint, _found: hint[1]),
)


def edit(site: Path, fault: Fault) -> Edit | None:
    """Return the edit that mends a fault; None if there is none, or the file cannot be read."""
    try:
        line = (site / fault.file).read_text("utf-8-sig").split("\n")[fault.line - 1]
    except (OSError, UnicodeDecodeError, IndexError):
        return None
    meant = MEANT.search(fault.hint)
    return _instead(line, fault, meant[1]) if meant else _rewritten(line, fault)


def _instead(line: str, fault: Fault, meant: str) -> Edit | None:
    """Return the edit that writes the word that was meant for the one that the message names, or for a near one."""
    start = fault.column - 1
    for named in QUOTED_WORD.findall(fault.message):
        place = line.find(named, start)
        if place >= 0 and named != meant:
            return Edit(place + 1, place + 1 + len(named), meant)
    pieces = [each for form in (STEP, WORD) for each in form.finditer(line, start) if each[0] != meant]
    words = [each[0].casefold() for each in pieces]
    near = get_close_matches(meant.casefold(), words, n=1, cutoff=0.6)  # as the hint was found
    wrong = next((each for each in pieces if near and each[0].casefold() == near[0]), None)
    return Edit(wrong.start() + 1, wrong.end() + 1, meant) if wrong else None


def _rewritten(line: str, fault: Fault) -> Edit | None:
    """Return the edit of a hint that says how to write what stands there."""
    for said, form, text in MENDED:
        hint, found = said.search(fault.hint), form.match(line, fault.column - 1)
        if hint and found:
            return Edit(found.start() + 1, found.end() + 1, text(hint, found))
    return None


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
