"""Folders of the stage that are used again: what goes back, what does not, and whose they are."""

import gc
import os
import shutil
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import apsw
import pytest

from receiver.core import limits
from receiver.core.delivery import Status
from receiver.core.problems import Problem
from receiver.store import publish, quarantine, stage
from tests.support.place import Place, Sent, deliver, entry_of, refuse, write_parts

FIRST, SECOND = Sent(keep=True), Sent("S2", b"another image" * 100, keep=True)


def folders(place: Place) -> list[Path]:
    return [path for path in place.stage.root.iterdir() if path.is_dir()]


def used(place: Place) -> Path:
    """Return the folder that the next delivery gets."""
    with place.stage.open() as staged:
        return staged.folder


@pytest.fixture
def changes(monkeypatch):
    """Every folder and name that is created, and what is removed."""
    seen = []

    def seeing(name):
        act = getattr(os, name)

        def seen_and_done(path, *arguments, **named):
            seen.append(name)
            return act(path, *arguments, **named)

        monkeypatch.setattr(os, name, seen_and_done)

    for name in ("mkdir", "rmdir", "unlink", "remove"):
        seeing(name)
    return seen


def test_a_later_delivery_creates_no_folder_and_removes_nothing(place, changes):
    deliver(place, replace(FIRST, keep=False))
    changes.clear()
    deliver(place, replace(SECOND, keep=False))
    assert changes == []
    assert place.outputs() == {*FIRST.files(), *SECOND.files()}


def test_no_name_is_given_twice_in_a_folder(place):
    sent = [replace(FIRST, source_id=f"S{number}") for number in range(4)]
    for one in sent:
        deliver(place, one)
    entries = [place.ledger.find(one.id) for one in sent]
    assert len({entry.stage for entry in entries}) == 1
    names = [output.staged for entry in entries for output in entry.outputs]
    assert len(set(names)) == len(names) == 4 * len(entries[0].outputs)


def test_what_a_delivery_left_is_removed_before_the_next_one(place):
    deliver(place, FIRST)
    with place.stage.open() as staged:
        write_parts(staged, FIRST)
        (staged.folder / "inner").mkdir()
        (staged.folder / "inner" / "1").write_bytes(b"in vain")
        assert not staged.accepted
    with place.stage.open() as later:
        assert later.folder == staged.folder
        assert list(later.folder.iterdir()) == []


def test_a_folder_lies_ready_under_its_lock_until_the_stage_is_given_up(place):
    deliver(place, FIRST)
    (ready,) = folders(place)
    assert stage.lock_folder(ready) is None
    assert place.recover().swept == 0
    assert folders(place) == [ready]
    place.stage = stage.Stage(place.stage.root)
    gc.collect()
    assert folders(place) == []


def test_no_more_folders_lie_ready_than_deliveries_are_worked_on(place):
    with ExitStack() as at_once:
        for _ in range(limits.AT_WORK + 4):
            at_once.enter_context(place.stage.open())
        assert len(folders(place)) == limits.AT_WORK + 4
    assert len(folders(place)) == limits.AT_WORK
    assert place.staged() == set()


def test_the_folder_that_was_used_last_is_used_next(place):
    with place.stage.open() as one, place.stage.open() as other:
        assert one.folder != other.folder
    assert [used(place) for _ in range(3)] == [one.folder] * 3


@pytest.mark.both_ledgers
def test_a_folder_on_which_the_ledger_rests_is_not_used_again(place):
    with place.stage.open() as staged:
        publish.commit(place.ledger, staged, entry_of(place, staged, FIRST, 1))
    assert used(place) != staged.folder
    assert place.recover().finished == [FIRST.id]
    assert place.outputs() == set(FIRST.files())


def test_a_folder_that_went_to_quarantine_is_not_used_again(place):
    refuse(place, FIRST)
    kept = quarantine.folder(place.data, FIRST.process, FIRST.id)
    lock = stage.lock_folder(kept)
    assert lock is not None, "its owner has let go of it"
    os.close(lock)
    deliver(place, SECOND)
    assert len(quarantine.load(place.data, FIRST.process, FIRST.id).parts) == 2


def test_a_delivery_that_is_refused_again_takes_the_place_of_the_one_before_with_its_folder(place):
    refuse(place, FIRST)
    refuse(place, FIRST)
    assert list(folders(place)) == []
    assert sorted(path.name for path in quarantine.folder(place.data, FIRST.process, FIRST.id).iterdir()) == [
        "1.tif",
        "2.json",
        "problem.json",
    ]


@pytest.mark.parametrize("instead", [False, True], ids=["", "and another one is there"])
@pytest.mark.parametrize("away", [shutil.rmtree, lambda path: path.rename(path.parent.parent / "moved")])
def test_a_folder_that_somebody_took_away_is_not_used_again(place, away, instead):
    deliver(place, FIRST)
    (ready,) = folders(place)
    away(ready)
    if instead:
        ready.mkdir()
    deliver(place, SECOND)
    assert place.outputs() == {*FIRST.files(), *SECOND.files()}
    assert place.ledger.find(SECOND.id).stage != str(ready)
    assert not instead or list(ready.iterdir()) == []


def test_a_folder_found_on_disk_is_not_used(place):
    (place.stage.root / "left").mkdir()
    assert used(place) != place.stage.root / "left"


def test_a_fork_has_neither_the_folder_nor_the_lock_of_its_parent(place):
    deliver(place, FIRST)
    (ready,) = folders(place)
    child = os.fork()
    if child == 0:
        try:
            shared = str(ready) in {os.path.realpath(each) for each in Path("/proc/self/fd").iterdir()}
            os._exit(shared or used(place) == ready)
        except BaseException:  # noqa: BLE001 (a fork must never return into the test)
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert used(place) == ready
    assert stage.lock_folder(ready) is None


def test_a_mark_that_a_power_cut_took_back_is_not_mistaken_where_the_folder_was_used_again(place):
    """The next delivery was being filled: its row was not there yet, or the cut would have left the mark as well."""
    deliver(place, FIRST)
    with pytest.raises(ZeroDivisionError):
        die_before_the_row(place, SECOND)
    with apsw.Connection(str(place.ledger.path)) as connection:
        connection.execute("UPDATE deliveries SET status = 'committed', published_at = NULL")
    place.stage.root.joinpath("kept").rename(place.ledger.find(FIRST.id).stage)
    for name in FIRST.files():
        (place.output / name).unlink()  # downstream was faster
    report = place.recover()
    assert (report.finished, report.failed, folders(place)) == ([FIRST.id], {}, [])
    assert place.outputs() == set(), "nothing of the next delivery is published in the name of the first"
    assert place.ledger.find(FIRST.id).status is Status.PUBLISHED
    assert not deliver(place, SECOND).duplicate
    assert place.outputs() == set(SECOND.files())


def die_before_the_row(place: Place, sent: Sent) -> None:
    """Fill the folder of the delivery before, and leave it on the disk as it is."""
    with place.stage.open() as staged:
        assert str(staged.folder) == place.ledger.find(FIRST.id).stage
        entry_of(place, staged, sent, 1)
        staged.seal()
        staged.folder.rename(place.stage.root / "kept")
        raise ZeroDivisionError


def test_a_folder_that_somebody_moves_while_it_is_filled_is_no_place_for_a_row(place):
    """Its files would be looked for where it was, and taken for published."""
    with place.stage.open() as staged:
        entry = entry_of(place, staged, FIRST, 1)
        staged.write()
        staged.folder.rename(place.stage.root.parent / "moved")
        with pytest.raises(Problem, match="not where it was"):
            publish.commit(place.ledger, staged, entry)
    assert place.ledger.find(FIRST.id) is None
