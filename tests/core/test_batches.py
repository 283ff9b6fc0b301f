"""When a batch is full, and when its time is over."""

import time as clock
from datetime import UTC, datetime, time, timedelta

import pytest

from receiver.core.batches import MOST_BYTES, MOST_RECORDS, Addition, Batch, BatchStatus, Closing
from receiver.core.delivery import Record

OPENED = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


@pytest.fixture
def berlin(monkeypatch):
    """Set the clock of the host to one that is put forward on 2026-03-29."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    clock.tzset()
    yield
    monkeypatch.undo()
    clock.tzset()


@pytest.mark.parametrize(
    ("count", "size", "room", "full"),
    [(2, 99, True, False), (3, 99, True, True), (4, 99, False, True), (2, 100, True, True), (2, 101, False, True)],
)
def test_a_batch_is_full_at_its_count_or_size(count, size, room, full):
    closing = Closing(3, 100)
    assert (closing.has_room(count, size), closing.is_full(count, size)) == (room, full)


def test_a_batch_without_limits_of_its_own_has_those_of_any():
    assert not Closing().is_full(MOST_RECORDS - 1, MOST_BYTES - 1)
    assert Closing().is_full(MOST_RECORDS, 0)
    assert Closing().is_full(0, MOST_BYTES)
    assert Closing().due_at(OPENED) is None
    assert not Closing().is_due(OPENED, OPENED + 1000 * HOUR)


@pytest.mark.parametrize(
    ("later", "due"),
    [(HOUR - SECOND, False), (HOUR, True), (-timedelta(minutes=1), False), (-timedelta(minutes=1) - SECOND, True)],
)
def test_a_batch_is_due_after_its_time_and_when_the_clock_is_set_back(later, due):
    assert Closing(after=HOUR).is_due(OPENED, OPENED + later) is due


@pytest.mark.usefixtures("berlin")
@pytest.mark.parametrize(
    ("opened", "at", "due"),
    [
        ("2026-03-28T10:00Z", time(12), "2026-03-28T11:00Z"),
        ("2026-03-28T11:00Z", time(12), "2026-03-29T10:00Z"),  # the clock has gone forward
        ("2026-03-28T22:30Z", time(0), "2026-03-28T23:00Z"),
        ("2026-03-28T23:30Z", time(0), "2026-03-29T22:00Z"),
    ],
)
def test_a_batch_closes_at_a_time_of_the_hosts_clock(opened, at, due):
    found = Closing(at=at).due_at(datetime.fromisoformat(opened))
    assert (found, found.tzinfo) == (datetime.fromisoformat(due), UTC)


@pytest.mark.usefixtures("berlin")
@pytest.mark.parametrize(("after", "due"), [(HOUR, OPENED + HOUR), (20 * HOUR, OPENED + 10 * HOUR)])
def test_whichever_time_comes_first_closes_a_batch(after, due):
    assert Closing(after=after, at=time(23)).due_at(OPENED) == due


def test_an_addition_is_as_large_as_its_records():
    records = tuple(Record("", content, "daily") for content in (b"12", b"345"))
    assert Addition("daily", Closing(), records).size == 5


def test_a_batch_is_called_by_its_number():
    batch = Batch("referrals", "daily", 7, BatchStatus.OPEN, OPENED, None, None, "", 0, 0)
    assert batch.id == "referrals/daily/7"
