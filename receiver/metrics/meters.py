"""What is counted while deliveries come in. Labels are bounded: configured processes, our own outcomes and codes."""

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from receiver.delivery import Receipt
from receiver.house import House
from receiver.problems import Problem
from receiver.steps import Step
from receiver.store.standing import Standing

# Seconds. A delivery takes some milliseconds on a good disk; a large one takes as long as its sender.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Meters:
    """The counters of one worker."""

    def __init__(self, house: House) -> None:
        """Begin to count; each process is told from the start, with zero, and with its last success. Raises Problem."""
        self.registry = CollectorRegistry()
        self._deliveries = Counter(
            "receiver_deliveries",
            "Requests answered, by what became of them.",
            ("process", "outcome"),
            registry=self.registry,
        )
        self._problems = Counter(
            "receiver_problems",
            "Requests not accepted, by the code they were answered.",
            ("process", "code"),
            registry=self.registry,
        )
        self._received = Counter(
            "receiver_received_bytes", "Bytes of bodies read.", ("process",), registry=self.registry
        )
        self._seconds = Histogram(
            "receiver_step_seconds", "Seconds that each step took.", ("step",), buckets=BUCKETS, registry=self.registry
        )
        self._in_flight = Gauge(
            "receiver_in_flight", "Deliveries being taken in now.", multiprocess_mode="livesum", registry=self.registry
        )
        self._success = Gauge(
            "receiver_last_success_timestamp_seconds",
            "When a delivery was last accepted, Unix time.",
            ("process",),
            multiprocess_mode="max",
            registry=self.registry,
        )
        self._steps = {step: self._seconds.labels(str(step)) for step in (*Step, "whole")}
        for process, standing in _standing(house).items():
            for outcome in ("published", "held", "duplicate", "refused"):
                self._deliveries.labels(process, outcome)
            if standing.last_success:
                self._success.labels(process).set(standing.last_success.timestamp())

    def in_flight(self) -> AbstractContextManager[object]:
        """Count one delivery as long as it lasts."""
        return self._in_flight.track_inprogress()

    def accepted(self, receipt: Receipt) -> None:
        """Count what was published, held, or known already."""
        outcome = "duplicate" if receipt.duplicate else receipt.status.value
        self._deliveries.labels(receipt.process, outcome).inc()
        if outcome != "held":
            self._success.labels(receipt.process).set(time.time())

    def refused(self, problem: Problem, process: str) -> None:
        """Count what was not accepted."""
        self._deliveries.labels(process, "refused").inc()
        self._problems.labels(process, problem.code.value).inc()

    def took(self, process: str, received: int, steps: Mapping[Step, float], whole: float) -> None:
        """Count the bytes that came in and the seconds that each step and the whole took."""
        self._received.labels(process).inc(received)
        for step, seconds in steps.items():
            self._steps[step].observe(seconds)
        self._steps["whole"].observe(whole)


def _standing(house: House) -> dict[str, Standing]:
    known = house.ledger.standing()
    return {process: known.get(process, Standing()) for process in house.processes}
