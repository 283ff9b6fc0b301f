"""The log is written beside whoever logs: a reader that pauses holds nobody up; what is lost is counted and told."""

import os
import subprocess
import sys
from contextlib import contextmanager

import pytest

from receiver.log import lines
from receiver.log.lines import Writer

LINE = b"x" * 999 + b"\n"


@contextmanager
def written_to():
    """Yield the reading end of a pipe, and a writer into it."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as reader, os.fdopen(writing, "wb") as pipe:
        yield reader, Writer(pipe.fileno(), lambda count: b"%d lost\n" % count)


def test_who_logs_does_not_wait_for_a_reader_that_pauses():
    with written_to() as (reader, log):
        for _ in range(1_000):
            log.write(LINE)  # the pipe takes 64 of them
        assert [reader.readline() for _ in range(1_000)] == [LINE] * 1_000


def test_what_does_not_fit_is_dropped_and_counted_and_told_once_the_reader_is_back(monkeypatch):
    monkeypatch.setattr(lines, "QUEUE", 100 * len(LINE))
    counted = []
    with written_to() as (reader, log):
        log.count_lost = lambda: counted.append(1)
        for _ in range(500):
            log.write(LINE)
        read = told = 0
        while read + told < 500:  # how many were lost is told more than once if the thread came late
            line = reader.readline()
            if line == LINE:
                read += 1
            else:
                told += int(line.removesuffix(b" lost\n"))
        assert told == len(counted)
        assert told >= 500 - 100 - 65
        log.write(b"the last\n")
        assert reader.readline() == b"the last\n"


def test_a_writer_flushes_no_longer_than_it_may():
    with written_to() as (reader, log):
        for _ in range(1_000):
            log.write(LINE)
        log.flush(0.05)  # or this test never ends
        for _ in range(1_000):  # else its thread writes to what the next test opens under the same number
            reader.readline()


@pytest.mark.parametrize("end", ["pass", "raise SystemExit(3)", "raise RuntimeError", "os.kill(os.getpid(), 15)"])
def test_no_line_is_lost_at_the_end_of_a_process(end):
    code = (
        "import os, signal, sys; from receiver.log.lines import Writer\n"
        "signal.signal(15, lambda *_: sys.exit(0)); log = Writer(1, bytes)\n"
        f"for number in range(5_000): log.write(b'%d\\n' % number)\n{end}\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, timeout=60)
    assert ended.stdout.split() == [b"%d" % number for number in range(5_000)]


def test_a_fork_writes_its_own_lines_and_none_of_its_parent():
    code = (
        "import os; from receiver.log.lines import Writer\n"
        "log = Writer(1, bytes)\n"
        "for number in range(2_000): log.write(b'parent\\n')\n"
        "child = os.fork()\n"
        "for number in range(2_000): log.write(b'child\\n' if not child else b'parent\\n')\n"
        "child and os.waitpid(child, 0)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=60)
    assert (ended.stdout.count(b"parent\n"), ended.stdout.count(b"child\n")) == (4_000, 2_000)
