"""A service that is told to stop: what is whole by then is taken, everybody else is told to come again."""

import os
import signal
import socket
import time
from contextlib import closing, suppress
from pathlib import Path

import psutil
import pytest

from tests.service.test_delivery import referral
from tests.support.running import ROOT, TOKEN, Answer, Service, read_answer

GRACE = 4  # seconds
HEAD = (
    "POST /api/nextstep/delivery/referrals HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    f"Authorization: Bearer {TOKEN}\r\nContent-Length: 100000000\r\n"
)
PART = (
    b'\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="a.tif"\r\nContent-Type: image/tiff\r\n\r\nII*\0'
)


@pytest.fixture
def service(tmp_path):
    running = Service(tmp_path / "data", options=("--graceful-timeout", str(GRACE), "--workers", "1")).start()
    yield running
    running.stop(signal.SIGKILL)


def taken(service: Service, connection: socket.socket) -> None:
    """Wait until a worker has the connection."""
    port = connection.getsockname()[1]
    while not any(
        each.raddr and each.raddr.port == port
        for worker in psutil.Process(service.process.pid).children()
        for each in worker.net_connections("tcp")
    ):
        time.sleep(0.01)


def send_on(connection) -> None:
    """Send without end, until the other side has had enough."""
    try:
        while True:
            connection.sendall(bytes(100_000))
            time.sleep(0.01)
    except OSError:
        pass


@pytest.mark.parametrize(
    "sent",
    [HEAD.encode() + PART, HEAD.encode()],
    ids=["within a body", "within a head"],
)
def test_a_sender_who_is_not_done_when_the_service_stops_is_told_to_come_again(service, sent):
    with closing(service.connect()) as connection:
        connection.sendall(sent)
        taken(service, connection)
        service.process.send_signal(signal.SIGTERM)
        answer = read_answer(connection)
        assert (answer.status, answer.json["code"]) == (503, "shutting-down")
        assert answer.headers["retry-after"]
    assert service.process.wait(GRACE) == 0
    assert not [path for path in (service.data / "stage").rglob("*") if path.is_dir() and path.parent.name != "stage"]


def test_a_sender_who_never_pauses_is_told_as_well(service):
    with closing(service.connect()) as connection:
        connection.sendall(HEAD.encode() + PART)
        taken(service, connection)
        service.process.send_signal(signal.SIGTERM)
        send_on(connection)
        assert read_answer(connection).json["code"] == "shutting-down"
    assert service.process.wait(GRACE) == 0


def workers(service: Service) -> set[str]:
    pid = service.process.pid
    return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


def test_a_worker_that_has_only_just_begun_stops_as_well(tmp_path):
    slow = tmp_path / "slow.py"
    slow.write_text(
        "import time\nfrom receiver.server.configuration import *\n"
        "def post_fork(server, worker):\n    time.sleep(0.5)\n"
    )
    options = ("-c", str(slow), "--graceful-timeout", "30", "--workers", "1")
    service = Service(tmp_path / "data", options=options, environment={"PYTHONPATH": str(ROOT)}).start()
    try:
        [before] = workers(service)
        os.kill(int(before), signal.SIGKILL)
        while not workers(service) - {before}:
            time.sleep(0.01)
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(20) == 0
    finally:
        service.stop(signal.SIGKILL)


def test_a_worker_is_replaced_after_as_many_requests_as_asked_and_nothing_is_lost(tmp_path):
    """Whoever comes while one worker goes and the next begins may be told to come again, and then is taken."""
    service = Service(tmp_path / "data", options=("--workers", "1", "--max-requests", "5")).start()
    try:
        workers = set()
        for number in range(16):
            assert accepted(service, f"replaced-{number}").status == 200
            workers |= {child.pid for child in psutil.Process(service.process.pid).children()}
        assert len(workers) > 2
        assert len(list((service.output / "referrals").glob("*.hl7"))) == 16
    finally:
        service.stop()


def accepted(service: Service, source_id: str) -> Answer:
    """Deliver as the platform does: again, where the connection ends or the answer says so."""
    deadline = time.monotonic() + 60
    while True:
        with suppress(OSError, ValueError):
            answer = service.request(referral(source_id))
            if answer.status != 503:
                return answer
        assert time.monotonic() < deadline
        time.sleep(0.05)
