"""Reports a trial that was refused: the template's line, and what to do."""

import re
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from receiver.authoring.cases.cases import Case
from receiver.authoring.check import conditions
from receiver.core.faults import Fault, Severity
from receiver.core.problems import Code, Problem, Violation
from receiver.formats.hl7 import habits
from receiver.site.config.model import ProcessConfig, RecordConfig
from receiver.site.process import Process, RecordRule
from receiver.templates import Condition, Template

TEMPLATE = re.compile(r"[^#]+(?<!\.xsd):[0-9]+")  # as a violation tells a line that is no schema's
WITHIN = ", record "  # between the template and the place in its record
OF_RECORDS = frozenset({Code.TEMPLATE_FAILED, Code.RECORD_INVALID, Code.NAME_TAKEN})
OF_TEXTS = frozenset(  # rules of filters that read a text: one that was made up from nothing may well break them
    {"age", "ascii", "date", "days_between", "extract", "fixed", "number", "phone", "plus", "sum_of", "without"}
    | {"person", "lookup", "value", "hl7_ts", "time", "zone", "limit"}
)


def of_values(problem: Problem) -> bool:
    """Return whether it was a template that refused the values, and not their schema."""
    return any(map(_template_place, problem.violations))


def _template_place(violation: Violation) -> str:
    """Return the line of the template that refused a value, or ""."""
    found = TEMPLATE.fullmatch(violation.schema or "")
    return found[0] if found else ""


class Remembering(Template):
    """A template that knows what it was rendered with last."""

    def __init__(self, template: Template) -> None:
        self.__dict__.update(template.__dict__)
        self.last: dict[str, object] = {}

    def render(self, names: dict[str, object]) -> str:
        """Return the record. Raises as `Template` does."""
        self.last = names
        return super().render(names)


class Asked(Condition):
    """A condition that notes how it turned out."""

    def __init__(self, condition: Condition, outcomes: set[bool]) -> None:
        self.__dict__.update(condition.__dict__)
        self.outcomes = outcomes

    def holds(self, names: dict[str, object]) -> bool:
        """Return whether it holds. Raises as `Condition` does."""
        held = super().holds(names)
        self.outcomes.add(held)
        return held


@dataclass(slots=True)
class Verdicts:
    """Gathers the faults of one process, the first of its kind at each line."""

    site: Path
    config: ProcessConfig
    found: dict[tuple[str, int, str], Fault] = field(default_factory=dict)
    _outcomes: dict[tuple[str, int, str], set[bool]] = field(default_factory=dict)  # of each condition, by its place

    def watched(self, process: Process) -> Process:
        """Return a process whose records are noted before they are judged."""
        rules = zip(process.records, process.config.records, strict=True)
        records = tuple(self._watched(rule, config, index) for index, (rule, config) in enumerate(rules))
        rules_ = [
            replace(rule, must=self._asked(rule.must, ("rules", index, "must")))
            for index, rule in enumerate(process.rules)
        ]
        return replace(process, records=records, rules=tuple(rules_))

    def constant(self) -> None:
        """Report conditions on one field that were true, or false, for every input."""
        for path, seen in self._outcomes.items():
            written = str(self._said(path))
            if (
                len(seen) == 1
                and conditions.field_alone(written)
                and not (True in seen and conditions.is_guard(written))
            ):
                said = "always" if True in seen else "never"
                message = f"this is {said} true, whatever the schema lets come"
                hint = "remove it" if True in seen else "compare the field with what may come"
                fault = self.config.fault("constant-condition", message, *path, hint=hint, severity=Severity.WARNING)
                self._note(fault)

    def _said(self, path: tuple[str, int, str]) -> str | None:
        _, index, key = path
        return self.config.rules[index].must if key == "must" else self.config.records[index].when

    def _asked(self, condition: Condition, path: tuple[str, int, str]) -> Condition:
        return Asked(condition, self._outcomes.setdefault(path, set()))

    def _watched(self, rule: RecordRule, config: RecordConfig, index: int) -> RecordRule:
        template = Remembering(rule.template)

        @cache  # many inputs become the same record
        def check(text: str) -> tuple[Violation, ...]:
            found = rule.check(text)
            if config.format == "hl7" and not found:
                self._unusual(template, text)
            return found

        when = self._asked(rule.when, ("records", index, "when")) if rule.when else None
        return replace(rule, template=template, check=check, when=when)

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
        """Report an input that schemas and rules accept.

        One that is not exact may break a filter's rules.
        """
        if problem.rules:
            return
        if problem.code is Code.NO_RECORD:
            self._without_records(what)
        for violation in problem.violations if problem.code in OF_RECORDS or of_values(problem) else ():
            if exact or WITHIN in violation.where or violation.rule not in OF_TEXTS:
                self._tell(violation, f"where {what}", Severity.WARNING, "guard it here, or refuse it in the schema")

    def _without_records(self, what: str) -> None:
        """Report a delivery that no record applies to, unless that is allowed."""
        if "without_records" in self.config.source.data.get("delivery", {}):
            return
        message = f"no record is written where {what}"
        hint = "write a record for it, or say what is meant: without_records under [delivery]"
        path = ("records", 0, "when")
        self._note(self.config.fault("no-record", message, *path, hint=hint, severity=Severity.WARNING))

    def _unusual(self, template: "Remembering", text: str) -> None:
        """Report what HL7 receivers do not expect though the structure allows it."""
        found = list(habits.findings(text))
        lines = template.lines(template.last) if found else []
        for place, message in found:
            number, _, field_ = place.removeprefix("line ").partition(", ")
            written = lines[int(number) - 1]
            hint = f"correct {field_} here, unless your receiver asks for it so"
            fault = Fault(written.file, written.line, 1, "hl7-unusual", f"{place}: {message}", hint, Severity.WARNING)
            self._note(fault)

    def _place(self, where: str) -> tuple[str, int, int]:
        """Return file, line and column of a template's line.

        If two files have that name, of the place in [[records]].
        """
        file, _, number = where.rpartition(":")
        if number.isdecimal():
            return file, int(number), 1
        return self.config.source.file, *self.config.position("records", len(self.config.records) - 1, "path")

    def _tell(self, violation: Violation, what: str, severity: Severity, hint: str) -> None:
        written, within, place = violation.where.partition(WITHIN)
        told = f"{what}: {violation.message.rstrip('.')}"
        if within:
            message = f"{told} (in the record: {place})"
            self._note(Fault(*self._place(written), "record-invalid", message, hint, severity))
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
