"""The lock between processes: woken by the kernel, never waited for without end, free when its holder dies."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from receiver.store.sqlite.writers import Interlock
from tests.support.place import open_files

HOLDER = """
import sys
from pathlib import Path
from receiver.store.sqlite.writers import Interlock
lock = Interlock(Path(sys.argv[1]))
assert lock.take(5)
print("held", flush=True)
sys.stdin.readline()
lock.give_back()
"""


@pytest.fixture
def own_threads():
    """Return what lists the threads of this test's locks: applications of other tests may still have theirs."""
    others = set(threading.enumerate())

    def listed() -> list[threading.Thread]:
        return [each for each in threading.enumerate() if each.name == "ledger's lock" and each not in others]

    return listed


@pytest.fixture
def lock(tmp_path):
    made = Interlock(tmp_path / "lock")
    yield made
    made.close()


@contextmanager
def holder(tmp_path):
    """Another process that holds the lock until it is written a line, or killed."""
    command = [sys.executable, "-c", HOLDER, tmp_path / "lock"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("ending", ["told to", "killed"])
def test_whoever_waits_has_it_as_soon_as_the_holder_lets_go_or_dies(lock, tmp_path, ending):
    with holder(tmp_path) as process, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lock.take, 10)
        time.sleep(0.1)
        assert not waiting.done()
        let_go = time.monotonic()
        if ending == "killed":
            process.send_signal(signal.SIGKILL)
        else:
            process.stdin.write("let go\n")
            process.stdin.flush()
        assert waiting.result(10)
        assert time.monotonic() - let_go < 5
    lock.give_back()


def test_a_holder_that_hangs_is_waited_for_only_so_long_and_costs_nobody_the_lock(lock, tmp_path, own_threads):
    with holder(tmp_path):
        for _ in range(3):
            begin = time.monotonic()
            assert not lock.take(0.1)
            assert 0.1 <= time.monotonic() - begin < 5
        assert len(own_threads()) == 1
    another = Interlock(tmp_path / "lock")
    assert another.take(5), "what comes too late is given back"
    another.give_back()
    another.close()
    assert lock.take(5)
    lock.give_back()


def test_what_comes_too_late_for_one_is_for_the_next(lock, tmp_path):
    with holder(tmp_path) as process, ThreadPoolExecutor(1) as pool:
        assert not lock.take(0.05)
        waiting = pool.submit(lock.take, 10)
        time.sleep(0.05)
        process.communicate("let go\n")
        assert waiting.result(10)
    another = Interlock(tmp_path / "lock")
    assert not another.take(0.05)
    another.close()
    lock.give_back()


def test_a_child_that_forsakes_it_does_not_keep_it_for_the_parent_that_died(lock, tmp_path):
    alive, told = os.pipe()
    lives, ends = os.pipe()
    parent = os.fork()
    if parent == 0:
        inherited = Interlock(tmp_path / "lock")
        inherited.take(5)
        if os.fork() == 0:
            inherited.close_inherited()
            os.close(ends)
            os.write(told, b"alive")
            os.read(lives, 1)  # until the test ends
        os._exit(0)
    os.waitpid(parent, 0)
    assert os.read(alive, 5) == b"alive"
    assert lock.take(1)
    lock.give_back()
    for descriptor in (alive, told, lives, ends):
        os.close(descriptor)


def test_nothing_is_left_of_it_once_it_is_closed(tmp_path, own_threads):
    before = open_files(tmp_path)
    for _ in range(3):
        made = Interlock(tmp_path / "lock")
        with holder(tmp_path):
            assert not made.take(0.01)
            made.close()
        for thread in own_threads():
            thread.join(5)
    assert own_threads() == []
    assert open_files(tmp_path) == before


def test_one_that_met_no_other_process_has_no_thread(lock, own_threads):
    for _ in range(3):
        assert lock.take(0)
        lock.give_back()
    assert own_threads() == []


def test_processes_take_turns(tmp_path):
    """Each counts to a hundred in one file, reading and writing under the lock: not one count is lost."""
    count = tmp_path / "count"
    count.write_text("0")
    program = (
        "import sys; from pathlib import Path; from receiver.store.sqlite.writers import Interlock\n"
        "lock, count = Interlock(Path(sys.argv[1])), Path(sys.argv[2])\n"
        "for _ in range(100):\n"
        "    assert lock.take(20); count.write_text(str(int(count.read_text()) + 1)); lock.give_back()\n"
    )
    command = [sys.executable, "-c", program, tmp_path / "lock", count]
    processes = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert count.read_text() == "300"
