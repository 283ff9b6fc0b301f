"""The process that reads documents: bounded, replaced when it dies, and gone with its owner."""

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from receiver.core import processors
from receiver.documents.helpers import Helper, UnreadableError
from tests.support.drawing import drawn


@pytest.fixture
def helper():
    helper = Helper()
    yield helper
    helper.stop()


def question(part, task="pages"):
    return {"task": task, "path": str(part.path), "type": part.type}


def test_a_document_that_kills_its_reader_does_no_harm_to_the_next(helper, part):
    fax = part([drawn("1"), drawn("1")])
    assert helper.ask(question(fax), 20) == {"pages": 2}
    os.kill(helper._process.pid, signal.SIGSTOP)
    threading.Timer(0.2, os.kill, (helper._process.pid, signal.SIGKILL)).start()
    with pytest.raises(UnreadableError, match="whoever reads it gives up"):
        helper.ask(question(fax), 20)
    assert helper.ask(question(fax), 20) == {"pages": 2}


def test_it_works_wherever_there_is_room_also_for_a_thread_that_is_bound(helper, part):
    with ThreadPoolExecutor(1, initializer=processors.bind, initargs=(0,)) as bound:
        bound.submit(helper.ask, question(part([drawn("1")])), 20).result()
    assert os.sched_getaffinity(helper._process.pid) == set(processors.ALLOWED)


def test_a_reader_that_died_while_idle_is_replaced(helper, part):
    fax = part([drawn("1")])
    assert helper.ask(question(fax), 20) == {"pages": 1}
    helper._process.kill()
    helper._process.wait()
    assert helper.ask(question(fax), 20) == {"pages": 1}


def test_a_document_that_takes_too_long_is_given_up(helper, part):
    fax = part([drawn("1")])
    helper.ask(question(fax), 20)
    process = helper._process
    os.kill(process.pid, signal.SIGSTOP)
    begun = time.monotonic()
    with pytest.raises(UnreadableError, match="it takes too long"):
        helper.ask(question(fax), 0.2)
    assert time.monotonic() - begun < 5
    assert process.returncode == -signal.SIGKILL
    assert helper.ask(question(fax), 20) == {"pages": 1}


def test_the_reader_comes_behind_deliveries_and_hears_no_ctrl_c(helper, part):
    """Linux gives each session the same share of a processor (sched(7), autogroup): priorities count within one."""
    helper.ask(question(part([drawn("1")])), 20)
    reader = helper._process.pid
    assert os.getpriority(os.PRIO_PROCESS, reader) == min(os.getpriority(os.PRIO_PROCESS, 0) + 10, 19)
    assert os.getsid(reader) == os.getsid(0)
    assert os.getpgid(reader) == reader


def test_the_reader_has_no_more_memory_than_it_is_allowed(helper, part):
    helper.ask(question(part([drawn("1")])), 20)
    limits = Path(f"/proc/{helper._process.pid}/limits").read_text()
    assert "Max address space         2000000000           2000000000" in limits
    assert "Max core file size        0                    0" in limits


def test_a_failing_disk_of_ours_leaves_no_half_answer_for_the_next(helper, part):
    image = part([drawn("RGB", size=(1500, 1500))], compression="raw")

    def refuse(_chunk):
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        helper.ask(question(image, "pdf"), 60, refuse)
    assert helper.ask(question(image), 20) == {"pages": 1}


def test_a_reader_is_heard_whatever_number_its_pipe_has(helper, part):
    """`select` knows 1,024 descriptors, and a worker has a connection for each of its senders."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4_096, hard), hard))
    taken = [os.open(os.devnull, os.O_RDONLY) for _ in range(1_100)]
    try:
        assert helper.ask(question(part([drawn("1")])), 20) == {"pages": 1}
    finally:
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_threads_take_turns(helper, part):
    faxes = [part([drawn("1")] * 2)] * 8
    counted = []
    threads = [
        threading.Thread(target=lambda fax: counted.append(helper.ask(question(fax), 30)), args=[f]) for f in faxes
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted == [{"pages": 2}] * 8


def test_the_reader_ends_with_its_owner():
    code = (
        "from receiver.documents.helpers import Helper; import os, sys\n"
        "helper = Helper(); helper._start(); print(helper._process.pid, flush=True); os._exit(0)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    deadline = time.monotonic() + 60
    while alive(int(ended.stdout)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        return "(zombie)" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
