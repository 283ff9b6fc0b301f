"""HUP: a changed configuration comes into force, a faulty one does not."""

import os
import shutil
import signal
import time
from pathlib import Path

from running import ROOT, Service


def wait_until(true) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def workers(service: Service) -> set[str]:
    assert service.process
    pid = service.process.pid
    return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


def test_a_reload_takes_over_a_sound_configuration_and_no_other(tmp_path):
    site = tmp_path / "site"
    for folder in ("schemas", "mappings"):
        shutil.copytree(ROOT / folder, site / folder)
    process = site / "mappings" / "referrals" / "process.toml"
    sound = process.read_text()
    service = Service(tmp_path / "data", site=site).start()
    try:
        before = workers(service)
        process.write_text(sound.replace("[output]", "[outputs]"))
        os.kill(service.process.pid, signal.SIGHUP)
        wait_until(lambda: "configuration not accepted" in service.log.read_text())
        assert "process.toml" in service.log.read_text()
        assert workers(service) == before
        service.wait_until_ready()
        process.write_text(sound)
        os.kill(service.process.pid, signal.SIGHUP)
        wait_until(lambda: len(workers(service)) == 2 and not workers(service) & before)
        service.wait_until_ready()
    finally:
        service.stop()
