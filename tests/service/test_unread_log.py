"""Standard error is a pipe that nobody reads: deliveries go on, and the log is whole once somebody does."""

import fcntl
import os
import subprocess
import sys
from dataclasses import dataclass

import pytest

from tests.service.test_delivery import referral
from tests.support.planted import RUN
from tests.support.running import ROOT, Service, free_port

COUNT = 60  # deliveries, each of which logs some 300 bytes
SMALLEST = 4_096  # bytes in a pipe: a dozen deliveries fill it


@dataclass
class Piped(Service):
    """A service whose standard error is a pipe, also that of its master."""

    reading: int = -1

    def start(self) -> "Piped":
        self.port = free_port()
        self.data.mkdir()
        RUN.starts(self.log, self.site)
        self.reading, writing = os.pipe()
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, SMALLEST)
        gunicorn = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "--bind", f"127.0.0.1:{self.port}"]
        with os.fdopen(writing, "wb") as pipe:
            self.process = subprocess.Popen([*gunicorn, "wsgi:app"], cwd=ROOT, env=self.variables(), stderr=pipe)
        self.wait_until_ready()
        return self


@pytest.fixture
def unread(tmp_path):
    service = Piped(tmp_path / "data")
    service.start()
    yield service
    service.process.kill()
    os.close(service.reading)


def test_a_log_that_nobody_reads_delays_no_delivery_and_no_line_is_missing_later(unread):
    for number in range(COUNT):
        assert unread.request(referral(f"unread-{number}")).status == 200  # within the timeout of the connection
    assert "receiver_log_lines_lost_total 0.0" in unread.metrics()
    unread.process.terminate()  # the end of the service waits for the reader, a moment
    with os.fdopen(os.dup(unread.reading), "rb") as log:
        told = log.read()
    unread.process.wait(timeout=40)
    unread.log.write_bytes(told)
    RUN.stops(unread.log, "")
    assert told.count(b" INFO published id=") == COUNT
    assert b"Shutting down: Master" in told
