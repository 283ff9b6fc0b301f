"""Errors that quote what they met: nothing of it is told, also where every logger says all it can.

What the whole room makes the service tell is looked through when it stops: see conftest.py.
"""

import time
from pathlib import Path

import pytest

from tests.support.running import Service

from .cases.building import PLANTED, delivery, whole
from .documented import faults, operation
from .talking import exchange

FORCED = [
    ("forced-defect", 500, "internal-error"),
    ("forced-error", 503, "storage-failed"),
    ("forced-full", 507, "disk-full"),
]
METRICS = b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
WORKERS = 2


def left(service: Service) -> set[Path]:
    """Return what lies where deliveries do."""
    folders = [service.data / name for name in ("stage", "output", "quarantine", "originals")]
    return {path for folder in folders for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("source_id", "status", "code"), FORCED)
def test_a_failure_of_our_own_is_told_without_what_it_was_working_on(hostile, source_id, status, code):
    before = hostile.log.stat().st_size
    files = left(hostile)
    raw = delivery(*whole(source_id))
    [answer] = exchange(hostile, raw)
    assert (answer.status, answer.json["code"]) == (status, code)
    assert faults(operation("POST", "/api/nextstep/delivery/scans"), answer) == []
    told = hostile.log.read_bytes()[before:] + answer.body + hostile.request(METRICS).body
    assert [planted for planted in PLANTED if planted.encode() in told] == []
    assert code.encode() in told
    assert left(hostile) == files


def test_a_defect_is_told_by_its_kinds_and_its_place(hostile):
    before = hostile.log.stat().st_size
    exchange(hostile, delivery(*whole("forced-defect-2")))
    [line] = [line for line in hostile.log.read_bytes()[before:].decode().splitlines() if " defect " in line]
    assert "ValueError < " in line
    assert "; after KeyError < " in line
    assert "talkative/wsgi.py:" in line


def test_every_logger_is_heard(hostile):
    """Else nothing above would mean much."""
    deadline = time.monotonic() + 60
    while hostile.log.read_text().count("every logger is heard") < WORKERS:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert " DEBUG " in hostile.log.read_text()
