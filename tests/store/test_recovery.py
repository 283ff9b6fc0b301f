"""Recovery step by step: what it finishes, what it sweeps and what it leaves alone, with one host and with several."""

import os
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from receiver.core.batches import Batch, BatchStatus
from receiver.core.delivery import Status
from receiver.core.problems import Code, Problem
from receiver.store import batches, journal, kept, publish, recover, stage
from receiver.store.entry import Attempt
from receiver.store.ledger import VersionTakenError
from receiver.store.rows import NO_ROOTS
from tests.store.test_small_parts import AT, ENTRY
from tests.support.place import Place, Sent, deliver, entry_of, open_files

FAILED = Problem(Code.STORAGE_FAILED, "no")


def raising(error: Exception) -> Any:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def accepted(place: Place, sent: Sent) -> None:
    with place.stage.open() as staged:
        publish.commit(place.ledger, staged, entry_of(place, staged, sent, 1))


def test_all_that_is_finished_and_all_that_fails_is_told(place, monkeypatch):
    for number in range(3):
        accepted(place, Sent(f"S{number}"))
    damage = "UPDATE deliveries SET parts = 'torn' WHERE id = ?"
    place.ledger.connections.write(lambda connection: connection.execute(damage, (Sent("S0").id,)) and None)
    foreign = place.output / f"{Sent('S1').id}.tif"
    foreign.write_text("not ours")
    monkeypatch.setattr(batches, "finish", lambda _: (["a batch"], {"another": FAILED}))
    report = place.recover()
    assert report.finished == [Sent("S2").id, "a batch"]
    assert set(report.failed) == {Sent("S0").id, Sent("S1").id, "another"}
    assert "damaged" in report.failed[Sent("S0").id].detail


def test_so_many_are_finished_together_and_each_once(place, monkeypatch):
    for number in range(5):
        accepted(place, Sent(f"S{number}"))
    asked: list[list[str]] = []
    monkeypatch.setattr(recover, "AT_ONCE", 2)
    monkeypatch.setattr(recover, "finish", lambda _, some: (asked.append([each.source_id for each in some]) or [], {}))
    place.recover()
    assert sorted(asked) == [["S0", "S1"], ["S2", "S3"], ["S4"]]


def test_folders_that_belong_to_nothing_are_swept_and_counted_and_none_stays_locked(place):
    for folder in ("stage/one", "stage/two", "quarantine/.stage/three", "originals/.stage/four"):
        (place.data / folder).mkdir(parents=True)
    accepted(place, Sent())
    (place.output / f"{Sent().id}.tif").write_text("not ours")
    assert place.recover().swept == 4
    assert [path.name for path in (place.data / "stage").iterdir() if path.is_dir()] == [
        Path(place.ledger.find(Sent().id).stage).name
    ]
    assert open_files(place.data / "stage") == 0
    assert place.recover().swept == 0


def test_a_folder_that_somebody_holds_is_not_swept(place):
    (place.stage.root / "held").mkdir()
    lock = stage.lock_folder(place.stage.root / "held")
    assert place.recover().swept == 0
    os.close(lock)
    assert place.recover().swept == 1


def test_one_folder_that_cannot_be_looked_at_keeps_no_other_from_its_end(place, monkeypatch):
    for name in ("one", "two"):
        (place.stage.root / name).mkdir()
    lock = stage.lock_folder

    def failing(folder: Path) -> int | None:
        if folder.name == "one":
            raise FAILED
        return lock(folder)

    monkeypatch.setattr(stage, "lock_folder", failing)
    report = place.recover()
    assert (report.failed, report.swept) == ({"one": FAILED}, 1)


def test_originals_may_have_a_point_in_their_name_and_what_quarantine_put_aside_is_not_swept_like_the_rest(place):
    for folder in ("quarantine/.stage/a.b.c", "quarantine/.stage/d", "originals/.stage/e.f"):
        (place.data / folder).mkdir(parents=True)
    found = recover._left_behind(place.ledger, place.data, set())
    assert sorted(each.name for each in found) == ["d", "e.f"]


@pytest.mark.parametrize(("beyond", "old"), [(-recover.LONGEST_COPY - 10, False), (0, False), (1, True)])
def test_what_another_host_may_still_copy_is_not_old(tmp_path, monkeypatch, beyond, old):
    now = tmp_path.stat().st_mtime + recover.LONGEST_COPY + beyond
    monkeypatch.setattr(recover, "time", SimpleNamespace(time=lambda: now))
    assert recover._is_old(tmp_path) is old
    assert recover._is_old(tmp_path / "gone") is False


def test_with_several_hosts_only_what_is_old_is_left_behind(place):
    for name in ("new", "old"):
        (place.data / "originals" / kept.SCRATCH / name).mkdir(parents=True)
    past = time.time() - recover.LONGEST_COPY - 60
    os.utime(place.data / "originals" / kept.SCRATCH / "old", (past, past))
    found = recover._left_behind(SimpleNamespace(hosts=True), place.data, set())
    assert [each.name for each in found] == ["old"]


def test_the_folders_of_a_process_that_was_given_up_are_swept_unless_a_delivery_needs_them(tmp_path):
    for name in ("dead/unused", "dead/used", "empty", "living/unused", "bare/unused"):
        (tmp_path / name).mkdir(parents=True)
    hosts = SimpleNamespace(listed=lambda: [SimpleNamespace(incarnation="living")])
    ledger = SimpleNamespace(uses_stage=lambda folder: folder.name == "used")
    assert recover._sweep_given_up(ledger, hosts, tmp_path) == 2
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.glob("*/*"))
    assert left == ["dead/used", "living/unused"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dead", "living"]


def test_several_hosts_give_up_the_silent_ones_first_and_sweep_each_common_stage_once(place, monkeypatch):
    asked: list[Any] = []
    monkeypatch.setattr(recover, "_sweep_given_up", lambda _ledger, _hosts, common: asked.append(common) or 2)
    place.ledger.hosts = SimpleNamespace(
        give_up_silent=lambda: asked.append("silent"), listed=list, leave=lambda: None, incarnation=lambda: "this"
    )
    roots = [place.data / "stage" / "this", place.output / ".stage" / "this"]
    report = recover.recover(place.ledger, place.data, roots)
    assert asked[0] == "silent"
    assert sorted(asked[1:]) == sorted([place.data / "stage", place.output / ".stage"])
    assert report.swept == 4


def test_what_lies_in_quarantine_and_aside_is_finished_each_by_itself(place, monkeypatch):
    seen: list[str] = []

    def finish(_: Any, place: Path) -> bool:
        seen.append(place.name)
        if "bad" in place.name:
            raise FAILED
        return place.name == "good"

    monkeypatch.setattr(recover.quarantine, "finish", finish)
    monkeypatch.setattr(recover.quarantine, "finish_aside", lambda _ledger, _data, aside: finish(None, aside))
    for name in ("p/bad", "p/good", "p/well", ".stage/p.bad.x", ".stage/filling"):
        (place.data / "quarantine" / name).mkdir(parents=True)
    report = place.recover()
    assert (report.quarantined, list(report.failed), report.swept) == (1, ["p.bad.x", "bad"], 1)
    assert seen[0] == "p.bad.x"
    assert sorted(seen[1:]) == ["bad", "good", "well"]


# after a restore ----------------------------------------------------------------------------------------------------


def test_a_restored_ledger_takes_from_the_journals_what_it_lacks_and_tells_what_it_cannot_take(tmp_path):
    noted: list[Any] = []
    with_journal, without = tmp_path / "with", tmp_path / "without"
    with_journal.mkdir()
    journal.ensure_folder(with_journal)
    entries = [ENTRY._replace(id=name * 20, output=str(with_journal)) for name in "ABC"]
    for entry in entries:
        journal.note(entry, AT, NO_ROOTS)
    batch = Batch("scans", "daily", 3, BatchStatus.COMMITTED, AT, AT, None, "time", 1, 4)
    for number in (3, 4):
        journal.note_batch(str(with_journal), replace(batch, number=number), [("A" * 20, 4, "ab")], AT, NO_ROOTS)

    def complete(entry: Any, attempt: Attempt) -> bool:
        noted.append(attempt)
        if entry.id[0] == "C":
            raise VersionTakenError(9)
        return entry.id[0] == "A"

    ledger = SimpleNamespace(
        roots=NO_ROOTS,
        complete=complete,
        batches=SimpleNamespace(complete=lambda batch, records: batch.number == 3 and records == [("A" * 20, 4, "ab")]),
    )
    done = recover.complete(ledger, [with_journal, without], AT)
    assert done.added == [replace(batch, number=3).id, "A" * 20]
    assert list(done.failed) == ["C" * 20]
    assert done.failed["C" * 20].startswith("another content is version 3")
    assert done.without == [without]
    assert noted == [Attempt(AT, "", "restored", note="from the journal of the output")] * 3


def test_what_is_published_already_is_not_finished(place):
    deliver(place, Sent())
    report = place.recover()
    assert (report.finished, report.failed, report.swept, report.quarantined) == ([], {}, 0, 0)
    assert place.ledger.find(Sent().id).status is Status.PUBLISHED
