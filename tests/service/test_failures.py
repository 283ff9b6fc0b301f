"""A disk that is full or gone, a ledger that is locked: a true answer within a second, and healthy once repaired."""

import os
import subprocess
import sys
import time

import apsw
import pytest

from tests.service.test_delivery import published, referral
from tests.support.leftovers import left_in
from tests.support.running import ROOT, Service

SECOND = 1.5  # what "within a second" may take on a machine that runs other tests


def timed(service: Service, raw: bytes):
    started = time.monotonic()
    answer = service.request(raw)
    return answer, time.monotonic() - started


def refused(service: Service, source_id: str, status: int, code: str) -> None:
    answer, seconds = timed(service, referral(source_id))
    if seconds >= SECOND:  # a busy disk may pause once
        answer, seconds = timed(service, referral(source_id))
    assert (answer.status, answer.json["code"]) == (status, code)
    assert answer.headers["retry-after"].isdecimal()
    assert seconds < SECOND


def healthy(service: Service, source_id: str) -> None:
    answer = service.request(referral(source_id))
    assert (answer.status, answer.json["duplicate"]) == (200, False), answer.body
    assert all(path.exists() for path in published(service, answer))


@pytest.fixture
def own(tmp_path):
    """A service of its own, since what it stands on is broken."""
    service = Service(tmp_path / "data").start()
    yield service
    service.stop()


@pytest.fixture
def small(tmp_path):
    """A service whose output lies on a file system of four megabytes, and its stage with it."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount a small file system")
    disk = tmp_path / "output"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip("cannot mount a small file system here")
    service = Service(tmp_path / "data", environment={"RECEIVER_MIN_FREE": "0", "RECEIVER_OUTPUT": str(disk)})
    try:
        yield service.start()
    finally:
        service.stop()
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_is_507_and_nothing_is_lost(small):
    healthy(small, "full-0")
    filler = small.output / "filler"
    free = os.statvfs(small.output)
    filler.write_bytes(b"\0" * free.f_bavail * free.f_bsize)
    refused(small, "full-1", 507, "disk-full")
    assert [left for stage in small.output.glob("*/.stage") for left in left_in(stage)] == []
    filler.unlink()
    healthy(small, "full-1")


def test_too_little_free_space_turns_a_delivery_away_before_its_body_is_read(tmp_path):
    service = Service(tmp_path / "data", environment={"RECEIVER_MIN_FREE": "900000 GB"}).start()
    try:
        head, _, _ = referral("space-1").partition(b"\r\n\r\n")
        answer = service.request(head + b"\r\n\r\n")
        assert (answer.status, answer.json["code"]) == (507, "disk-full")
    finally:
        service.stop()


def test_a_read_only_disk_is_503_until_it_can_be_written(small):
    healthy(small, "read-only-0")
    disk = str(small.output)
    subprocess.run(["mount", "-o", "remount,ro,size=4m", disk], check=True)
    refused(small, "read-only-1", 503, "storage-failed")
    subprocess.run(["mount", "-o", "remount,rw,size=4m", disk], check=True)
    healthy(small, "read-only-1")


def test_an_output_folder_that_is_gone_is_503_until_it_is_back(own):
    healthy(own, "gone-0")
    folder = own.output / "referrals"
    away = folder.rename(own.data / "away")
    refused(own, "gone-1", 503, "storage-failed")
    for verb in (["status"], ["prune", "--dry-run"], ["recover"]):
        receiver = [sys.executable, "-m", "receiver.cli", *verb]
        told = subprocess.run(receiver, cwd=ROOT, env=own.variables(), capture_output=True, text=True)
        assert not told.stdout.startswith("ready")
        assert not folder.exists(), "whoever looks puts no folder where a disk is away"
    own.stop()
    own.start()
    refused(own, "gone-1", 503, "storage-failed")
    assert not folder.exists(), "nor does a service that starts"
    away.rename(folder)
    healthy(own, "gone-1")


def test_a_ledger_that_is_locked_is_503_until_it_is_free(own):
    healthy(own, "locked-0")
    foreign = apsw.Connection(str(own.data / "ledger.db"))
    foreign.execute("BEGIN IMMEDIATE")
    refused(own, "locked-1", 503, "storage-failed")
    foreign.execute("ROLLBACK")
    foreign.close()
    healthy(own, "locked-1")
