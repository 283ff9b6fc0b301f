"""An upgrade under the rules of systemd: Type=notify, NotifyAccess=all, KillMode=mixed.

What stands in for systemd here follows MAINPID; once that process has ended, the unit is over (systemd.service(5)).
"""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.running import ROOT, TOKEN, Service, free_port

UNIT = (ROOT / "deploy/receiver.service").read_text()
START = 60  # seconds that a start may take on a busy machine


class Manager:
    """Starts the service as the unit says, and hears what it is told of it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.told.bind(str(folder / "notify"))
        self.told.settimeout(START)
        self.log = folder / "log"
        environment = os.environ | {
            "NOTIFY_SOCKET": str(folder / "notify"),
            "RECEIVER_SITE": str(ROOT),
            "RECEIVER_DATA": str(folder / "var"),
            "RECEIVER_TOKEN": TOKEN,
        }
        command = [sys.executable, "-m", "receiver.cli", "serve", "--bind", f"127.0.0.1:{port}"]
        with self.log.open("wb") as log:
            self.started = subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, start_new_session=True, cwd=folder
            )
        self.main = self.started.pid

    def hear(self, word: str) -> str:
        """Wait until the service has told something of this name; return its value."""
        while True:
            lines = dict(line.split("=", 1) for line in self.told.recv(4096).decode().splitlines())
            if "MAINPID" in lines:
                self.main = int(lines["MAINPID"])
            if word in lines:
                return lines[word]

    def is_over(self) -> bool:
        """Tell whether the main process has ended, which ends the unit."""
        self.started.poll()
        try:
            os.kill(self.main, 0)
        except ProcessLookupError:
            return True
        return False

    def stop(self) -> None:
        for pid in {self.main, self.started.pid}:
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                continue
        self.started.wait(START)
        self.told.close()


@contextmanager
def managed(folder: Path) -> Iterator[tuple[Manager, Service]]:
    port = free_port()
    manager = Manager(folder, port)
    try:
        assert manager.hear("READY") == "1"
        yield manager, Service(folder / "var", port=port)
    finally:
        manager.stop()


def answers(service: Service) -> bool:
    return service.request(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").status == 200


def test_an_upgrade_is_the_service_before_the_old_one_ends(tmp_path):
    with managed(tmp_path) as (manager, service):
        assert answers(service)
        old = manager.main
        os.kill(old, signal.SIGUSR2)
        while manager.main == old:
            manager.hear("MAINPID")
        os.kill(old, signal.SIGTERM)
        manager.started.wait(START)
        assert not manager.is_over()
        assert answers(service)


@pytest.mark.parametrize("line", ["Type=notify", "NotifyAccess=all", "KillMode=mixed"])
def test_the_unit_has_the_rules_that_are_tried_here(line):
    assert re.search(rf"^{line}$", UNIT, re.MULTILINE)


def test_the_unit_lets_files_be_given_to_the_group_of_an_output():
    """systemd.exec(5): @privileged holds @chown, and RestrictSUIDSGID= forbids chmod 2770."""
    assert UNIT.index("SystemCallFilter=~@privileged") < UNIT.index("SystemCallFilter=@chown")
    assert not re.search(r"^RestrictSUIDSGID=yes$", UNIT, re.MULTILINE)
