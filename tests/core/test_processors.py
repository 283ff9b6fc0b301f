"""A worker's threads lie on one processor; what needs no interpreter's lock goes wherever there is room."""

import os
import threading
from collections.abc import Callable

import pytest

from receiver.core import processors
from receiver.core.processors import ALLOWED


def in_a_thread(work: Callable[[], None]) -> set[int]:
    """Return the processors of a thread that has done something; those of this one stay as they are."""
    found: list[set[int]] = []

    def run() -> None:
        work()
        found.append(os.sched_getaffinity(0))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert os.sched_getaffinity(0) == set(ALLOWED)
    return found[0]


def test_a_thread_is_bound_to_one_processor_and_neighbours_to_different_ones() -> None:
    bound = [in_a_thread(lambda number=number: processors.bind(number)) for number in range(len(ALLOWED) + 1)]
    assert bound == [{each} for each in (*ALLOWED, ALLOWED[0])]


def test_what_it_starts_is_bound_too_and_may_be_freed() -> None:
    inner: list[set[int]] = []

    def work() -> None:
        processors.bind(0)
        for begin in (lambda: None, processors.free):
            started = threading.Thread(target=lambda begin=begin: (begin(), inner.append(os.sched_getaffinity(0))))
            started.start()
            started.join()

    assert in_a_thread(work) == {ALLOWED[0]}
    assert inner == [{ALLOWED[0]}, set(ALLOWED)]


@pytest.mark.parametrize("allowed", [[1_000], []], ids=["gone", "not-linux"])
def test_without_a_processor_to_choose_the_kernel_chooses(monkeypatch: pytest.MonkeyPatch, allowed: list[int]) -> None:
    monkeypatch.setattr(processors, "ALLOWED", allowed)
    for work in (lambda: processors.bind(0), processors.free):
        assert in_a_thread(work) == set(ALLOWED)
