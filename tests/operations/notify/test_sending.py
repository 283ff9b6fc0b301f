"""Notices go by a real program and a real HTTP server, in bounded time, and a failure says why."""

import json
import shutil
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from receiver.operations.notify import alerts, sending
from receiver.operations.notify.notices import Condition, Event, Notice
from receiver.site.config.model import NotifyConfig

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
NOTICE = Notice(
    Event.ONSET, "labs", "Lab reports", Condition.HELD, NOW, NOW, "held, and waiting for a person: 2", {"held": 2}
)
SECRET = "an-invented-secret"


@contextmanager
def server(*statuses: int, certificate: Path | None = None):
    """Serve on the loopback; answer with these statuses in turn, and yield the URL and what came in."""
    received, answers = [], list(statuses)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, self.headers["Content-Type"], json.loads(body)))
            self.send_response(answers.pop(0) if len(answers) > 1 else answers[0])
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        do_GET = do_POST  # noqa: N815 (the library's name)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as running:
        if certificate:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(certificate)
            running.socket = context.wrap_socket(running.socket, server_side=True)
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        try:
            yield f"http{'s' if certificate else ''}://127.0.0.1:{running.server_port}/hooks/{SECRET}", received
        finally:
            running.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(sending, "PAUSES", (0, 0))


def program(tmp_path: Path, script: str) -> NotifyConfig:
    path = tmp_path / "program"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return NotifyConfig(command=(str(path), "$HOME; `id`", str(tmp_path / "out")))


def test_a_command_gets_json_and_variables_and_its_arguments_as_they_are(tmp_path):
    config = program(tmp_path, '{ echo "$1"; env; cat; } > "$2"')
    sending.send(config, NOTICE, {"PATH": "/bin:/usr/bin", "RECEIVER_TOKEN": SECRET})
    first, *variables, content = (tmp_path / "out").read_text().splitlines()
    assert first == "$HOME; `id`"
    assert {"NOTIFY_EVENT=onset", "NOTIFY_FAULT=held", "NOTIFY_PROCESS=labs"} <= set(variables)
    assert {"NOTIFY_SINCE=2026-01-02T12:00:00Z", "NOTIFY_TITLE=Lab reports"} <= set(variables)
    assert SECRET not in str(variables)
    told = json.loads(content)
    assert told["text"].startswith("Lab reports (labs) on ")
    assert told["text"].endswith(": held, and waiting for a person: 2")
    assert told["counts"] == {"held": 2}
    assert told["advice"] == "receiver log --process labs --status held"


def test_a_command_that_reads_nothing_is_fine(tmp_path):
    sending.send(program(tmp_path, "exec <&-"), NOTICE)


def test_a_command_that_fails_is_tried_three_times(tmp_path):
    config = program(tmp_path, 'echo x >> "$2"; exit 3')
    with pytest.raises(sending.NotSentError, match="ended with 3"):
        sending.send(config, NOTICE)
    assert (tmp_path / "out").read_text() == "x\n" * 3


def test_a_command_that_hangs_ends_with_all_that_it_has_started(tmp_path, monkeypatch):
    monkeypatch.setattr(sending, "PATIENCE", 0.3)
    began = time.monotonic()
    with pytest.raises(sending.NotSentError, match=r"took more than 0\.3 seconds"):
        sending.once(program(tmp_path, 'sleep 60 & echo $! > "$2"; wait'), NOTICE)
    assert time.monotonic() - began < 5
    started = Path(f"/proc/{(tmp_path / 'out').read_text().strip()}/stat")
    deadline = time.monotonic() + 60
    while started.exists() and started.read_text().split()[2] != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_command_does_not_outlive_the_worker_that_waits_for_it(tmp_path):
    failed = []

    def send() -> None:
        try:
            sending.once(program(tmp_path, 'echo started > "$2"; exec sleep 60'), NOTICE)
        except sending.NotSentError as error:
            failed.append(str(error))

    sender = threading.Thread(target=send)
    sender.start()
    deadline = time.monotonic() + 60
    while not (tmp_path / "out").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    sending.abandon()
    sender.join(10)
    assert failed == ["the command ended with -9"]
    sending.abandon()  # nothing runs any longer


def test_a_command_that_is_not_there_is_told(tmp_path):
    with pytest.raises(sending.NotSentError, match="No such file"):
        sending.once(NotifyConfig(command=(str(tmp_path / "nothing"),)), NOTICE)


def test_a_webhook_gets_the_same_json_by_post():
    with server(204) as (url, received):
        sending.send(NotifyConfig(webhook="env:NOTIFY_URL"), NOTICE, {"NOTIFY_URL": f" {url}\n"})
    ((path, kind, content),) = received
    assert (path, kind) == (f"/hooks/{SECRET}", "application/json")
    assert content == json.loads(NOTICE.json())


def test_a_webhook_is_tried_again_until_it_answers_2xx():
    with server(500, 429, 200) as (url, received):
        sending.send(NotifyConfig(webhook=url), NOTICE)
    assert len(received) == 3


@pytest.mark.parametrize("status", [302, 404, 500])
def test_an_answer_other_than_2xx_is_a_failure_and_no_redirect_is_followed(status):
    with server(status) as (url, received), pytest.raises(sending.NotSentError, match=f"answered {status}") as caught:
        sending.once(NotifyConfig(webhook=url), NOTICE)
    assert len(received) == 1
    assert SECRET not in str(caught.value)


def test_a_webhook_that_cannot_be_reached_is_told_without_its_url():
    with server(200) as (url, _):
        pass
    with pytest.raises(sending.NotSentError, match="ConnectionRefusedError") as caught:
        sending.once(NotifyConfig(webhook=url), NOTICE)
    assert SECRET not in str(caught.value)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")
def test_certificates_are_verified(tmp_path, monkeypatch):
    certificate = tmp_path / "certificate.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    made += [
        "-subj",
        "/CN=here",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        certificate,
        "-out",
        tmp_path / "public.pem",
    ]
    subprocess.run(made, check=True, capture_output=True)
    certificate.write_text(certificate.read_text() + (tmp_path / "public.pem").read_text())
    with server(200, certificate=certificate) as (url, received):
        with pytest.raises(sending.NotSentError, match="SSLCertVerificationError"):
            sending.once(NotifyConfig(webhook=url), NOTICE)
        assert received == []
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "public.pem"))
        sending.once(NotifyConfig(webhook=url), NOTICE)
        assert len(received) == 1


def test_a_variable_that_is_not_set_or_no_url_is_told():
    for environ in ({}, {"NOTIFY_URL": "file:///etc/passwd"}):
        with pytest.raises(sending.NotSentError, match="NOTIFY_URL holds no"):
            sending.once(NotifyConfig(webhook="env:NOTIFY_URL"), NOTICE, environ)


def test_what_could_not_be_told_is_told_at_a_later_look(home):
    note_down = home.folder / "process.toml"
    content = note_down.read_text()
    note_down.write_text(content.replace("note_down", "not_there"))
    home.deliver(mrn="wrong", at=NOW)
    alerts.look(home.context, NOW)
    assert not (home.root / "told").exists()
    home.close()
    note_down.write_text(content)
    alerts.look(home.context, NOW)
    alerts.look(home.context, NOW)
    assert (home.root / "told").read_text().count("onset refused referrals") == 1


def test_the_verb_sends_a_test_notice_and_notes_nothing(home):
    told = home.receiver("notify", "referrals")
    assert (told.exit_code, told.stdout.splitlines()[-1]) == (0, "sent")
    assert "test test referrals" in (home.root / "told").read_text()
    assert json.loads(told.stdout.splitlines()[0])["event"] == "test"
    assert not home.settings.data.exists()


def test_the_verb_shows_only_what_would_be_sent_if_asked_to(home):
    told = home.receiver("notify", "referrals", "--dry-run")
    assert json.loads(told.stdout)["process"] == "referrals"
    assert not (home.root / "told").exists()


def test_the_verb_tells_a_failure_and_where_there_is_nobody_to_tell(home):
    home.configure("note_down", "not_there")
    told = home.receiver("notify", "referrals")
    assert (told.exit_code, "No such file" in told.stderr) == (1, True)
    command = next(line for line in (home.folder / "process.toml").read_text().splitlines() if "not_there" in line)
    home.configure(f"[notify]\n{command}\n", "")
    nobody = home.receiver("notify", "referrals")
    assert (nobody.exit_code, "tells nobody" in nobody.stderr) == (2, True)
    assert home.receiver("notify", "refferals").exit_code == 2
