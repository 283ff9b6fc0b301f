"""Two workers and a restart, and each fault is told once at its onset and once at its recovery."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from receiver.operations.notify.alerts import LOOK
from tests.support.running import ROOT, Service, multipart
from tests.support.webhook import webhook

PLANTED = "Planted-4711"
SAMPLE = ROOT / "mappings" / "referrals" / "samples" / "faxed-letter"
SECRET = "an-invented-secret-of-the-webhook"


def delivery(old: bytes, new: bytes) -> bytes:
    metadata = (SAMPLE / "metadata.json").read_bytes()
    assert old in metadata
    return multipart(
        ("file", "scan.tif", "image/tiff", (SAMPLE / "file--123456789.tif").read_bytes()),
        ("metadata", "metadata.json", "application/json", metadata.replace(old, new)),
        path="/api/nextstep/delivery/referrals",
    )


def wait_until(true, what=str) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, what()
        time.sleep(0.1)


def workers(service: Service) -> list[int]:
    pid = service.process.pid
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.fixture
def site(tmp_path):
    for folder in ("schemas", "mappings/referrals"):
        shutil.copytree(ROOT / folder, tmp_path / "site" / folder)
    toml = tmp_path / "site" / "mappings" / "referrals" / "process.toml"
    toml.write_text(toml.read_text() + '\n[notify]\nwebhook = "env:NOTIFY_URL"\n')
    return tmp_path / "site"


def test_each_fault_is_told_once_whoever_looks_and_however_often_it_starts(site, tmp_path):
    with webhook() as (url, received):
        environment = {"NOTIFY_URL": f"{url}/{SECRET}", "RECEIVER_LOG": "json"}
        service = Service(tmp_path / "data", site, environment, options=("--log-level", "debug")).start()

        def told() -> list[str]:
            return [f"{notice['event']} {notice['fault']}" for notice in received]

        try:
            held = service.request(delivery(b'"confidence": 0.9\n', b'"confidence": 0.2\n'))
            assert (held.status, service.request(delivery(b"142637A", PLANTED.encode())).status) == (202, 422)
            wait_until(lambda: len(told()) >= 2)
            toml = site / "mappings" / "referrals" / "process.toml"
            sound = toml.read_text()
            toml.write_text(sound.replace("Referral intake", PLANTED).replace("[output]", "[outputs]"))
            wait_until(lambda: len(told()) >= 3)
            os.kill(workers(service)[0], signal.SIGKILL)  # another worker takes its place
            service.stop()
            toml.write_text(sound)
            service.start()
            wait_until(lambda: len(told()) >= 4, lambda: (told(), service.log.read_text()[-3000:]))
            replay = [sys.executable, "-m", "receiver.cli", "replay", held.json["id"], "--accept-confidence"]
            subprocess.run(replay, env=service.variables(), check=True, capture_output=True)
            wait_until(lambda: len(told()) >= 5)
            time.sleep(LOOK + 2)  # both workers look again
        finally:
            service.stop()
    assert sorted(told()) == [
        "onset configuration",
        "onset held",
        "onset refused",
        "recovery configuration",
        "recovery held",
    ]
    assert PLANTED not in str(received)
    log = service.log.read_text()
    assert log.count('"event": "notified"') == 5
    assert PLANTED not in log
    assert SECRET not in log
