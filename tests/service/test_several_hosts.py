"""Two services that share ledger and disk, as two hosts do."""

import re
import signal
import socket
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from receiver.cli.deliveries import look_at_context
from receiver.core.settings import Settings
from receiver.operations import health
from receiver.store.ledger import Ledger
from tests.hostile.test_nginx import MISSING, Front
from tests.service.test_delivery import metadata, published, referral
from tests.support.required import require
from tests.support.running import ROOT, Service, multipart


@pytest.fixture(scope="module")
def pair(tmp_path_factory, postgres):
    root, url = tmp_path_factory.mktemp("hosts"), postgres.new_url()
    shared = {"RECEIVER_LEDGER": url, "RECEIVER_DATA": str(root / "shared")}
    services = [
        Service(
            root / name,
            environment=shared | {"RECEIVER_LOCAL": str(root / name), "RECEIVER_OUTPUT": str(root / "output")},
        )
        for name in ("one", "two")
    ]
    yield [service.start() for service in services]
    for service in services:
        service.stop(signal.SIGKILL)


def get(service: Service, path: str):
    return service.request(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())


def verb(service: Service, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "receiver.cli", *arguments]
    return subprocess.run(command, cwd=ROOT, env=service.variables(), capture_output=True, text=True, check=False)


def test_a_delivery_is_published_once_whichever_host_it_is_sent_to(pair):
    one, two = pair
    first, second = one.request(referral("shared")), two.request(referral("shared"))
    assert (first.status, second.status) == (200, 200), (first.body, second.body)
    assert (first.json["duplicate"], second.json["duplicate"]) == (False, True)
    assert [path.read_bytes() for path in published(one, first)] == [
        path.read_bytes() for path in published(two, second)
    ]
    other_content = two.request(referral("shared", mrn="777777A"))
    assert other_content.json["version"] == 2


def test_what_one_host_keeps_another_one_shows(pair):
    one, two = pair
    body = multipart(
        ("metadata", "metadata.json", "application/json", metadata("kept")), path="/api/nextstep/delivery/referrals"
    )
    refused = one.request(body)
    assert refused.status == 422
    told = verb(two, "log", "--source-id", "kept")
    assert "refused" in told.stdout, told


def test_status_and_readiness_tell_of_all_hosts(pair):
    one, two = pair
    told = verb(two, "status")
    assert told.returncode == 0, told
    assert told.stdout.count(" s ago") >= 2
    ready = get(one, "/readyz")
    assert ready.status == 200
    (hosts,) = [check for check in ready.json["checks"] if check["name"] == "hosts"]
    assert "processes: " in hosts["reason"]
    assert "differs" not in hosts["reason"]


def test_readiness_says_where_the_site_differs(pair):
    one, _two = pair
    other = Ledger(one.environment["RECEIVER_LEDGER"])
    try:
        (Path(one.environment["RECEIVER_DATA"]) / "stage" / other.owner).mkdir()
        other.hosts.serve("another site")
        (hosts,) = [check for check in get(one, "/readyz").json["checks"] if check["name"] == "hosts"]
    finally:
        other.close()
    assert hosts["ready"]
    assert hosts["reason"].endswith(f"the site here differs from that of {socket.gethostname()}")


def test_a_host_with_another_disk_before_it_is_not_ready(pair, tmp_path, monkeypatch):
    one, _two = pair
    settings = Settings.from_environment(
        one.variables() | {"RECEIVER_DATA": str(tmp_path), "RECEIVER_LOCAL": one.environment["RECEIVER_LOCAL"]}
    )
    monkeypatch.setattr(health, "SEEN", timedelta(seconds=-1))  # also for one that has just begun
    context = look_at_context(settings)
    try:
        (hosts,) = [check for check in health.checks(context, look_only=True) if check.name == "hosts"]
    finally:
        context.ledger.close()
    assert not hosts.ready
    assert "RECEIVER_DATA is not the folder of" in hosts.reason


def published_by(service: Service) -> float:
    """Return how many deliveries the processes of one host have published."""
    found = re.findall(r'^receiver_deliveries_total\{.*outcome="published".*\} (\S+)$', service.metrics(), re.MULTILINE)
    return sum(map(float, found))


def taken(front: Front, raw: bytes) -> str:
    """Send a delivery until it is taken, as a platform does on a busy machine, and return its id."""
    deadline = time.monotonic() + 60
    while True:
        answer = front.exchange(raw)
        if answer.status == 200:
            return answer.json["id"]
        assert answer.status == 503, answer.body
        assert time.monotonic() < deadline


def test_nginx_spreads_deliveries_and_goes_on_with_one_host(pair, tmp_path):
    require("nginx and openssl are not installed" if MISSING else "")
    one, two = pair
    front = Front(tmp_path, one.port, two.port).wait()
    before = [published_by(each) for each in pair]
    try:
        ids = [taken(front, referral(f"front-{number}")) for number in range(8)]
        assert all(published_by(each) > count for each, count in zip(pair, before, strict=True))
        two.stop()  # the last test with both
        again = [front.exchange(referral(f"front-{number}")) for number in range(8) for _ in range(4)]
        assert {each.status for each in again} <= {200, 503}  # each host is tried again after 10 s
        assert {each.json["id"] for each in again if each.status == 200} == set(ids)
        assert all(each.json["duplicate"] for each in again if each.status == 200)
        assert all(each.headers["retry-after"] for each in again if each.status == 503)
    finally:
        front.process.terminate()
        front.process.wait(60)
