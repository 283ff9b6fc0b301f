"""Several hosts on one disk: who is lost at any point loses nothing and doubles nothing."""

import os
import signal
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path
from types import SimpleNamespace as Given

import pytest

from receiver.core.delivery import Status
from receiver.core.problems import Problem
from receiver.store import publish
from receiver.store.ledger import Ledger
from receiver.store.postgres import hosts, session
from tests.store import host
from tests.support.place import Place, Sent, deliver, entry_of

ROOT = Path(__file__).parents[2]
SENT = Sent("S1")


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    monkeypatch.setattr(hosts, "SILENT", host.SILENT)
    monkeypatch.setattr(hosts, "BEAT", host.BEAT)
    monkeypatch.setitem(session.SETTINGS, "idle_in_transaction_session_timeout", "500ms")


@pytest.fixture
def url(postgres) -> str:
    return postgres.new_url()


@pytest.fixture
def place(tmp_path, url):
    made = Place.at(tmp_path, url)
    yield made
    made.ledger.close()


class Other:
    """Another host on the same disk."""

    def __init__(self, root: Path, url: str, how: str = "KILL", point: str = "never") -> None:
        command = [sys.executable, "-m", "tests.store.host", str(root), url, how, point]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        assert self.says() == "ready"

    def send(self, source_id: str) -> None:
        self.process.stdin.write(f"{source_id}\n")

    def says(self) -> str:
        return self.process.stdout.readline().strip()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()


@pytest.fixture
def other(tmp_path, url):
    started = []

    def start(*arguments: str) -> Other:
        started.append(Other(tmp_path, url, *arguments))
        return started[-1]

    yield start
    for each in started:
        each.end()


def taken(place: Place) -> list[str]:
    """Take away what is published, as an importer does."""
    names = sorted(place.outputs())
    for name in names:
        (place.output / name).unlink()
    return names


def sent_until_accepted(place: Place, sent: Sent):
    """Send again after each 503, as the platform does."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return deliver(place, sent)
        except Problem:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def until_accepted(other: Other, source_id: str) -> str:
    """Have another host deliver, until it has noticed that it was given up."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        other.send(source_id)
        if (said := other.says()) != "storage-failed":
            break
        time.sleep(0.02)
    return said


@pytest.mark.parametrize("point", host.POINTS)
@pytest.mark.parametrize("how", ["KILL", "STOP"])
def test_a_host_that_is_lost_neither_loses_nor_doubles_a_delivery(place, other, how, point):
    """Files that it published before are taken at once; what it does when it wakes must publish none of them again."""
    lost = other(how, point)
    lost.send(SENT.source_id)
    assert lost.says() == "lost"
    imported = taken(place)
    receipt = sent_until_accepted(place, SENT)
    imported += taken(place)
    assert receipt.duplicate == (point != "before the commit")
    assert sorted(imported) == sorted(SENT.files())
    if how == "STOP":
        lost.process.send_signal(signal.SIGCONT)
        assert lost.says() in ("published", "duplicate", "storage-failed")
        assert place.outputs() == set()
        assert until_accepted(lost, "S2") == "published"
        assert taken(place) == sorted(Sent("S2").files())
    assert place.ledger.find(SENT.id).status is Status.PUBLISHED


def test_what_a_living_host_has_accepted_is_left_to_it(place, other, monkeypatch):
    monkeypatch.setattr(publish, "PATIENCE", 0.1)
    monkeypatch.setattr(hosts, "SILENT", 3600)
    stopped = other("STOP", "after the commit")
    stopped.send(SENT.source_id)
    assert stopped.says() == "lost"
    with pytest.raises(Problem, match="still being published"):
        deliver(place, SENT)
    assert place.recover().finished == []
    stopped.process.send_signal(signal.SIGCONT)
    assert stopped.says() == "published"
    assert deliver(place, SENT).duplicate


def test_recovery_finishes_and_sweeps_what_hosts_left_that_are_gone(place, other):
    killed = other("KILL", "after the commit")
    killed.send("S1")
    assert killed.says() == "lost"
    killed.process.wait()
    deadline = time.monotonic() + 60
    while place.ledger.hosts.listed()[1:] and time.monotonic() < deadline:
        place.ledger.hosts.give_up_silent()
        time.sleep(0.02)
    assert place.recover().finished == [SENT.id]
    assert place.outputs() == set(SENT.files())
    place.recover()
    own = place.ledger.owner
    assert {path.name for path in (place.data / "stage").iterdir() if path.is_dir()} == {own}


@pytest.fixture
def mount(tmp_path):
    """Another path to the same disk."""
    made = tmp_path.with_name(f"{tmp_path.name}-mount")
    made.symlink_to(tmp_path)
    yield made
    made.unlink()


@pytest.mark.parametrize("point", ["after the commit", "after a file"])
def test_what_a_host_has_accepted_is_finished_by_one_that_has_mounted_the_disk_elsewhere(place, url, mount, point):
    lost = Other(mount, url, "KILL", point)
    try:
        lost.send(SENT.source_id)
        assert lost.says() == "lost"
    finally:
        lost.end()
    imported = taken(place)
    assert sent_until_accepted(place, SENT).duplicate
    assert sorted(imported + taken(place)) == sorted(SENT.files())
    place.recover()
    assert {path.name for path in (place.data / "stage").iterdir() if path.is_dir()} == {place.ledger.owner}


def test_a_name_that_one_host_was_promised_is_taken_for_one_that_has_mounted_the_disk_elsewhere(place, url, mount):
    other = Place.at(mount, url)
    with closing(other.ledger), place.stage.open() as staged:
        publish.commit(place.ledger, staged, entry_of(place, staged, Sent("S1", name="same"), 1))
        with pytest.raises(Problem, match="published under one of the names"):
            deliver(other, Sent("S2", b"another", name="same"))


def test_a_host_that_ends_leaves_nothing_to_wait_for(place, other):
    ended = other()
    ended.send("S1")
    assert ended.says() == "published"
    assert len(place.ledger.hosts.listed()) == 2
    ended.process.stdin.close()
    ended.process.wait()
    assert [each.incarnation for each in place.ledger.hosts.listed()] == [place.ledger.owner]


def test_no_commit_is_taken_from_a_host_that_was_given_up(place):
    place.ledger.hosts.serve("a site")
    with place.stage.open() as staged:
        entry = entry_of(place, staged, SENT, 1)
        place.ledger.connections.write(lambda session: session.execute("DELETE FROM hosts"))
        with pytest.raises(Problem, match="given this one up"):
            publish.commit(place.ledger, staged, entry)
    assert place.ledger.find(SENT.id) is None
    before = place.ledger.owner
    deadline = time.monotonic() + 60
    while place.ledger.owner == before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert place.ledger.hosts.lives(place.ledger.owner)
    assert [each.site for each in place.ledger.hosts.listed()] == ["a site"], "it still serves the same"


@pytest.mark.parametrize(("forks", "is_given_up", "lives"), [(0, False, True), (1, False, False), (0, True, False)])
def test_an_incarnation_is_of_one_process_until_it_is_given_up(forks, is_given_up, lives):
    ours = Given(pid=os.getpid() - forks, given_up=Given(is_set=lambda: is_given_up))
    assert hosts._Incarnation.lives(ours) is lives


def test_a_server_that_was_away_gives_nobody_up_for_its_own_silence(place, monkeypatch):
    monkeypatch.setattr(hosts, "BEAT", 3600)
    away = "UPDATE hosts SET heartbeat_at = clock_timestamp() - interval '1 hour'"
    place.ledger.connections.write(lambda session: session.execute(away))
    monkeypatch.setattr(hosts, "SILENT", 7 * 86_400)  # longer than this server runs
    assert place.ledger.hosts.give_up_silent() == 0
    monkeypatch.setattr(hosts, "SILENT", 0.1)
    deadline = time.monotonic() + 60
    while place.ledger.hosts.give_up_silent() == 0:  # a beat was on its way
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_same_given_up_delivery_is_finished_by_one_at_a_time(place):
    with place.ledger.hosts.finishing(["ID1", "ID2"]) as ours, place.ledger.hosts.finishing(["ID2", "ID3"]) as others:
        assert ours == {"ID1", "ID2"}
        assert others == {"ID3"}
    with place.ledger.hosts.finishing(["ID2"]) as again:
        assert again == {"ID2"}


def test_a_task_is_done_once_for_all_hosts(place, url):
    second = Ledger(url)
    with place.ledger.once("notify") as ours:
        assert ours
        with second.once("notify") as others, second.once("housekeeping") as another_task:
            assert (others, another_task) == (False, True)
    with second.once("notify") as again:
        assert again
    second.close()
