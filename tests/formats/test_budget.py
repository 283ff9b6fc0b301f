"""What a rendering may cost: turns, characters and processor time, to the last one allowed."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from receiver.formats import budget
from receiver.formats.errors import ExceededError

COUNTED = {  # what counts one turn
    "tick": budget.tick,
    "spend": lambda: budget.spend(0),
    "made": lambda: budget.made(""),
    "slow": lambda: budget.slow(""),
    "items": lambda: budget.items(0),
    "each": lambda: list(budget.each([1])),
    "concat": lambda: budget.concat([]),
}


@pytest.fixture(autouse=True)
def thread(monkeypatch):
    """Leave what this thread has spent as it was, for tests after these."""
    monkeypatch.setattr(budget._thread, "spent", None)


@pytest.fixture
def clock(monkeypatch):
    """Begin a rendering by clocks that the test moves: seconds worked and waited, which add up to all that passed."""
    now = SimpleNamespace(worked=0.0, waited=0.0)
    monkeypatch.setattr(budget, "thread_time", lambda: 64 + now.worked)
    monkeypatch.setattr(budget, "monotonic", lambda: 512 + now.worked + now.waited)
    budget.start()
    return now


@pytest.mark.parametrize("count", COUNTED.values(), ids=COUNTED)
def test_a_turn_too_many_stops_it(monkeypatch, count):
    monkeypatch.setattr(budget, "MAX_STEPS", 3)
    budget.start()
    for _ in range(3):
        count()
    with pytest.raises(ExceededError, match="the template makes more than 3 turns and calls"):
        count()
    budget.start()
    count()


@pytest.mark.parametrize("count", COUNTED.values(), ids=COUNTED)
def test_the_time_that_it_works_is_counted(clock, count):
    clock.worked = budget.MAX_SECONDS
    count()
    clock.worked += 0.5
    with pytest.raises(ExceededError, match="the template runs for more than 2 seconds"):
        count()


def test_the_time_that_it_waits_is_not_counted(clock):
    clock.worked, clock.waited = budget.MAX_SECONDS - 0.5, 60
    budget.tick()
    clock.worked = budget.MAX_SECONDS
    budget.tick()
    clock.waited += 1
    with pytest.raises(ExceededError):
        budget.tick()


def test_the_last_turn_may_come_after_a_wait(clock, monkeypatch):
    monkeypatch.setattr(budget, "MAX_STEPS", 1)
    clock.waited = 60
    budget.tick()


def test_before_a_thread_renders_it_is_not_bounded():
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(budget.made, "a").result() == "a"


def test_characters_are_counted_over_all_calls(monkeypatch):
    monkeypatch.setattr(budget, "MAX_TEXT", 6)
    budget.start()
    assert (budget.made("a"), budget.slow("bc"), budget.concat(["d", "ef"])) == ("a", "bc", "def")
    with pytest.raises(ExceededError, match="the template puts together more than 6 characters"):
        budget.spend(1)
