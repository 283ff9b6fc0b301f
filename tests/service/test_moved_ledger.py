"""The ledger's file is moved, replaced or removed under a running service: it takes nothing until that is mended."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.service.test_delivery import referral
from tests.support.running import ROOT, Service

GET = "GET {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@pytest.fixture
def service(tmp_path):
    running = Service(tmp_path / "data", options=("--workers", "1")).start()
    yield running
    running.stop()


def get(service: Service, path: str):
    return service.request(GET.format(path).encode())


def files(service: Service) -> set[Path]:
    folders = [*service.output.rglob("*"), *(service.data / "stage").glob("*/*"), *service.data.glob("quarantine/*/*")]
    return {path for path in folders if path.is_file()}


def stands(service: Service) -> tuple[int, bool, bool]:
    """What /readyz, its line about the ledger, and the metric say."""
    ready = get(service, "/readyz")
    [ledger] = [check for check in ready.json["checks"] if check["name"] == "ledger"]
    return ready.status, ledger["ready"], b"receiver_ledger_up 1.0\n" in get(service, "/metrics").body


def takes(service: Service, source_id: str) -> None:
    answer = service.request(referral(source_id))
    assert (answer.status, answer.json["duplicate"]) == (200, False)
    assert stands(service) == (200, True, True)


def takes_nothing(service: Service, name: str) -> None:
    """Neither what is new, nor what came before, nor what would be refused."""
    before = files(service)
    for raw in (referral("new"), referral("first"), referral("wrong", mrn="?")):
        answer = service.request(raw)
        assert (answer.status, answer.json["code"]) == (503, "storage-failed"), answer.body
        assert answer.headers["retry-after"].isdecimal()
        assert f"{name} is not " in answer.json["detail"]
        assert "put it back" in answer.json["detail"]
    assert files(service) == before
    assert stands(service) == (503, False, False)


def receiver(service: Service, *verb: str) -> str:
    command = [sys.executable, "-m", "receiver.cli", *verb]
    done = subprocess.run(command, cwd=ROOT, env=service.variables(), capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("name", ["ledger.db", "ledger.db-wal"])
def test_nothing_is_taken_until_what_was_moved_is_back(service, name):
    takes(service, "first")
    ledger, away = service.data / name, service.data / "away"
    ledger.rename(away)
    takes_nothing(service, name)
    assert not receiver(service, "status").startswith("ready")
    shutil.copy(away, ledger)  # the same content, but not the file that the service has open
    takes_nothing(service, name)
    assert name in receiver(service, "log")
    away.replace(ledger)
    takes(service, "second")
    assert len(receiver(service, "log", "--json").splitlines()) == 2


def test_a_ledger_that_was_removed_is_restored_as_the_page_says(service):
    takes(service, "first")
    receiver(service, "backup", str(service.data / "copy.db"))
    ledger = service.data / "ledger.db"
    ledger.unlink()
    takes_nothing(service, "ledger.db")
    service.stop()
    with pytest.raises(RuntimeError, match="put the ledger back"):  # nor does a start begin another one by itself
        service.start()
    for beside in ("ledger.db-wal", "ledger.db-shm"):
        (service.data / beside).unlink()
    shutil.copy(service.data / "copy.db", ledger)
    service.start()
    assert service.request(referral("first")).json["duplicate"] is True
    takes(service, "second")


def test_a_worker_that_dies_meanwhile_is_replaced_once_the_ledger_is_back(service):
    takes(service, "first")
    ledger, away = service.data / "ledger.db", service.data / "away"
    ledger.rename(away)
    for worker in psutil.Process(service.process.pid).children():
        worker.kill()
    wait_until(lambda: service.log.read_text().count(" not opened ") >= 2)
    away.rename(ledger)
    wait_until(lambda: get(service, "/readyz").status == 200)
    assert service.request(referral("first")).json["duplicate"] is True
    takes(service, "second")


def wait_until(true) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_was_accepted_outlives_a_log_that_was_removed(service):
    takes(service, "first")
    (service.data / "ledger.db-wal").unlink()  # and nobody asks before the stop
    service.process.terminate()
    service.process.wait(timeout=60)
    service.start()
    assert service.request(referral("first")).json["duplicate"] is True
    takes(service, "second")
