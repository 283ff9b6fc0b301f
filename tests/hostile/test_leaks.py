"""Errors that quote what they met: nothing of it is told, also where every logger says all it can.

What the whole room makes the service tell is looked through when it stops: see conftest.py.
"""

import pytest

from .cases.building import PLANTED, delivery, whole
from .documented import faults, operation
from .talking import exchange

FORCED = [
    ("forced-defect", 500, "internal-error"),
    ("forced-error", 503, "storage-failed"),
    ("forced-full", 507, "disk-full"),
]
METRICS = b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(("source_id", "status", "code"), FORCED)
def test_a_failure_of_our_own_is_told_without_what_it_was_working_on(hostile, source_id, status, code):
    before = hostile.log.stat().st_size
    files = set(hostile.data.rglob("*"))
    raw = delivery(*whole(source_id))
    [answer] = exchange(hostile, raw)
    assert (answer.status, answer.json["code"]) == (status, code)
    assert faults(operation("POST", "/api/nextstep/delivery/scans"), answer) == []
    told = hostile.log.read_bytes()[before:] + answer.body + hostile.request(METRICS).body
    assert [planted for planted in PLANTED if planted.encode() in told] == []
    assert code.encode() in told
    assert {path for path in hostile.data.rglob("*") if path.is_file()} - files == set()


def test_a_defect_is_told_by_its_kinds_and_its_place(hostile):
    before = hostile.log.stat().st_size
    exchange(hostile, delivery(*whole("forced-defect-2")))
    [line] = [line for line in hostile.log.read_bytes()[before:].decode().splitlines() if " defect " in line]
    assert "ValueError < " in line
    assert "; after KeyError < " in line
    assert "talkative/wsgi.py:" in line


def test_every_logger_is_heard(hostile):
    """Else nothing above would mean much."""
    log = hostile.log.read_text()
    assert " DEBUG " in log
    assert log.count("every logger is heard") >= 2  # in each worker
