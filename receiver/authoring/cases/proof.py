"""Proves one sample case: runs it at the frozen clock and judges what it becomes."""

import time
from dataclasses import dataclass

from receiver.authoring.cases.captured import NotARequest
from receiver.authoring.cases.cases import Case, incoming
from receiver.authoring.cases.outcome import Outcome, run
from receiver.authoring.cases.verdict import Status, Verdict, judge


@dataclass(frozen=True, slots=True)
class Proof:
    """One case, what became of it, and how that compares."""

    case: Case
    outcome: Outcome
    verdict: Verdict
    seconds: float

    @property
    def name(self) -> str:
        """The case's name with its process before it."""
        return f"{self.case.process.name}/{self.case.name}"


def prove(case: Case, max_body: int) -> Proof:
    """Run one case."""
    began = time.perf_counter()
    try:
        outcome = run(case.process, incoming(case, max_body))
        verdict = judge(case, outcome)
    except (NotARequest, OSError) as error:
        outcome, verdict = Outcome(), Verdict(Status.ERROR, (str(error),))
    return Proof(case, outcome, verdict, time.perf_counter() - began)
