"""The service behind nginx, with the configuration that is shipped."""

import os
import shutil
import socket
import ssl
import subprocess
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.support.running import ROOT, Answer, free_port

from .cases.building import (
    BOUNDARY,
    HEADER,
    PLANTED,
    TIFF,
    WRONG_TOKEN,
    body,
    file,
    head,
    multipart_type,
    request,
    whole,
)
from .talking import answers

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
OPENSSL = shutil.which("openssl")
MISSING = not (NGINX and OPENSSL)
pytestmark = pytest.mark.skipif(MISSING and not os.environ.get("CI"), reason="nginx and openssl are not installed")

MAIN = """\
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/receiver.conf;
}}
"""


class Front:
    """nginx on a free port, in front of running services."""

    def __init__(self, folder: Path, *behind: int) -> None:
        self.folder, self.port = folder, free_port()
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{folder}/key"]
        name = ["-subj", "/CN=receiver.example.org", "-days", "2", "-out", f"{folder}/crt"]
        subprocess.run([str(OPENSSL), "req", "-x509", *key, *name], check=True, capture_output=True)
        shipped = (ROOT / "deploy" / "nginx.conf").read_text()
        for written, here in {
            "server 127.0.0.1:8080;": "\n".join(f"server 127.0.0.1:{port};" for port in behind),
            "listen 443 ssl;": f"listen 127.0.0.1:{self.port} ssl;",
            "/etc/ssl/receiver.crt": f"{folder}/crt",
            "/etc/ssl/receiver.key": f"{folder}/key",
            "/var/log/nginx/receiver.log": f"{folder}/access.log",
        }.items():
            assert shipped.count(written) == 1
            shipped = shipped.replace(written, here)
        (folder / "receiver.conf").write_text(shipped)
        user = "user root;" if os.getuid() == 0 else ""
        (folder / "main.conf").write_text(MAIN.format(folder=folder, user=user))
        command = [str(NGINX), "-p", str(folder), "-c", str(folder / "main.conf")]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def connect(self) -> ssl.SSLSocket:
        context = ssl.create_default_context(cafile=str(self.folder / "crt"))
        context.check_hostname = False
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        return context.wrap_socket(plain)

    def wait(self) -> "Front":
        deadline = time.monotonic() + 60
        while True:
            try:
                with closing(self.connect()):
                    return self
            except OSError:
                assert self.process.poll() is None, (self.folder / "error.log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.05)

    def exchange(self, raw: bytes) -> Answer:
        with closing(self.connect()) as connection:
            with suppress(BrokenPipeError, ConnectionResetError, ssl.SSLError):
                connection.sendall(raw)
            return next(answer for answer in answers(connection) if answer.status != 100)


@pytest.fixture(scope="module")
def front(hostile, tmp_path_factory):
    nginx = Front(tmp_path_factory.mktemp("nginx"), hostile.port).wait()
    yield nginx
    nginx.process.terminate()
    nginx.process.wait(timeout=20)


def test_a_delivery_goes_through_and_the_receipt_comes_back(front, hostile):
    answer = front.exchange(request(body(*whole("nginx-1"))))
    assert (answer.status, answer.json["sourceId"]) == (200, "nginx-1")
    assert all((hostile.output / document["path"]).exists() for document in answer.json["documents"])


def test_a_large_delivery_is_not_written_by_nginx_first(front):
    content = body(file(TIFF + bytes(900_000)), whole("nginx-2")[1])
    assert front.exchange(request(content)).status == 200
    assert "buffered to a temporary file" not in (front.folder / "error.log").read_text()
    assert not [path for path in (front.folder / "body").rglob("*") if path.is_file()]


def test_problems_are_the_services_own(front):
    answer = front.exchange(request(body(file())))
    assert (answer.status, answer.json["code"]) == (422, "part-missing")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("size", [100, 20_000_000])
def test_a_refusal_arrives_while_the_body_is_still_on_its_way(front, size):
    raw = head(multipart_type(BOUNDARY), f"Content-Length: {size}", token=WRONG_TOKEN) + bytes(size)
    assert front.exchange(raw).status == 401


def test_a_body_over_the_limit_is_refused_by_the_service_with_its_reason(front):
    answer = front.exchange(head(multipart_type(BOUNDARY), "Content-Length: 550000000") + bytes(10**6))
    assert (answer.status, answer.json["code"]) == (413, "body-too-large")


def test_the_service_is_told_who_the_sender_is(front, hostile):
    front.exchange(request(body(*whole("nginx-peer")), "X-Forwarded-For: 203.0.113.9"))
    assert "peer=127.0.0.1" in hostile.log.read_text().splitlines()[-1]
    raw = request(body(*whole("nginx-peer-2")), "X-Forwarded-For: 203.0.113.9, 198.51.100.7")
    assert hostile.request(raw).status == 200  # as nginx would send it
    assert "peer=198.51.100.7" in hostile.log.read_text().splitlines()[-1]


@pytest.mark.parametrize(("path", "status"), [("/healthz", 200), ("/metrics", 404), ("/readyz", 404), ("/", 404)])
def test_only_deliveries_and_health_are_seen_from_outside(front, path, status):
    assert front.exchange(head(path=path, method="GET")).status == status


def test_one_address_can_send_a_days_backlog_at_once(front):
    raw = request(body(*whole("nginx-backlog")))
    with ThreadPoolExecutor(64) as senders:
        answered = Counter(answer.status for answer in senders.map(front.exchange, [raw] * 400))
    assert set(answered) <= {200, 503}  # 503: the same delivery is in progress
    assert answered[200] > 300


def test_while_the_service_is_away_the_sender_is_told_to_come_again(tmp_path):
    alone = Front(tmp_path, free_port()).wait()
    try:
        answer = alone.exchange(request(body(*whole("nginx-away"))))
    finally:
        alone.process.terminate()
        alone.process.wait(timeout=20)
    assert (answer.status, answer.json["code"]) == (503, "unavailable")
    assert (answer.headers["content-type"], answer.headers["retry-after"]) == ("application/problem+json", "30")


def test_what_nginx_cannot_read_is_told_as_the_service_would(front):
    answer = front.exchange(b"POST /api HTTP/1.1\r\nHost: receiver.example.org\r\nContent-Length: x\r\n\r\n")
    assert (answer.status, answer.json["code"]) == (400, "malformed-request")
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_log_of_nginx_holds_nothing_that_was_planted(front):
    front.exchange(request(body(*whole("nginx-log")), path=f"/api/nextstep/delivery/scans?q={HEADER}"))
    logs = (front.folder / "access.log").read_text() + (front.folder / "error.log").read_text()
    assert " POST 200 " in logs
    assert [planted for planted in PLANTED if planted in logs] == []
