"""What is shipped to run it: as far as this machine can tell, it is right."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from receiver import serving
from receiver.settings import describe

DEPLOY = Path(__file__).parent.parent / "deploy"
UNIT = (DEPLOY / "receiver.service").read_text()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_systemd_knows_every_line_of_the_unit(tmp_path):
    unit = tmp_path / "receiver.service"
    unit.write_text(UNIT.replace("/opt/receiver/bin/receiver", "/bin/true"))
    told = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert "receiver.service" not in told.stderr, told.stderr


def test_a_stop_leaves_more_time_than_deliveries_in_flight_have():
    (stop,) = re.findall(r"^TimeoutStopSec=(\d+)$", UNIT, re.MULTILINE)
    assert int(stop) >= 2 * serving.graceful_timeout


@pytest.mark.parametrize("name", ["receiver.service", "Containerfile"])
def test_only_settings_that_exist_are_set(name):
    set_there = set(re.findall(r"\b(RECEIVER_[A-Z_]+)=", (DEPLOY / name).read_text()))
    assert set_there
    assert set_there <= {setting.variable for setting in describe({})}


def test_the_container_does_not_run_as_root():
    last = (DEPLOY / "Containerfile").read_text().rpartition("\nFROM ")[2]
    assert "\nUSER receiver\n" in last


def test_licences_are_listed():
    told = subprocess.run([sys.executable, DEPLOY / "licenses.py"], capture_output=True, text=True, check=True)
    assert re.search(r"^gunicorn +\S+ +MIT$", told.stdout, re.MULTILINE)
    assert re.search(r"^pytest .*\(tests, extras\)$", told.stdout, re.MULTILINE)
