"""What is told of a delivery that was tried and refused: the template's line, and what is to be done."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from receiver.authoring.cases.cases import Case
from receiver.core.faults import Fault, Severity
from receiver.core.problems import Code, Problem, Violation
from receiver.formats.hl7 import habits
from receiver.site.config.model import ProcessConfig, RecordConfig
from receiver.site.process import Process, RecordRule

TEMPLATE = re.compile(r"[^#]+(?<!\.xsd):[0-9]+")  # as a violation tells a line that is no schema's
WITHIN = ", record "  # between the template and the place in its record
OF_RECORDS = frozenset({Code.TEMPLATE_FAILED, Code.RECORD_INVALID, Code.NAME_TAKEN})
OF_TEXTS = frozenset(  # rules of filters that read a text: one that was made up from nothing may well break them
    {"date", "fixed", "number", "phone", "without", "person", "lookup", "value", "hl7_ts", "time", "zone", "limit"}
)


def of_values(problem: Problem) -> bool:
    """Return whether it was a template that refused the values, and not their schema."""
    return any(map(_template_place, problem.violations))


def _template_place(violation: Violation) -> str:
    """Return the line of the template that refused a value, or ""."""
    found = TEMPLATE.fullmatch(violation.schema or "")
    return found[0] if found else ""


@dataclass(slots=True)
class Verdicts:
    """Gathers the faults of one process, the first of its kind at each line."""

    site: Path
    config: ProcessConfig
    found: dict[tuple[str, int, str], Fault] = field(default_factory=dict)
    _written: dict[str, str] = field(default_factory=dict)  # template: the record that it wrote last

    def watched(self, process: Process) -> Process:
        """Return a process whose records are noted before they are judged."""
        rules = zip(process.records, process.config.records, strict=True)
        return replace(process, records=tuple(self._watched(rule, config) for rule, config in rules))

    def _watched(self, rule: RecordRule, config: RecordConfig) -> RecordRule:
        @cache  # many inputs become the same record
        def judged(content: bytes) -> tuple[Violation, ...]:
            return rule.check(content)

        def check(content: bytes) -> tuple[Violation, ...]:
            text = self._written[rule.template.name] = content.decode(rule.encoding)
            found = judged(content)
            if config.format == "hl7" and not found:
                self._unusual(rule.template.name, text)
            return found

        return replace(rule, check=check)

    def sample(self, problem: Problem, case: Case) -> None:
        """Report a sample that is to be published and is refused."""
        told_of_records = problem.code in OF_RECORDS or (not problem.rules and of_values(problem))
        for violation in problem.violations if told_of_records else ():
            hint = f"the sample {case.name} is to be published: mend one of the two"
            self._tell(violation, f"the sample {case.name} is refused", Severity.ERROR, hint)
        if not told_of_records:
            told = "; ".join(f"{each.where} {each.message}" for each in problem.violations) or problem.detail
            file = case.folder.relative_to(self.site).as_posix()
            hint = "mend one of the two, or expect it in expected/problem.json"
            self._note(Fault(file, 1, 1, "sample-refused", f"the sample is refused: {problem.code}: {told}", hint))

    def cut_off(self, problem: Problem, case: Case) -> None:
        """Report a sample that runs away; what else it meets is expected of it."""
        for violation in problem.violations:
            if violation.rule == "limit" and WITHIN not in violation.where:
                self._tell(violation, f"with the sample {case.name}", Severity.ERROR, "")

    def made_up(self, problem: Problem, what: str, *, exact: bool) -> None:
        """Report an input that schemas and rules let come; one that is not exact may break the rules of filters."""
        if problem.rules:
            return
        if problem.code is Code.NO_RECORD:
            self._without_records(what)
        for violation in problem.violations if problem.code in OF_RECORDS or of_values(problem) else ():
            if exact or WITHIN in violation.where or violation.rule not in OF_TEXTS:
                self._tell(violation, f"where {what}", Severity.WARNING, "guard it here, or refuse it in the schema")

    def _without_records(self, what: str) -> None:
        """Report a delivery that no record applies to, if nobody has said that this may be."""
        if "without_records" in self.config.source.data.get("delivery", {}):
            return
        message = f"no record is written where {what}"
        hint = "write a record for it, or say what is meant: without_records under [delivery]"
        path = ("records", 0, "when")
        self._note(self.config.fault("no-record", message, *path, hint=hint, severity=Severity.WARNING))

    def _unusual(self, file: str, text: str) -> None:
        """Report what of an HL7 message receivers do not expect, though the standard's structure has it."""
        for place, message in habits.findings(text):
            line = template_line((self.site / file).read_text("utf-8-sig"), text, place)
            hint = f"correct {place.partition(', ')[2]} here, unless your receiver asks for it so"
            self._note(Fault(file, line, 1, "hl7-unusual", f"{place}: {message}", hint, Severity.WARNING))

    def _place(self, where: str) -> tuple[str, int, int]:
        """Return file, line and column of a template's line; of two files with one name where the records are named."""
        file, _, number = where.rpartition(":")
        if number.isdecimal():
            return file, int(number), 1
        return self.config.source.file, *self.config.position("records", len(self.config.records) - 1, "path")

    def _tell(self, violation: Violation, what: str, severity: Severity, hint: str) -> None:
        file, within, place = violation.where.partition(WITHIN)
        told = f"{what}: {violation.message.rstrip('.')}"
        if within:
            text = (self.site / file).read_text("utf-8-sig")
            line = template_line(text, self._written.get(file, ""), place)
            self._note(Fault(file, line, 1, "record-invalid", f"{told} (in the record: {place})", hint, severity))
            return
        place_ = self._place(_template_place(violation) or violation.where)
        if violation.rule == "limit" and severity is Severity.ERROR:
            message = f"rendering was cut off here, {what}: too long or too large"
            hint = "a loop or a repetition has no end worth waiting for"
            self._note(Fault(*place_, "template-without-end", message, hint))
        elif violation.where == "path":
            self._note(Fault(*place_, "path-clash", told, "give each file a name of its own", severity))
        else:
            self._note(Fault(*place_, "render-fails", told, hint, severity))

    def _note(self, fault: Fault) -> None:
        self.found.setdefault((fault.file, fault.line, fault.code), fault)


TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
SPLIT = re.compile(r"\r\n|\r|\n")
PLACE = re.compile(r"line (\d+)")


def template_line(template: str, record: str, where: str) -> int:
    """Return the line of a template that wrote the line that a violation names: `where` is "line 3, PID-7"."""
    place = PLACE.match(where)
    lines = SPLIT.split(record)
    number = int(place[1]) if place else 1
    wanted = lines[number - 1].strip() if 0 < number <= len(lines) else ""
    scored = [(_score(pieces, wanted), number) for number, pieces in _literals(template)]
    best = max(scored, key=lambda each: each[0], default=(0, 1))
    return best[1] if best[0] else next((number for score, number in scored), 1)


def _literals(template: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the literal pieces of each line of a template that writes something."""
    blank = TAG.sub(lambda tag: "\0" + "\n" * tag[0].count("\n"), template)
    for number, text in enumerate(blank.split("\n"), 1):
        pieces = [piece.strip() for piece in text.split("\0") if piece.strip()]
        if pieces:
            yield number, pieces


def _score(pieces: list[str], wanted: str) -> int:
    """Return how much of a line a template's line wrote: 0 if it did not."""
    position = found = 0
    for piece in pieces:
        place = wanted.find(piece, position)
        if place >= 0:
            position, found = place + len(piece), found + len(piece)
    starts = wanted.startswith(pieces[0])
    return 2 * found - sum(map(len, pieces)) + (len(pieces[0]) if starts else 0) if found else 0
