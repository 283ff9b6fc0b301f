"""What workers count, and what the page of metrics adds up of it."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from receiver.core.delivery import Receipt, Status
from receiver.core.problems import Code, Problem
from receiver.core.work import Step
from receiver.operations.meters import Meters, Numbers, named
from receiver.store.entry import Standing

MANY = 2_000  # numbers that no file has room for when it begins
RECEIPT = Receipt("A" * 20, Status.PUBLISHED, "referrals", "1", 1, (), ())
COUNTED = named("counted", "What is counted.", "which", suffix="_total")


@pytest.fixture
def worker(tmp_path, monkeypatch) -> Callable[[int], Numbers]:
    """Counters as the worker of a process id makes them."""

    def numbers(pid: int) -> Numbers:
        monkeypatch.setattr(os, "getpid", lambda: pid)
        return Numbers("counter", tmp_path)

    return numbers


@pytest.fixture
def meters(tmp_path) -> Meters:
    ledger = SimpleNamespace(standing=lambda: {"referrals": Standing()})
    return Meters(SimpleNamespace(ledger=ledger, processes={"referrals": SimpleNamespace(rules=[])}), tmp_path)


def told(folder: Path) -> dict[tuple[str, ...], float]:
    """Return what the page tells: by name, and labels in their order."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(folder))
    samples = [sample for metric in registry.collect() for sample in metric.samples]
    return {
        (sample.name, *(sample.labels[label] for label in sorted(sample.labels))): sample.value for sample in samples
    }


def test_the_page_adds_up_all_workers(worker, tmp_path):
    for pid, amount in ((1, 2), (2, 40)):
        worker(pid).add(COUNTED("a"), amount)
    assert told(tmp_path) == {("counted_total", "a"): 42}


def test_a_worker_goes_on_with_what_one_of_the_same_process_id_has_counted(worker, tmp_path):
    for _ in range(3):
        worker(1).add(COUNTED("a"))
    assert told(tmp_path) == {("counted_total", "a"): 3}


def test_a_number_that_begins_is_told_as_zero(worker, tmp_path):
    worker(1).begin([COUNTED("a")])
    assert told(tmp_path) == {("counted_total", "a"): 0}


def test_numbers_that_come_later_leave_those_before_as_they_are(worker, tmp_path):
    numbers = worker(1)
    numbers.add(COUNTED("first"))
    numbers.begin(COUNTED(str(which)) for which in range(MANY))
    numbers.add(COUNTED("first"))
    numbers.add(COUNTED(str(MANY - 1)), 7)
    counted = told(tmp_path)
    assert len(counted) == MANY + 1
    assert counted["counted_total", "first"] == 2
    assert counted["counted_total", str(MANY - 1)] == sum(counted.values()) - 2 == 7


def test_threads_that_count_at_once_lose_nothing(meters, tmp_path):
    def deliver(_: int) -> None:
        meters.begin()
        meters.accepted(RECEIPT)
        meters.end("referrals", 10, {Step.READ: 0.25}, 0.5)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(deliver, range(4000)))
    counted = told(tmp_path)
    assert counted["receiver_deliveries_total", "published", "referrals"] == 4000
    assert counted["receiver_received_bytes_total", "referrals"] == 40_000
    assert counted["receiver_step_seconds_sum", "read"] == 1000
    assert counted["receiver_step_seconds_count", "whole"] == 4000
    assert counted["receiver_in_flight",] == 0


@pytest.mark.parametrize(("seconds", "bound"), [(0.0, "0.001"), (0.001, "0.001"), (0.002, "0.0025"), (61, "+Inf")])
def test_a_step_stands_in_the_first_bucket_that_it_does_not_exceed(meters, tmp_path, seconds, bound):
    meters.end("referrals", 0, {Step.READ: seconds}, 0)
    counted = told(tmp_path)
    within = [name[1] for name in counted if name[0] == "receiver_step_seconds_bucket" and name[2] == "read"]
    found = [each for each in within if counted["receiver_step_seconds_bucket", each, "read"]]
    assert min(found, key=float) == bound


def test_a_refusal_is_counted_by_its_code(meters, tmp_path):
    meters.refused(Problem(Code.DISK_FULL, "."), "referrals")
    assert told(tmp_path)["receiver_problems_total", "disk-full", "referrals"] == 1
    assert told(tmp_path)["receiver_deliveries_total", "refused", "referrals"] == 1
