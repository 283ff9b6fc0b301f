"""What is counted while deliveries come in.

Labels are bounded: configured processes, our own outcomes and codes.
"""

import os
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from itertools import chain
from math import inf
from mmap import mmap
from pathlib import Path
from threading import Lock

from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import mark_process_dead
from prometheus_client.utils import floatToGoString

from receiver import log
from receiver.core.delivery import Receipt
from receiver.core.problems import Problem
from receiver.core.work import Step
from receiver.delivery.context import Context
from receiver.store import folders
from receiver.store.entry import Standing

DOUBLE = 8  # bytes


class Numbers:
    """The numbers of one kind of metric. Whoever changes them holds a lock."""

    def __init__(self, kind: str, folder: Path) -> None:
        """Go on with what a worker of the same process id has counted, in general nobody."""
        self._path = folder / f"{kind}_{os.getpid()}.db"
        self.places: dict[str, int] = {}  # name → where in `doubles`; it stays there

    def begin(self, names: Iterable[str]) -> None:
        """Have these numbers stand in the file; new ones are zero."""
        file = MmapedDict(str(self._path))  # type: ignore[no-untyped-call]
        for name in names:
            file.read_value(name)  # type: ignore[no-untyped-call]
        file.close()  # type: ignore[no-untyped-call]
        found = MmapedDict.read_all_values_from_file(self._path)  # type: ignore[no-untyped-call]
        self.places = {name: place // DOUBLE for name, _, _, place in found}
        with self._path.open("r+b") as written:
            self.doubles = memoryview(mmap(written.fileno(), 0)).cast("d")

    def add(self, name: str, amount: float = 1) -> None:
        """Count on."""
        if name not in self.places:
            self.begin([name])
        self.doubles[self.places[name]] += amount

    def set(self, name: str, value: float) -> None:
        """Put another value in place of the present one."""
        if name not in self.places:
            self.begin([name])
        self.doubles[self.places[name]] = value


def named(metric: str, meaning: str, *labels: str, suffix: str = "") -> Callable[..., str]:
    """Return a function from label values to a number's name.

    It remembers all, so label values must be bounded.
    """
    return cache(lambda *values: mmap_key(metric, metric + suffix, list(labels), list(values), meaning))


FOLDER = "metrics"
README = """\
What the workers of the running service count, for /metrics. Emptied at each start; may be removed while it is stopped.
"""


def folder_in(data: Path) -> Path:
    """Return the folder."""
    return data.absolute() / FOLDER


def prepare(data: Path, *, first: bool) -> None:
    """Own the folder. Raises Problem.

    The first process of a service empties it: counters begin at zero, as Prometheus expects of a start. Whoever comes
    beside the living, also an upgrade, goes on counting where those are.
    """
    folders.ensure_folder(folder_in(data), README)
    if first:
        for path in folder_in(data).glob("*.db"):
            folders.remove(path)


def forget(data: Path, pid: int) -> None:
    """Take what a dead worker had in flight out of the sums; its counts stay."""
    mark_process_dead(pid, str(folder_in(data)))  # type: ignore[no-untyped-call]


# Seconds. A delivery takes some milliseconds on a good disk; a large one takes as long as its sender.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, inf)
OUTCOMES = ("published", "held", "duplicate", "refused")
WHOLE = "whole"

DELIVERIES = named(
    "receiver_deliveries", "Requests answered, by what became of them.", "process", "outcome", suffix="_total"
)
PROBLEMS = named(
    "receiver_problems", "Requests not accepted, by the code they were answered.", "process", "code", suffix="_total"
)
RULES = named("receiver_rules_broken", "Deliveries that break a rule.", "process", "rule", suffix="_total")
RECEIVED = named("receiver_received_bytes", "Bytes of bodies read.", "process", suffix="_total")
IN_FLIGHT = named("receiver_in_flight", "Deliveries being taken in now.")
LOG_LOST = named("receiver_log_lines_lost", "Lines of the log that its reader did not take in time.", suffix="_total")
LAST_SUCCESS = named(
    "receiver_last_success_timestamp_seconds", "When a delivery was last accepted, Unix time.", "process"
)
_SECONDS = ("receiver_step_seconds", "Seconds that each step took.", "step")
SECONDS_SUM = named(*_SECONDS, suffix="_sum")
SECONDS_BUCKET = named(*_SECONDS, "le", suffix="_bucket")


class Seconds(Numbers):
    """A histogram of seconds for each step, and for the whole."""

    def __init__(self, folder: Path) -> None:
        super().__init__("histogram", folder)
        steps = (*Step, WHOLE)
        buckets = {step: [SECONDS_BUCKET(step, _bound(each)) for each in BUCKETS] for step in steps}
        self.begin(chain(map(SECONDS_SUM, steps), *buckets.values()))
        self._sums = {step: self.places[SECONDS_SUM(step)] for step in steps}
        self._buckets = {step: [self.places[name] for name in names] for step, names in buckets.items()}

    def observe(self, taken: Iterable[tuple[str, float]]) -> None:
        """Count what each step took."""
        doubles = self.doubles
        for step, seconds in taken:
            doubles[self._sums[step]] += seconds
            doubles[self._buckets[step][bisect_left(BUCKETS, seconds)]] += 1


class Meters:
    """The counters of one worker."""

    def __init__(self, context: Context, folder: Path) -> None:
        """Begin to count in a folder that all workers share. Raises Problem.

        Each process is there from the start, with zero, and with its last success: an alert on a counter that grows
        does not see the first one of a counter that begins with it.
        """
        self._counters = Numbers("counter", folder)
        self._seconds = Seconds(folder)
        self._in_flight = Numbers("gauge_livesum", folder)
        self._success = Numbers("gauge_max", folder)
        self._lock = Lock()  # of all of them: whoever counts is done at once
        self._counters.begin(DELIVERIES(process, outcome) for process in context.processes for outcome in OUTCOMES)
        self._counters.begin([LOG_LOST()])
        self._counters.begin(PROBLEMS(process, code.value) for process in context.processes for code in log.OURS)
        self._counters.begin(
            RULES(name, rule.name) for name, process in context.processes.items() for rule in process.rules
        )
        self._in_flight.begin([IN_FLIGHT()])
        for process, standing in _standing(context).items():
            if standing.last_success:
                self._success.set(LAST_SUCCESS(process), standing.last_success.timestamp())

    def begin(self) -> None:
        """Count one more delivery in flight, until its `end`."""
        with self._lock:
            self._in_flight.add(IN_FLIGHT())

    def leave(self) -> None:
        """Count one less in flight: it comes again, once its body has arrived."""
        with self._lock:
            self._in_flight.add(IN_FLIGHT(), -1)

    def log_lost(self) -> None:
        """Count a line that the log had no room for."""
        with self._lock:
            self._counters.add(LOG_LOST())

    def accepted(self, receipt: Receipt) -> None:
        """Count what was published, held, or known already."""
        outcome = "duplicate" if receipt.duplicate else receipt.status
        with self._lock:
            self._counters.add(DELIVERIES(receipt.process, outcome))
            if outcome != "held":
                self._success.set(LAST_SUCCESS(receipt.process), time.time())
            if receipt.problem:
                self._broken(receipt.process, receipt.problem)

    def refused(self, problem: Problem, process: str) -> None:
        """Count what was not accepted."""
        with self._lock:
            self._counters.add(DELIVERIES(process, "refused"))
            self._counters.add(PROBLEMS(process, problem.code.value))
            self._broken(process, problem)

    def _broken(self, process: str, problem: Problem) -> None:
        for rule in problem.rules:
            self._counters.add(RULES(process, rule))

    def end(self, process: str, received: int, steps: Mapping[Step, float], whole: float) -> None:
        """Count one less in flight, the bytes received, and seconds by step and in all."""
        with self._lock:
            self._in_flight.add(IN_FLIGHT(), -1)
            self._counters.add(RECEIVED(process), received)
            self._seconds.observe((*steps.items(), (WHOLE, whole)))


def _bound(seconds: float) -> str:
    return str(floatToGoString(seconds))  # type: ignore[no-untyped-call]


def _standing(context: Context) -> dict[str, Standing]:
    known = context.ledger.standing()
    return {process: known.get(process, Standing()) for process in context.processes}
