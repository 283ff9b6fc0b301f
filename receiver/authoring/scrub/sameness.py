"""What must be the same of a delivery before and after: its fields, its verdict, its way through the templates."""

from collections.abc import Hashable, Sequence

from receiver.authoring.cases.capturing import Sent
from receiver.authoring.cases.coverage import traced
from receiver.authoring.cases.outcome import Outcome, run
from receiver.core.delivery import Role
from receiver.core.problems import Code
from receiver.schemas.malformed import MalformedError
from receiver.site.process import Process

PLACED = {  # whose violations stand at places that do not depend on values
    Code.METADATA_INVALID,
    Code.FIELDS_INVALID,
    Code.CONFIDENCE_LOW,
    Code.TEMPLATE_FAILED,
}


class Sameness:
    """Judges deliveries to one process, and looks at the way that they take through its templates."""

    def __init__(self, process: Process) -> None:
        self.process, self._trace = traced(process)

    def judged(self, parts: Sequence[Sent]) -> tuple[Hashable, Hashable]:
        """Return how a delivery is judged, and its way, without anything of its values."""
        self._trace.forget()
        outcome = run(self.process, (part.incoming for part in parts))
        lines = frozenset(line for line, rendered in self._trace.lines.items() if rendered)
        ways = frozenset((place, way) for place, seen in self._trace.conditions.items() for way in seen)
        return (_verdict(outcome), structure(self.process, parts)), (lines, ways)


def _verdict(outcome: Outcome) -> Hashable:
    """Return the problem and the rules that are broken, or how much is published."""
    if outcome.problem:
        placed = outcome.problem.code in PLACED
        broken = [(each.rule, each.schema or "", each.where if placed else "") for each in outcome.problem.violations]
        return outcome.problem.code, tuple(sorted(broken))
    return len(outcome.rendered.records) if outcome.rendered else 0


def structure(process: Process, parts: Sequence[Sent]) -> Hashable:
    """Return the names of all fields with their confidences, also of a delivery that is refused."""
    form, layout = process.metadata.form, process.metadata.layout
    for part in parts:
        if part.role is Role.METADATA:
            try:
                found = form.fields(form.parse(part.content), layout)
            except MalformedError:
                return None
            read = map(layout.read, found.items if found else ())
            return tuple((str(name), str(confidence)) for name, _, confidence in read)
    return None
