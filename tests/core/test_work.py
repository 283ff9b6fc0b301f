"""Turns are taken in order, given away while a thread waits, and the time of a step counts even if it fails."""

import threading
import time

import pytest

from receiver.core import work
from receiver.core.work import Step, Turns, given, start_timing, timed


def waiting(turns: Turns, count: int) -> None:
    """Wait until so many threads are in line."""
    while len(turns._waiting) < count:
        time.sleep(0.001)


def test_who_comes_first_has_the_next_turn():
    turns, order, threads = Turns(1), [], []

    def work_on(name):
        with turns:
            order.append(name)

    with turns:
        for number in range(3):
            threads.append(threading.Thread(target=work_on, args=(number,)))
            threads[-1].start()
            waiting(turns, number + 1)
        assert order == []
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2]
    assert turns._free == 1


def test_as_many_have_a_turn_at_once_as_there_are():
    turns = Turns(2)
    turns.take()
    turns.take()
    assert turns._free == 0
    turns.give()
    turns.give()
    assert turns._free == 2


def test_a_turn_ends_also_where_its_work_fails():
    turns = Turns(1)
    with pytest.raises(ValueError, match="broken"), turns:
        raise ValueError("broken")
    assert turns._free == 1
    assert work._thread.turns is None


def test_a_turn_is_given_away_while_its_thread_waits():
    turns = Turns(1)
    with turns:
        with given():
            assert turns._free == 1
        assert turns._free == 0
        with pytest.raises(ValueError, match="broken"), given():
            raise ValueError("broken")
        assert turns._free == 0
    assert turns._free == 1


def test_a_thread_without_a_turn_has_none_to_give():
    seen = []

    def wait():
        with given():
            seen.append("waited")

    thread = threading.Thread(target=wait)
    thread.start()
    thread.join()
    assert seen == ["waited"]


def test_the_time_of_a_step_adds_up_also_where_it_fails(monkeypatch):
    moments = iter([1.0, 3.0, 10.0, 14.5, 20.0, 21.0])
    monkeypatch.setattr(work, "perf_counter", lambda: next(moments))

    @timed(Step.READ)
    def read(text):
        """Read a text."""
        return int(text)

    account = start_timing()
    assert read("5") == 5
    with pytest.raises(ValueError, match="x"):
        read("x")
    assert account == {Step.READ: 6.5}
    assert start_timing() == {}
    read(text="7")
    assert account == {Step.READ: 6.5}
    assert read.__doc__ == "Read a text."
