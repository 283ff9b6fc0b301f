"""Many senders at once: threads, and processes of their own."""

import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from receiver.core.delivery import Arrival, Status
from receiver.core.problems import Code, Problem
from receiver.store import durable, publish, stage
from tests.support.place import AT, PEER, Sent, deliver, entry_of, refuse

SENT = Sent()
ROOT = Path(__file__).parents[2]


def senders(root: Path, *arguments: list[str]) -> list[list[str]]:
    """Run one sender for each list of arguments, all at the same time; returns the words of every receipt."""
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.store.sender", root, *more],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for more in arguments
    ]
    for process in started:
        assert process.stdout.readline() == "ready\n"
    for process in started:
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=60)[0] for process in started]
    assert [process.returncode for process in started] == [0] * len(started)
    return [line.split() for output in outputs for line in output.splitlines()]


@pytest.mark.both_ledgers
def test_fifty_threads_with_the_same_delivery_get_fifty_true_answers(place):
    with ThreadPoolExecutor(50) as pool:
        receipts = list(pool.map(lambda _: deliver(place, SENT), range(50)))
    assert Counter(receipt.duplicate for receipt in receipts) == {False: 1, True: 49}
    alike = {receipt._replace(duplicate=False, again=False) for receipt in receipts}
    assert len(alike) == 1
    assert {name: (place.output / name).read_bytes() for name in place.outputs()} == SENT.files()
    assert place.ledger.find(SENT.id).attempt_count == 50
    assert place.staged() == set()


def test_processes_with_the_same_delivery_publish_it_once(place, tmp_path):
    answers = senders(tmp_path, *[["12", "S1", "same content"]] * 4)
    assert len(answers) == 48
    assert Counter(duplicate for _, _, duplicate, _ in answers) == {"False": 1, "True": 47}
    assert {(id_, version) for id_, version, _, _ in answers} == {(answers[0][0], "1")}
    assert place.outputs() == set(Sent("S1", b"same content").files())


def test_processes_with_other_contents_of_one_source_get_versions_without_a_gap(place, tmp_path):
    contents = [[f"content {process}-{number}" for number in range(6)] for process in range(4)]
    answers = senders(tmp_path, *[["1", "S1", *mine] for mine in contents])
    assert sorted(int(version) for _, version, _, _ in answers) == list(range(1, 25))
    assert place.ledger.unfinished() == [], "a process that ends writes its marks"
    kept = {entry.id: entry.version for entry in place.ledger.search(source_id="S1")}
    assert kept == {id_: int(version) for id_, version, _, _ in answers}


@pytest.mark.both_ledgers
def test_deliveries_that_want_one_name_get_it_once(place):
    rivals = [Sent(f"S{number}", b"%d" % number, name="one-name") for number in range(12)]

    def attempt(sent: Sent) -> str:
        try:
            deliver(place, sent)
        except Problem as problem:
            return problem.code
        return "published"

    with ThreadPoolExecutor(12) as pool:
        outcomes = Counter(pool.map(attempt, rivals))
    assert outcomes == {"published": 1, Code.NAME_TAKEN: 11}
    winner = place.ledger.search()[0].id
    assert {name: (place.output / name).read_bytes() for name in place.outputs()} in [
        rival.files() for rival in rivals if rival.id == winner
    ]
    assert place.staged() == set()


@pytest.mark.both_ledgers
def test_a_name_is_free_again_once_downstream_has_taken_the_files(place):
    deliver(place, Sent("S1", b"one", name="patient"))
    with pytest.raises(Problem):
        deliver(place, Sent("S2", b"two", name="patient"))
    for name in place.outputs():
        (place.output / name).unlink()
    assert not deliver(place, Sent("S2", b"two", name="patient")).duplicate


@pytest.mark.both_ledgers
def test_a_downstream_that_takes_file_and_folder_at_once_is_no_failure(place, monkeypatch):
    rename = durable.rename_new

    def renamed_and_taken(source, target):
        rename(source, target)
        Path(target).unlink()
        Path(target).parent.rmdir()

    monkeypatch.setattr(durable, "rename_new", renamed_and_taken)
    assert not deliver(place, Sent(name="folder/{id}")).duplicate
    assert place.ledger.find(Sent(name="folder/{id}").id).status is Status.PUBLISHED
    assert list(place.output.iterdir()) == []


@pytest.mark.both_ledgers
@pytest.mark.parametrize(("first", "second"), [("a", "a.tif/b"), ("a.tif/b", "a")])
@pytest.mark.parametrize("published", [True, False])
def test_a_file_is_not_promised_where_another_delivery_needs_a_folder(place, first, second, published):
    with place.stage.open() as staged:
        entry = entry_of(place, staged, Sent("S1", b"1", name=first), 1)
        publish.commit(place.ledger, staged, entry)
        if published:
            publish.publish(place.ledger, staged, entry)
        with pytest.raises(Problem) as refused:
            deliver(place, Sent("S2", b"2", name=second))
    assert refused.value.code is Code.NAME_TAKEN
    assert place.ledger.latest("referrals", "S2") is None


@pytest.mark.both_ledgers
def test_a_name_cannot_be_taken_between_another_ones_row_and_its_file(place, monkeypatch):
    accepted, go_on = threading.Event(), threading.Event()
    release = publish.release

    def slowly(entries):
        accepted.set()
        go_on.wait(10)
        return release(entries)

    monkeypatch.setattr(publish, "release", slowly)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(deliver, place, Sent("S1", b"one", name="patient"))
        accepted.wait(10)
        with pytest.raises(Problem) as problem:
            deliver(place, Sent("S2", b"two", name="patient"))
        go_on.set()
        assert not first.result().duplicate
    assert problem.value.code is Code.NAME_TAKEN


@pytest.mark.both_ledgers
def test_a_retry_waits_for_the_attempt_before_it_and_gets_its_receipt(place, monkeypatch):
    release = publish.release
    accepted = threading.Event()

    def slowly(entries):
        accepted.set()
        time.sleep(0.2)
        return release(entries)

    monkeypatch.setattr(publish, "release", slowly)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(deliver, place, SENT)
        accepted.wait(10)
        second = publish.duplicate(place.ledger, place.ledger.find(SENT.id), Arrival(AT, PEER))
        assert place.outputs() == set(SENT.files())
        assert second == first.result()._replace(duplicate=True)


def test_a_retry_is_told_to_come_later_where_the_attempt_before_it_takes_too_long(place, monkeypatch):
    monkeypatch.setattr(publish, "PATIENCE", 0.1)
    with place.stage.open() as staged:
        publish.commit(place.ledger, staged, entry_of(place, staged, SENT, 1))
        with pytest.raises(Problem) as problem:
            deliver(place, SENT)
        assert place.outputs() == set(), "whoever does not hold the stage leaves it alone"
    assert problem.value.code is Code.BUSY
    assert [attempt.outcome for attempt in place.ledger.find(SENT.id).attempts] == ["accepted", "busy"]
    assert deliver(place, SENT).duplicate


@pytest.mark.both_ledgers
def test_a_retry_finishes_what_a_dead_owner_began(place):
    with place.stage.open() as staged:
        publish.commit(place.ledger, staged, entry_of(place, staged, SENT, 1))
    assert place.outputs() == set()
    assert deliver(place, SENT).duplicate
    assert place.outputs() == set(SENT.files())
    assert place.staged() == set()


@pytest.mark.both_ledgers
def test_recovery_leaves_living_owners_alone(place):
    with place.stage.open() as filling, place.stage.open() as staged:
        filling.part(".tif").write(b"half")
        filling.write()
        entry = entry_of(place, staged, SENT, 1)
        publish.commit(place.ledger, staged, entry)
        report = place.recover()
        assert (report.finished, report.swept, report.failed) == ([], 0, {})
        assert len(place.staged()) == 2
        assert place.outputs() == set()
        publish.publish(place.ledger, staged, entry)
    assert place.outputs() == set(SENT.files())


@pytest.mark.both_ledgers
def test_recovery_sweeps_beside_deliveries_that_come_in(place):
    ended = threading.Event()

    def sweep() -> int:
        swept = 0
        while not ended.is_set():
            swept += place.recover().swept
        return swept

    with ThreadPoolExecutor(5) as pool:
        sweeping = pool.submit(sweep)
        sent = [Sent(f"S{number}") for number in range(40)]
        receipts = list(pool.map(lambda one: deliver(place, one), sent))
        ended.set()
        sweeping.result()
    assert len(receipts) == 40
    assert place.outputs() == {name for one in sent for name in one.files()}


def test_a_swept_folder_is_never_taken_for_ones_own(place, monkeypatch):
    lock_folder = stage.lock_folder
    swept = []

    def lock_after_a_sweeper(folder):
        if not swept:
            swept.append(folder)
            stage.discard(folder)
        return lock_folder(folder)

    monkeypatch.setattr(stage, "lock_folder", lock_after_a_sweeper)
    deliver(place, SENT)
    assert place.outputs() == set(SENT.files())


@pytest.mark.both_ledgers
def test_a_refusal_after_the_acceptance_by_another_worker_changes_nothing(place):
    receipt = deliver(place, SENT)
    assert refuse(place, SENT) == receipt._replace(duplicate=True)
    assert place.ledger.find(SENT.id).status is Status.PUBLISHED
    assert place.recover().quarantined == 0
