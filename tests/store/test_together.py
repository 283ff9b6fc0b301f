"""Threads that wait for the same folder share an fsync, and each gets one that began after it had asked."""

import errno
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from receiver.problems import Problem
from receiver.store import durable, together


class Disk:
    """Fsyncs that last as long as the test wants, each with what was there as it began."""

    def __init__(self) -> None:
        self.seen: list[set[str]] = []
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Semaphore(0)
        self.failing = False

    def sync_folder(self, folder: Path) -> None:
        self.seen.append({path.name for path in folder.iterdir()})
        self.begun.release()
        assert self.may_end.acquire(timeout=10)
        if self.failing:
            raise Problem("storage-failed", "broken")


@pytest.fixture
def disk(monkeypatch):
    made = Disk()
    monkeypatch.setattr(durable, "sync_folder", made.sync_folder)
    return made


def test_who_asks_during_an_fsync_waits_for_the_next_one_and_shares_it(disk, tmp_path):
    asked = threading.Barrier(6)

    def create(name: str) -> set[str]:
        (tmp_path / name).touch()
        asked.wait(10)
        together.sync_folder(tmp_path)
        return {name}

    with ThreadPoolExecutor(10) as pool:
        first = pool.submit(together.sync_folder, tmp_path)
        assert disk.begun.acquire(timeout=10)
        others = [pool.submit(create, str(number)) for number in range(5)]
        asked.wait(10)
        while len(_waiting_for(tmp_path)) < 5:
            time.sleep(0.001)
        disk.may_end.release()
        first.result(10)
        assert not wait(others, timeout=0.05).done
        assert disk.begun.acquire(timeout=10)
        disk.may_end.release()
        names = set().union(*(other.result(10) for other in others))
    assert disk.seen == [set(), names]
    assert together._next == {}


def _waiting_for(folder: Path) -> list[object]:
    """Return the threads that wait for the next fsync of a folder."""
    following = together._next.get(folder)
    if following is None:
        return []
    joined = following.ended._cond._waiters
    return [following, *joined]


def test_an_fsync_that_failed_failed_for_all_who_waited_for_it_and_for_no_other(disk, tmp_path):
    with ThreadPoolExecutor(10) as pool:
        first = pool.submit(together.sync_folder, tmp_path)
        assert disk.begun.acquire(timeout=10)
        others = [pool.submit(together.sync_folder, tmp_path) for _ in range(3)]
        while len(_waiting_for(tmp_path)) < 3:
            time.sleep(0.001)
        disk.may_end.release()
        assert disk.begun.acquire(timeout=10)
        disk.failing = True
        disk.may_end.release()
        first.result(10)
        for other in others:
            with pytest.raises(Problem):
                other.result(10)
    disk.failing = False
    disk.may_end.release()
    together.sync_folder(tmp_path)
    assert len(disk.seen) == 3


def test_folders_do_not_wait_for_each_other(disk, tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(together.sync_folder, tmp_path / name) for name in ("one", "two")]
        for _ in both:
            assert disk.begun.acquire(timeout=10)
        disk.may_end.release(2)
        for each in both:
            each.result(10)


def test_a_child_that_was_forked_in_between_does_not_wait_for_its_parents_threads(disk, tmp_path):
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(together.sync_folder, tmp_path)
        assert disk.begun.acquire(timeout=10)
        child = os.fork()
        if child == 0:
            disk.may_end.release()
            together.sync_folder(tmp_path)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        disk.may_end.release()
        first.result(10)


def test_a_folder_that_cannot_be_synced_is_a_problem(tmp_path, monkeypatch):
    def failing(descriptor):
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(Problem):
        together.sync_folder(tmp_path)
    assert together._next == {}
