"""What is shipped to run it: as far as this machine can tell, it is right."""

import email
import email.policy
import os
import re
import shutil
import socketserver
import subprocess
import sys
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from receiver.core.settings import describe
from receiver.operations.notify.notices import Condition, Event, Notice
from receiver.server import configuration as serving

DEPLOY = Path(__file__).parent.parent / "deploy"
UNIT = (DEPLOY / "receiver.service").read_text()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_systemd_knows_every_line_of_the_unit(tmp_path):
    unit = tmp_path / "receiver.service"
    unit.write_text(UNIT.replace("/opt/receiver/bin/receiver", "/bin/true"))
    told = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert "receiver.service" not in told.stderr, told.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_systemd_finds_little_that_the_unit_leaves_open(tmp_path):
    unit = tmp_path / "receiver.service"
    unit.write_text(UNIT.replace("/opt/receiver/bin/receiver", "/bin/true"))
    asked = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", unit]
    told = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout  # at most 2.0 of 10


def test_a_stop_leaves_more_time_than_deliveries_in_flight_have():
    (stop,) = re.findall(r"^TimeoutStopSec=(\d+)$", UNIT, re.MULTILINE)
    assert int(stop) >= 2 * serving.graceful_timeout


@pytest.mark.parametrize("name", ["receiver.environment", "Containerfile", "compose-hosts.yml"])
def test_only_settings_that_exist_are_set(name):
    set_there = set(re.findall(r"\b(RECEIVER_[A-Z_]+)[=:]", (DEPLOY / name).read_text()))
    assert set_there
    assert set_there <= {setting.variable for setting in describe({})}


def test_the_container_does_not_run_as_root():
    last = (DEPLOY / "Containerfile").read_text().rpartition("\nFROM ")[2]
    assert "\nUSER receiver\n" in last


def test_a_volume_of_ours_belongs_to_the_user_of_the_container():
    """A volume is made with the owner of the folder that the image has there, and is root's where it has none."""
    named = re.compile(r'["\s](?:data|local-\d):(/\w+)')
    mounted = {path for file in DEPLOY.glob("compose*.yml") for path in named.findall(file.read_text())}
    (made,) = re.findall(r"install -d -o receiver -g receiver -m 0750 (.*)", (DEPLOY / "Containerfile").read_text())
    assert mounted == {"/data", "/local"}
    assert mounted <= set(made.split())


def test_licences_are_listed():
    told = subprocess.run([sys.executable, DEPLOY / "licenses.py"], capture_output=True, text=True, check=True)
    assert re.search(r"^gunicorn +\S+ +MIT$", told.stdout, re.MULTILINE)
    assert re.search(r"^pytest .*\(tests, extras\)$", told.stdout, re.MULTILINE)


@contextmanager
def mail_server():
    """Take one mail in on the loopback, as far as SMTP (RFC 5321) is needed for that; yield its port and lines."""
    lines: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            self.wfile.write(b"220 here\r\n")
            data = False
            for line in self.rfile:
                lines.append(line.decode().rstrip("\r\n"))
                word, data = lines[-1].upper()[:4], data and lines[-1] != "."
                if not data:
                    data = word == "DATA"
                    self.wfile.write(b"354 go on\r\n" if data else b"221 bye\r\n" if word == "QUIT" else b"250 ok\r\n")

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1], lines
        finally:
            server.shutdown()
            thread.join()


def test_a_notice_is_mailed():
    now = datetime(2026, 1, 2, tzinfo=UTC)
    notice = Notice(Event.ONSET, "labs", "Befunde für Süd", Condition.REFUSED, now, now, "refused: 2", {"part-type": 2})
    with mail_server() as (port, lines):
        mailing = [sys.executable, DEPLOY / "notify_by_mail.py", f"127.0.0.1:{port}"]
        mailing += ["fax@example.org", "a@example.org", "b@example.org"]
        subprocess.run(mailing, input=notice.json(), check=True, timeout=20)
    assert [line.upper() for line in lines if line.upper().startswith("RCPT")] == [
        "RCPT TO:<A@EXAMPLE.ORG>",
        "RCPT TO:<B@EXAMPLE.ORG>",
    ]
    start = next(place for place, line in enumerate(lines) if line.upper() == "DATA")
    mail = email.message_from_bytes("\n".join(lines[start + 1 :]).encode(), policy=email.policy.default)
    assert mail["Subject"] == "[receiver] labs: refused onset"
    assert "Befunde für Süd (labs) on " in mail.get_content()
    assert "advice: receiver log --process labs --status refused" in mail.get_content()
    assert "2 part-type" in mail.get_content()


PROMTOOL = shutil.which("promtool")


@pytest.mark.skipif(PROMTOOL is None and not os.environ.get("CI"), reason="no promtool here")
def test_each_alert_fires_on_its_series_and_not_before_its_time():
    told = subprocess.run(
        [str(PROMTOOL), "test", "rules", DEPLOY / "alerts_test.yml"], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr


def test_each_alert_is_tried_and_has_a_section_in_the_runbook():
    alerts = re.findall(r"alert: (\w+)", (DEPLOY / "alerts.yml").read_text())
    tried = set(re.findall(r"alertname: (\w+)\n", (DEPLOY / "alerts_test.yml").read_text()))
    sections = re.findall(r"^## (Receiver\w+)$", (DEPLOY.parent / "docs/runbook.md").read_text(), re.MULTILINE)
    assert set(alerts) == tried == set(sections)


@pytest.mark.parametrize("name", ["alerts.yml", "dashboard.json"])
def test_only_metrics_that_are_documented_are_asked_for(name):
    """`test_docs.py` holds the documented ones against those that exist."""
    documented = set(re.findall(r"\b(receiver_\w+)", (DEPLOY.parent / "docs/operations.md").read_text()))
    documented |= {f"{metric}_bucket" for metric in documented}
    asked = set(re.findall(r"\b(receiver_\w+)", (DEPLOY / name).read_text()))
    assert asked
    assert asked <= documented


def test_the_dashboard_is_as_its_program_writes_it():
    written = subprocess.run(
        [sys.executable, DEPLOY / "dashboard.py"], capture_output=True, text=True, check=True
    ).stdout
    assert written == (DEPLOY / "dashboard.json").read_text()
