"""Several hosts keep, replay and let go the same delivery: it lies there whole exactly if its row says so."""

import os
import random
import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import count

import pytest

from receiver.core.delivery import Status
from receiver.core.problems import Problem
from receiver.store import durable, kept, proposals, quarantine
from receiver.store.entry import Attempt
from receiver.store.ledger import KEPT
from receiver.store.postgres import connections, session
from receiver.store.proposals import Proposal
from receiver.store.stage import stage_for
from tests.support import dying
from tests.support.place import AT, Place, Sent, deliver, refuse, refuse_at_last

SENT = Sent()
STEPS = 60  # at most that one of the works below takes


@pytest.fixture
def pair(tmp_path, postgres, monkeypatch):
    """Return two hosts that have mounted one disk at different paths, on which no lock of a file excludes the other."""
    monkeypatch.setattr(quarantine, "lock_folder", None)
    (tmp_path / "disk").mkdir()
    (tmp_path / "mount").symlink_to(tmp_path / "disk")
    url = postgres.new_url()
    made = Place.at(tmp_path / "disk", url), Place.at(tmp_path / "mount", url)
    yield made
    for each in made:
        each.ledger.close()


def held(place: Place, sent: Sent = SENT) -> None:
    refuse(place, sent, Status.HELD)


def let_go(place: Place, sent: Sent = SENT) -> None:
    entry = place.ledger.find(sent.id)
    quarantine.let_go(place.ledger, place.data, entry, Attempt(AT, "", "discarded", note="its time is over"))


def accept(place: Place, sent: Sent = SENT) -> None:
    """Publish it, as a retry or a replay under another configuration does."""
    deliver(place, sent)
    quarantine.discard(place.data, sent.process, sent.id)


def propose(place: Place, sent: Sent = SENT) -> None:
    proposals.propose(place.ledger, place.data, place.ledger.find(sent.id), Proposal("anna", AT, {"mrn": "7"}))


def recover(place: Place, _sent: Sent = SENT) -> None:
    place.recover()


def require_whole(place: Place, sent: Sent = SENT) -> Status:
    """Return what the row says; what lies in quarantine must agree, and nothing may be left beside it."""
    for _ in range(2):  # what one recovery has settled, the next one clears away
        assert place.recover().failed == {}
    entry = place.ledger.find(sent.id)
    folder = quarantine.folder(place.data, sent.process, sent.id)
    assert folder.exists() == (entry.status in KEPT)
    if folder.exists():
        found = quarantine.load(place.data, sent.process, sent.id)
        assert [part.path.read_bytes() for part in found.parts] == [sent.content, b'{"patient": "invented"}']
        names = {path.name for path in folder.iterdir()} - {quarantine.PROPOSAL}
        assert names == {*(part.path.name for part in found.parts), "problem.json"}
    assert [each for each in (place.data / "quarantine" / ".stage").glob("*") if "." in each.name] == []
    assert place.outputs() == (set(sent.files()) if entry.status is Status.PUBLISHED else set())
    return entry.status


def test_two_hosts_that_refuse_the_same_at_once_keep_it_once(pair):
    senders = [threading.Thread(target=refuse_at_last, args=(place, SENT)) for place in pair for _ in range(4)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert require_whole(pair[0]) is Status.REFUSED
    assert pair[1].ledger.find(SENT.id).attempt_count >= 8


def test_what_was_proposed_on_one_host_stays_beside_what_comes_again_on_the_other(pair):
    one, two = pair
    held(one)
    propose(two)
    held(two)
    assert proposals.find(one.data, one.ledger.find(SENT.id)).corrections == {"mrn": "7"}


@pytest.mark.parametrize("seed", range(3))
def test_whatever_two_hosts_do_at_once_row_and_folder_agree(pair, seed):
    """Senders, replays, people and retention on both: 503 is an answer, half a delivery is none."""
    held(pair[0])
    works = (held, held, refuse_again, let_go, propose, recover)

    def work(place: Place, chosen: random.Random) -> None:
        for _ in range(12):
            with suppress(Problem):
                chosen.choice(works)(place)

    workers = [
        threading.Thread(target=work, args=(place, random.Random(f"{seed} {number} {place.data}")))
        for place in pair
        for number in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert require_whole(pair[0]) is not Status.PUBLISHED
    accept(pair[1])
    assert require_whole(pair[0]) is Status.PUBLISHED


def refuse_again(place: Place, sent: Sent = SENT) -> None:
    refuse(place, sent)


@pytest.mark.parametrize("work", [held, let_go, accept, recover], ids=lambda work: work.__name__)
def test_a_host_that_dies_at_any_step_leaves_it_whole_or_gone(pair, work):
    one, two = pair
    ended, seen = False, []
    for step in count():
        sent = Sent(f"S{step}")
        held(one, sent)
        if work is recover:  # what a host has left that died before its row, and one with its folder moved aside
            (quarantine.folder(one.data, sent.process, sent.id) / quarantine.UNSETTLED).touch()
            held(one, Sent("aside"))
            move_aside(one, Sent("aside"))
        ended = dying.run(lambda sent=sent: work(one, sent), step)
        one.ledger.hosts.leave()  # others go on with what it had accepted
        one.stage = stage_for(one.data, one.output, owner=one.ledger.owner)
        seen.append(require_whole(two, sent))
        if work is recover:
            assert require_whole(two, Sent("aside")) is Status.HELD
            let_go(two, sent)  # else there is more to recover at each step
        for name in two.outputs():
            (two.output / name).unlink()
        if ended:
            break
    assert step > 10
    assert seen[-1] is AFTER[work]
    assert set(seen) == {Status.HELD, AFTER[work]}


AFTER = {held: Status.HELD, let_go: Status.DISCARDED, accept: Status.PUBLISHED, recover: Status.HELD}


def move_aside(place: Place, sent: Sent) -> None:
    """Leave a folder as a host does that dies between moving it aside and having its own in its place."""
    folder = quarantine.folder(place.data, sent.process, sent.id)
    kept.move_aside(folder, kept.beside(folder))


class Interrupted:
    """Does something at one step of a work, as another host does while this one is stopped, and loses its locks."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, step: int, meanwhile: Callable[[], None]) -> None:
        self.left, self.meanwhile, self.met = step, meanwhile, False
        for owner, name in (
            (session.Session, "execute"),
            (connections, "_commit"),
            (durable, "rename_new"),
            (durable, "sync_folder"),
            (os, "unlink"),
        ):
            monkeypatch.setattr(owner, name, self._stepping(getattr(owner, name)))

    def _stepping(self, function: Callable[..., object]) -> Callable[..., object]:
        def wrapped(*arguments: object, **named: object) -> object:
            if not self.met:
                self.left -= 1
                if self.left < 0:
                    self.met = True
                    self.meanwhile()
            return function(*arguments, **named)

        return wrapped


LOSE_LOCKS = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"


@pytest.mark.parametrize(
    ("work", "other"),
    [(held, held), (held, let_go), (let_go, held), (let_go, accept), (recover, held), (recover, let_go)],
    ids=lambda work: work.__name__,
)
def test_a_host_that_is_stopped_at_any_step_and_wakes_takes_nothing_from_the_others(pair, work, other):
    """The server has ended its session meanwhile, and its locks with it; it goes on as if nothing had happened."""
    one, two = pair
    for step in range(STEPS):
        held(one)
        if work is recover:
            (quarantine.folder(one.data, SENT.process, SENT.id) / quarantine.UNSETTLED).touch()
        answered: list[Status] = []

        def meanwhile(answered: list[Status] = answered) -> None:
            two.ledger.connections.read(lambda connection: connection.execute(LOSE_LOCKS).fetchall())
            with suppress(Problem):
                other(two)
                answered.append(two.ledger.find(SENT.id).status)

        with pytest.MonkeyPatch.context() as patched:
            interrupted = Interrupted(patched, step, meanwhile)
            with suppress(Problem):
                work(one)
                answered.append(one.ledger.find(SENT.id).status)
        now = require_whole(two)
        if answered:
            assert now is answered[-1] or {now, answered[-1]} <= {Status.HELD, Status.DISCARDED}
        if Status.PUBLISHED in answered:
            assert now is Status.PUBLISHED
            return
        if not interrupted.met:
            break
    assert not interrupted.met
