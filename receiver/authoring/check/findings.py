"""The findings of a run: for people, programs, GitHub Actions, and as SARIF.

SARIF 2.1.0 (OASIS, 2020).
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple
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
        """Return a fault's file relative to the working directory, if it is below that."""
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
    """Write `file:line:column: CODE message (hint)` for each fault, and a summary.

    Faults that are not errors have their severity behind the message.
    """
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


MEANT = re.compile(r'did you mean "(.+)"\?')  # as `did_you_mean` writes it
WORD = re.compile(r"[\w./+-]+")
STEP = re.compile(r"\w+")


class Edit(NamedTuple):
    """The replacement of a part of a fault's line.

    Columns count from 1; the end is behind the last character.
    """

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
    """Return the edit that fixes a fault; None if there is none to make."""
    try:
        line = (site / fault.file).read_text("utf-8-sig").split("\n")[fault.line - 1]
    except (OSError, UnicodeDecodeError, IndexError):
        return None
    meant = MEANT.search(fault.hint)
    return _instead(line, fault, meant[1]) if meant else _rewritten(line, fault)


def _instead(line: str, fault: Fault, meant: str) -> Edit | None:
    """Return the edit that replaces the word in the message, or one near it."""
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
