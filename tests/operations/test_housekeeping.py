"""Pruning that runs by itself: in one worker at a time, once an hour, sooner where space is short."""

import os
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from receiver.delivery.context import ContextHolder
from receiver.operations import retention
from receiver.store import folders, stage

HOUR = 3600


@pytest.fixture
def over(home):
    """An installation in which a delivery's time in quarantine is over."""
    home.section('[retention]\nquarantine = "1d"')
    home.deliver(mrn="wrong", at=datetime.now(UTC) - timedelta(days=2))
    return home


def last_done(home, seconds_ago):
    folder = home.settings.data / retention.FOLDER
    folders.ensure_folder(folder, retention.README)
    os.utime(folder, (time.time() - seconds_ago,) * 2)


def test_it_prunes_when_the_last_time_is_an_hour_ago(over):
    last_done(over, HOUR - 30)
    assert not retention.look(over.context)
    assert over.waiting()
    last_done(over, HOUR + 1)
    assert retention.look(over.context)
    assert over.waiting() == set()
    assert not retention.look(over.context)


def test_a_new_installation_waits_an_hour(over):
    assert not retention.look(over.context)
    assert over.waiting()


def test_a_clock_that_was_set_back_does_not_stop_it(over):
    last_done(over, -24 * HOUR)
    assert retention.look(over.context)


def test_it_prunes_at_each_look_while_space_is_short(over):
    last_done(over, retention.LOOK + 1)
    assert not retention.look(over.context)
    short = replace(over.context, settings=replace(over.settings, min_free=10**15))
    assert retention.look(short)
    assert not retention.look(short), "not twice within a minute"


def test_one_worker_does_it(over):
    last_done(over, 2 * HOUR)
    lock = stage.lock_folder(over.settings.data / retention.FOLDER)
    assert not retention.look(over.context)
    os.close(lock)
    assert retention.look(over.context)


def test_it_goes_on_after_a_failure_and_tells_it(over, monkeypatch, caplog):
    looks = []

    def look(_house):
        looks.append(1)
        if len(looks) == 1:
            raise ZeroDivisionError
        raise SystemExit  # ends the endless loop of this test

    monkeypatch.setattr(retention, "look", look)
    with pytest.raises(SystemExit):
        retention._keep(ContextHolder(over.context), pause=0)
    assert len(looks) == 2
    assert [record.message for record in caplog.records] == ["defect"]
