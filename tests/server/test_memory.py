"""A worker keeps the memory of one delivery for the next."""

import ctypes
import subprocess
import sys
from types import SimpleNamespace

import pytest

from receiver.core import limits
from receiver.server import memory
from receiver.server.worker import Worker

FAULTS = """
import resource, socket
from receiver.core import limits
from receiver.server import memory

ours, theirs = socket.socketpair()

def read():
    "Return how many pages the kernel has cleared for a hundred reads that bring less than they ask for."
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(100):
        theirs.sendall(bytes(16 * 1024))
        received = ours.recv(limits.READ_SIZE)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

given_back = read()
memory.keep()
read()
print(given_back, read())
"""


def test_what_is_read_at_once_takes_no_new_memory_each_time():
    told = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True).stdout
    given_back, kept = map(int, told.split())
    assert kept * 4 <= given_back or not hasattr(ctypes.CDLL(None), "mallopt")


def test_the_options_are_those_of_malloc_h(monkeypatch):
    set_to: dict[int, int] = {}
    libc = SimpleNamespace(mallopt=set_to.__setitem__)
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda _: libc)
    memory.keep()
    assert set_to == {-3: 2 * limits.READ_SIZE, -1: 4 * limits.READ_SIZE, -8: 1}


def test_a_c_library_without_them_is_left_as_it_is(monkeypatch):
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda _: SimpleNamespace())
    memory.keep()


def test_a_worker_keeps_memory_before_it_opens_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(memory, "keep", lambda: done.append("keeps"))
    Worker.load_wsgi(SimpleNamespace(_begin_to_serve=lambda: done.append("serves")))
    assert done == ["keeps", "serves"]
