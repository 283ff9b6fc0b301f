"""Hosts are upgraded one after the other while deliveries come in."""

import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from importlib.metadata import version

import psutil
import pytest

from receiver.core.delivery import Status
from receiver.store.ledger import Ledger
from tests.service.test_delivery import referral
from tests.service.test_several_hosts import get, verb
from tests.support.running import Service

DEADLINE = 60  # seconds in which something must have happened, on a busy machine
MORE = 6  # deliveries that are waited for between two steps
RELEASE = "99.1"  # of newer_release.py, which Gunicorn alone reads
NEWER = ("--config", "tests/service/newer_release.py", "--workers", "1")
OLDER = ("--workers", "1")


@pytest.fixture
def hosts(tmp_path, postgres):
    shared = {
        "RECEIVER_LEDGER": postgres.new_url(),
        "RECEIVER_DATA": str(tmp_path / "shared"),
        "RECEIVER_OUTPUT": str(tmp_path / "output"),
    }
    services = [
        Service(tmp_path / name, environment=shared | {"RECEIVER_LOCAL": str(tmp_path / name)}, options=OLDER)
        for name in ("one", "two")
    ]
    yield [service.start() for service in services]
    for service in services:
        service.stop(signal.SIGKILL)


@dataclass
class Platform:
    """Sends one delivery after the other, to the next host whenever one does not take it."""

    hosts: list[Service]
    receipts: dict[str, str] = field(default_factory=dict)
    answers: Counter[int] = field(default_factory=Counter)
    over: threading.Event = field(default_factory=threading.Event)

    def send(self, name: str) -> None:
        number = 0
        while not self.over.is_set():
            number += 1
            self.until_taken(f"{name}-{number}")

    def until_taken(self, source_id: str, deadline: float = float("inf")) -> None:
        turn = 0
        while source_id not in self.receipts:
            assert time.monotonic() < deadline, self.answers
            turn += 1
            try:
                answer = self.hosts[(turn + len(self.receipts)) % len(self.hosts)].request(referral(source_id))
            except (OSError, ValueError):
                self.answers[0] += 1
                time.sleep(0.01)
                continue
            self.answers[answer.status] += 1
            if answer.status == 200:
                self.receipts[source_id] = answer.json["id"]

    def wait_for_more(self) -> None:
        wanted, deadline = len(self.receipts) + MORE, time.monotonic() + DEADLINE
        while len(self.receipts) < wanted:
            assert time.monotonic() < deadline, self.answers
            time.sleep(0.01)


def releases(host: Service) -> str:
    return next(check["reason"] for check in get(host, "/readyz").json["checks"] if check["name"] == "hosts")


def test_hosts_are_upgraded_one_after_the_other_under_load(hosts):
    """The first one that is newer adds to the tables under the older one, which goes on."""
    one, two = hosts
    platform = Platform(hosts)
    senders = [threading.Thread(target=platform.send, args=[name]) for name in ("a", "b", "c")]
    for each in senders:
        each.start()
    try:
        platform.wait_for_more()
        _upgrade(one)
        platform.wait_for_more()
        assert get(two, "/readyz").status == 200
        assert f"of the releases {version('receiver')} and {RELEASE}" in releases(two)
        assert {version("receiver"), RELEASE} <= set(verb(two, "status").stdout.split())
        _replace_workers(two)
        _require_both_take(platform)
        _upgrade(two)
        platform.wait_for_more()
        assert "releases" not in releases(one)
    finally:
        platform.over.set()
        for each in senders:
            each.join()
    assert set(platform.answers) <= {0, 200, 503}
    ledger = Ledger(one.environment["RECEIVER_LEDGER"])
    found = ledger.search(limit=10_000)
    ledger.close()
    assert Counter((each.source_id, each.version, each.id, each.status) for each in found) == Counter(
        (source_id, 1, id_, Status.PUBLISHED) for source_id, id_ in platform.receipts.items()
    )
    written = Counter(path.name.partition(".")[0] for path in one.output.rglob("*.tif"))
    assert sum(written.values()) == len(platform.receipts)


def _upgrade(host: Service) -> None:
    host.stop()
    host.options = NEWER
    host.start()


def _replace_workers(host: Service) -> None:
    """Have an older master fork workers while the tables are newer already."""
    workers = psutil.Process(host.process.pid).children()
    for each in workers:
        each.terminate()
    psutil.wait_procs(workers, timeout=DEADLINE)
    host.wait_until_ready()


def _require_both_take(platform: Platform) -> None:
    for number, host in enumerate(platform.hosts):
        alone = Platform([host], platform.receipts, platform.answers)
        alone.until_taken(f"between-{number}", time.monotonic() + DEADLINE)


def test_an_older_release_does_not_start_on_newer_tables(hosts):
    one, _two = hosts
    _upgrade(one)
    one.stop()
    one.options = OLDER
    with pytest.raises(RuntimeError, match="start the newer program that wrote it"):
        one.start()
