"""Pruning that runs by itself: in one worker at a time, once an hour, sooner where space is short."""

import os
import time
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace as Given

import pytest

from receiver.core.problems import Code, Problem
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


@pytest.mark.parametrize(
    ("age", "free", "due"),
    [
        (-1, 999, True),
        (0, 0, False),
        (59, 0, False),
        (60, 39, True),
        (60, 40, False),
        (3_599, 999, False),
        (3_600, 999, True),
    ],
)
def test_it_is_due_after_an_hour_or_a_minute_while_space_is_short(monkeypatch, tmp_path, age, free, due):
    now = tmp_path.stat().st_mtime + age
    monkeypatch.setattr(retention, "time", Given(time=lambda: now))
    monkeypatch.setattr(stage, "free_space", lambda _: free)
    assert retention._is_due(Given(settings=Given(data="data", min_free=10)), tmp_path) is due


@pytest.mark.parametrize(
    ("seconds", "unfinished"), [([], False), ([None], False), ([60], False), ([None, 61], True), ([61, 5], True)]
)
def test_what_is_accepted_for_a_minute_and_not_published_is_unfinished(monkeypatch, seconds, unfinished):
    now = datetime(2026, 3, 1, tzinfo=UTC)
    monkeypatch.setattr(retention, "datetime", Given(now=lambda _: now))
    oldest = [None if each is None else now - timedelta(seconds=each) for each in seconds]
    standing = {number: Given(oldest_unpublished=each) for number, each in enumerate(oldest)}
    assert retention._is_unfinished(Given(ledger=Given(standing=lambda: standing))) is unfinished


@pytest.mark.parametrize(
    ("unfinished", "given_up", "recovered"),
    [(True, None, True), (False, None, False), (False, False, False), (False, True, True), (True, False, True)],
)
@pytest.mark.parametrize("due", [True, False])
def test_a_look_finishes_what_others_left_and_tells_what_cannot_be_removed(
    monkeypatch, unfinished, given_up, recovered, due
):
    told, problem = [], Problem(Code.STORAGE_FAILED, "It cannot be listed.")
    done = [Given(problem=None), Given(problem=problem)]
    monkeypatch.setattr(retention, "_is_unfinished", lambda _: unfinished)
    monkeypatch.setattr(retention, "_is_due", lambda *_: due)
    monkeypatch.setattr(retention, "prune", lambda *_: done)
    monkeypatch.setattr(retention.batches, "look", lambda *_: told.append("batches"))
    monkeypatch.setattr(retention, "os", Given(utime=told.append))
    monkeypatch.setattr("receiver.log.recovered", told.append)
    monkeypatch.setattr("receiver.log.housekeeping_failed", told.append)
    hosts = None if given_up is None else Given(give_up_silent=lambda: given_up)
    context = Given(ledger=Given(hosts=hosts), recover=lambda: "recovered")
    assert retention._work(context, "folder", "lock") is due
    assert told == [*["recovered"] * recovered, "batches", *(["lock", problem] if due else [])]


@pytest.mark.parametrize("ours", [True, False])
def test_one_host_does_it_and_the_lock_is_given_back(monkeypatch, tmp_path, ours):
    closed, worked = [], []
    monkeypatch.setattr(stage, "lock_folder", lambda _: 7)
    monkeypatch.setattr(retention, "os", Given(close=closed.append))
    monkeypatch.setattr(retention, "_work", lambda *given: worked.append(given) or True)
    context = Given(settings=Given(data=tmp_path), ledger=Given(once=lambda _name: nullcontext(ours)))
    assert retention.look(context) is ours
    assert (closed, worked) == ([7], [(context, tmp_path / retention.FOLDER, 7)] if ours else [])


def test_a_storage_that_fails_is_told_and_looked_at_again(monkeypatch):
    problem, told, slept = Problem(Code.STORAGE_FAILED, "It is away."), [], []

    def look(_context):
        if told:
            raise SystemExit  # ends the endless loop of this test
        raise problem

    monkeypatch.setattr(retention, "look", look)
    monkeypatch.setattr(retention, "time", Given(sleep=slept.append))
    monkeypatch.setattr("receiver.log.housekeeping_failed", told.append)
    with pytest.raises(SystemExit):
        retention._keep(ContextHolder(None), pause=7)
    assert (told, slept) == ([problem], [7, 7])


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
