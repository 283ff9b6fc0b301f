"""A document of 300 MB costs no more memory than one of 1 MB, and its bytes are written once."""

import shutil
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from tests.service.test_delivery import REFERRALS, metadata
from tests.support.running import ROOT, Service, multipart, read_answer

MEGABYTE = 1_000_000
CHUNK = b"\x5a" * MEGABYTE


@pytest.fixture
def roomy(tmp_path):
    """A service of one worker, for one process whose documents may be as large as the request."""
    site = tmp_path / "site"
    shutil.copytree(ROOT / "schemas", site / "schemas")
    shutil.copytree(ROOT / "mappings" / "referrals", site / "mappings" / "referrals")
    process = site / "mappings" / "referrals" / "process.toml"
    process.write_text(process.read_text().replace('max_size = "200 MB"', ""))
    service = Service(tmp_path / "data", site=site, options=("--workers", "1")).start()
    yield service
    service.stop()


def deliver(service: Service, source_id: str, megabytes: int):
    """Send a TIFF of so many megabytes, a piece at a time."""
    raw = multipart(
        ("metadata", "metadata.json", "application/json", metadata(source_id)),
        ("file", "scan.tif", "image/tiff", b"II*\0" + b"\0" * 8),
        path=REFERRALS,
    )
    head, _, body = raw.partition(b"\r\n\r\n")
    start, _, end = body.rpartition(b"\r\n------testBoundary7MA4YWxk--")
    length = len(body) + megabytes * MEGABYTE
    head = b"\r\n".join(line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length"))
    with closing(service.connect(timeout=120)) as connection:
        connection.sendall(head + f"\r\nContent-Length: {length}\r\n\r\n".encode() + start)
        for _ in range(megabytes):
            connection.sendall(CHUNK)
        connection.sendall(b"\r\n------testBoundary7MA4YWxk--" + end)
        return read_answer(connection)


def peak(worker: psutil.Process) -> int:
    """Return the most memory that the worker ever held, in bytes."""
    status = Path(f"/proc/{worker.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def test_a_document_of_300_mb_is_written_once_and_never_held_in_memory(roomy):
    [worker] = psutil.Process(roomy.process.pid).children()
    assert deliver(roomy, "small", 1).status == 200
    before, written = peak(worker), worker.io_counters().write_chars
    answer = deliver(roomy, "large", 300)
    assert answer.status == 200, answer.body
    assert answer.json["documents"][0]["size"] == 300 * MEGABYTE + 12
    assert peak(worker) - before < 20 * MEGABYTE
    assert worker.io_counters().write_chars - written < 301 * MEGABYTE
