"""Quarantine step by step: who may touch what lies there, what is moved aside, and how what a crash left is settled."""

import errno
import os
import shutil
import stat
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from receiver.core.delivery import Status
from receiver.core.problems import Code, Problem
from receiver.store import durable, kept, quarantine, stage
from receiver.store.entry import Attempt, Entry
from tests.store.test_small_parts import ENTRY
from tests.support.place import AT, Place, Sent, deliver, open_files, refuse, write_parts

SENT = Sent()
OVER = Attempt(AT, "", "discarded", note="its time is over")


def lies(place: Place) -> Path:
    return quarantine.folder(place.data, SENT.process, SENT.id)


def aside(place: Place) -> list[Path]:
    """Return what lies beside the kept deliveries."""
    return list((place.data / "quarantine" / kept.SCRATCH).glob("*"))


@pytest.fixture
def known(place) -> Entry:
    refuse(place, SENT, Status.HELD)
    return place.ledger.find(SENT.id)


@pytest.fixture
def synced(monkeypatch) -> list[str]:
    names: list[str] = []
    sync = durable.sync_folder
    monkeypatch.setattr(durable, "sync_folder", lambda folder: names.append(Path(folder).name) or sync(folder))
    return names


def raising(error: Exception) -> Any:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


# kept ---------------------------------------------------------------------------------------------------------------


@pytest.mark.both_ledgers
def test_what_was_accepted_before_is_not_kept_and_has_that_receipt(place):
    accepted = deliver(place, SENT)
    receipt = refuse(place, SENT)
    assert (receipt.duplicate, receipt.status, receipt.version) == (True, Status.PUBLISHED, accepted.version)
    assert quarantine.places(place.data) == []
    assert aside(place) == []
    assert place.ledger.find(SENT.id).attempts[-1].outcome == "duplicate"


@pytest.mark.both_ledgers
def test_of_what_comes_again_nothing_is_left_aside(place):
    for _ in range(2):
        refuse(place, SENT)
    assert aside(place) == []
    assert open_files(place.data / "quarantine") == 0


def test_what_is_being_kept_is_marked_as_unsettled_for_nobody_else_to_read(place, monkeypatch):
    modes: list[int] = []
    mark = lies(place) / quarantine.UNSETTLED
    monkeypatch.setattr(place.ledger, "quarantine", lambda *_: modes.append(stat.S_IMODE(mark.stat().st_mode)))
    refuse(place, SENT)
    assert [mode & 0o027 for mode in modes] == [0]
    assert not mark.exists()


def test_where_no_rename_leads_to_quarantine_it_is_copied_there(place, monkeypatch):
    moved: list[Path] = []
    move = durable.move_new
    monkeypatch.setattr(durable, "leads_to", lambda source, target: target != place.data / "quarantine")
    monkeypatch.setattr(durable, "move_new", lambda source, target: moved.append(source) or move(source, target))
    refuse(place, SENT)
    assert [source.parent for source in moved if "stage" in str(source)] == [place.data / "quarantine" / kept.SCRATCH]
    assert sorted(path.name for path in lies(place).iterdir()) == ["1.tif", "2.json", "problem.json"]
    assert place.staged() == set()
    assert [each for each in aside(place) if each.is_dir()] == []


def test_where_quarantine_is_gone_nothing_is_kept_in_its_place(place):
    """Its mount is away, and the disk below it is the wrong one."""
    shutil.rmtree(place.data / "quarantine")
    with place.stage.open() as staged, pytest.raises(Problem, match="its root is not there"):
        quarantine._put_together(staged, lies(place), ENTRY, [], "")
    assert not (place.data / "quarantine").exists()


def test_an_attempt_without_a_code_is_noted_without_one():
    assert quarantine._attempt(ENTRY._replace(code=None)).code == ""


def test_who_finds_somebody_at_work_waits_and_is_told_to_come_again(place, known, monkeypatch):
    lock = stage.lock_folder(lies(place))
    slept: list[float] = []
    clock = SimpleNamespace(monotonic=lambda: sum(slept), sleep=slept.append)
    for name, value in (("time", clock), ("PATIENCE", 1.0), ("PAUSE", 0.25)):
        monkeypatch.setattr(quarantine, name, value)
    with pytest.raises(Problem) as told:
        refuse(place, SENT)
    os.close(lock)
    assert told.value.code is Code.BUSY
    assert sum(slept) == 1.25
    assert place.ledger.find(SENT.id).attempt_count == 1


def test_who_waits_goes_on_once_the_other_one_is_ready(place, known, monkeypatch):
    lock = stage.lock_folder(lies(place))
    monkeypatch.setattr(quarantine, "time", SimpleNamespace(monotonic=lambda: 0, sleep=lambda _: os.close(lock)))
    refuse(place, SENT)
    assert place.ledger.find(SENT.id).attempt_count == 2


def test_several_hosts_are_kept_apart_by_the_ledger_in_the_folder_that_it_names(place, monkeypatch):
    steps: list[Any] = []

    def noted(owned: Entry, attempt: Attempt, lay: Any) -> Entry:
        steps.append((Path(owned.stage).parent, attempt.outcome, lies(place).exists()))
        lay()
        steps.append(lies(place).exists())
        return owned

    monkeypatch.setattr(place.ledger, "hosts", SimpleNamespace(incarnation=lambda: "", leave=lambda: None))
    monkeypatch.setattr(place.ledger, "quarantine", noted)
    refuse(place, SENT)
    assert steps == [(place.stage.root, "refused", False), True]
    refuse(place, SENT)
    assert steps[2:] == [(place.stage.root, "refused", True), True]
    assert aside(place) == []


def test_a_folder_that_another_host_lays_there_again_at_once_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(quarantine, "_lay", lambda *_: False)
    monkeypatch.setattr(quarantine, "_make_room", lambda *_: None)
    with pytest.raises(Problem) as told:
        quarantine._lay_alone(tmp_path / "near", tmp_path / "place", [])
    assert told.value.code is Code.BUSY


@pytest.mark.parametrize("proposed", [[], ["place"], ["near"], ["place", "near"]])
def test_what_people_have_proposed_goes_along_durably_and_a_later_proposal_counts(tmp_path, synced, proposed):
    near, place = tmp_path / "near", tmp_path / "process" / "place"
    for folder in (near, place):
        folder.mkdir(parents=True)
        if folder.name in proposed:
            (folder / quarantine.PROPOSAL).write_text(folder.name)
    asides: list[Path] = []
    quarantine._make_room(near, place, asides)
    found = near / quarantine.PROPOSAL
    assert (found.read_text() if proposed else None) == (proposed[-1] if proposed else None)
    assert synced == [*(["near"] if proposed == ["place"] else []), kept.SCRATCH]
    assert not place.exists()
    assert [each.exists() for each in asides] == [True]


def test_what_cannot_be_kept_is_told(tmp_path, monkeypatch):
    (tmp_path / "settled" / quarantine.UNSETTLED).mkdir(parents=True)
    (tmp_path / "proposed").mkdir()
    (tmp_path / "proposed" / quarantine.PROPOSAL).touch()
    monkeypatch.setattr(durable, "link_or_copy", raising(OSError(errno.EIO, "no")))
    for step in (
        lambda: quarantine._unsettle(tmp_path / "gone"),
        lambda: quarantine._settle(tmp_path / "settled"),
        lambda: quarantine._make_room(tmp_path, tmp_path / "proposed", []),
    ):
        with pytest.raises(Problem, match="keep a delivery"):
            step()


def test_what_is_gone_before_it_is_moved_aside_needs_no_sync(tmp_path, synced):
    (tmp_path / "near").mkdir()
    asides: list[Path] = []
    quarantine._make_room(tmp_path / "near", tmp_path / "process" / "gone", asides)
    assert (synced, len(asides)) == ([], 1)


def test_a_name_is_durable_once_a_delivery_lies_there_and_an_error_is_told(tmp_path, synced):
    (tmp_path / "near").mkdir()
    assert quarantine._lay(tmp_path / "near", tmp_path / "place")
    assert synced == [tmp_path.name]
    (tmp_path / "near").mkdir()
    assert not quarantine._lay(tmp_path / "near", tmp_path / "place")
    with pytest.raises(Problem, match="move a delivery to quarantine"):
        quarantine._lay(tmp_path / "gone", tmp_path / "other")


# let go -------------------------------------------------------------------------------------------------------------


def test_a_row_whose_folder_is_gone_is_let_go(place, known):
    kept.take_away(lies(place))
    assert quarantine.let_go(place.ledger, place.data, known, OVER)
    assert place.ledger.find(SENT.id).status is Status.DISCARDED


def test_what_is_laid_while_the_one_before_is_let_go_stays(place, known, monkeypatch, tmp_path):
    """Its sender has moved the one before aside, lays it, and writes its row only then."""
    folder = lies(place)
    moving = folder.rename(tmp_path / "moving")
    discard = place.ledger.discard

    def laid_meanwhile(*arguments):
        moving.rename(folder)
        return discard(*arguments)

    monkeypatch.setattr(place.ledger, "discard", laid_meanwhile)
    assert quarantine.let_go(place.ledger, place.data, known, OVER)
    assert (folder / "problem.json").is_file()


@pytest.mark.both_ledgers
def test_what_is_let_go_once_is_not_let_go_again(place):
    refuse(place, SENT)
    known = place.ledger.find(SENT.id)
    assert [quarantine.let_go(place.ledger, place.data, known, OVER) for _ in range(2)] == [True, False]
    assert (aside(place), place.ledger.find(SENT.id).attempt_count) == ([], 2)


def test_what_lies_nowhere_costs_no_more_than_a_look(place, monkeypatch):
    monkeypatch.setattr(kept, "take_away", raising(ZeroDivisionError()))
    quarantine.discard(place.data, SENT.process, SENT.id)


def test_nothing_is_written_beside_what_somebody_works_on_or_what_is_gone(place, known):
    lock = stage.lock_folder(lies(place))
    assert not quarantine.write_beside(place.ledger, place.data, known, "note", b"x")
    os.close(lock)
    assert not (lies(place) / "note").exists()
    assert quarantine.write_beside(place.ledger, place.data, known, "note", b"x")
    assert (lies(place) / "note").read_bytes() == b"x"
    assert open_files(place.data / "quarantine") == 0
    kept.take_away(lies(place))
    assert not quarantine.write_beside(place.ledger, place.data, known, "note", b"x")


# what a crash left --------------------------------------------------------------------------------------------------


def write(place: Place, sql: str) -> None:
    place.ledger.connections.write(lambda connection: connection.execute(sql) and None)


@pytest.mark.parametrize("unsettled", [True, False])
@pytest.mark.parametrize(
    ("row", "stays", "attempts"),
    [
        ("held", True, 1),
        ("gone", True, 1),
        ("discarded", False, 1),
        ("published", False, 1),
        ("committed", False, 1),
        ("refused", True, 1),
    ],
)
def test_row_and_folder_agree_once_it_is_finished(place, known, unsettled, row, stays, attempts):
    if unsettled:
        (lies(place) / quarantine.UNSETTLED).touch()
    write(place, "DELETE FROM deliveries" if row == "gone" else f"UPDATE deliveries SET status = '{row}'")
    done = quarantine.finish(place.ledger, lies(place))
    assert done is (unsettled or row not in ("held", "refused"))
    assert lies(place).exists() is stays
    assert not (lies(place) / quarantine.UNSETTLED).exists()
    assert place.ledger.find(SENT.id).attempt_count == attempts
    assert aside(place) == []
    assert open_files(place.data / "quarantine") == 0
    assert not stays or not quarantine.finish(place.ledger, lies(place))


@pytest.mark.parametrize("row", ["held", "discarded"])
def test_what_somebody_works_on_is_not_finished(place, known, row):
    (lies(place) / quarantine.UNSETTLED).touch()
    write(place, f"UPDATE deliveries SET status = '{row}'")
    lock = stage.lock_folder(lies(place))
    assert not quarantine.finish(place.ledger, lies(place))
    os.close(lock)
    assert (lies(place) / quarantine.UNSETTLED).exists()


def test_what_came_again_between_two_looks_is_not_removed(place, known):
    """The first look said that it was discarded; within the lock of the ledger the row says that it is held."""
    quarantine._remove_gone(place.ledger, lies(place))
    assert lies(place).exists()
    assert quarantine.load(place.data, SENT.process, SENT.id)


def test_a_row_is_not_written_of_what_another_attempt_has_replaced(place, known):
    found = kept.load(lies(place) / quarantine.DESCRIPTION)
    quarantine._require_unchanged(lies(place), found)
    with pytest.raises(Problem) as told:
        quarantine._require_unchanged(lies(place), replace(found, detail="another reason"))
    assert told.value.code is Code.BUSY


@pytest.mark.parametrize(
    ("row", "again", "back"),
    [
        ("held", False, True),
        ("held", True, False),
        ("discarded", False, False),
        ("published", False, False),
        (None, False, False),
    ],
)
def test_what_was_moved_aside_goes_back_if_its_row_says_that_it_is_kept(place, known, synced, row, again, back):
    left = kept.beside(lies(place))
    kept.move_aside(lies(place), left)
    if again:
        lies(place).mkdir()
    write(place, f"UPDATE deliveries SET status = '{row}'" if row else "DELETE FROM deliveries")
    synced.clear()
    assert quarantine.finish_aside(place.ledger, place.data, left)
    assert lies(place).exists() is (back or again)
    assert (lies(place) / quarantine.DESCRIPTION).exists() is back
    assert synced == ([SENT.process] if back else [])
    assert aside(place) == []
    assert open_files(place.data / "quarantine") == 0


def test_what_cannot_be_put_back_stays_aside_and_is_told(place, known, monkeypatch):
    left = kept.beside(lies(place))
    kept.move_aside(lies(place), left)
    monkeypatch.setattr(durable, "move_new", raising(OSError(errno.EIO, "no")))
    with pytest.raises(Problem, match="put a kept delivery back"):
        quarantine.finish_aside(place.ledger, place.data, left)
    assert left.exists()


@pytest.mark.parametrize("how", ["its owner lives", "its place is unsettled"])
def test_what_was_moved_aside_waits_for_its_owner_and_for_its_place_to_be_settled(place, known, how):
    left = kept.beside(lies(place))
    kept.move_aside(lies(place), left)
    lock = stage.lock_folder(left) if how == "its owner lives" else None
    if lock is None:
        lies(place).mkdir()
        (lies(place) / quarantine.UNSETTLED).touch()
    assert not quarantine.finish_aside(place.ledger, place.data, left)
    assert left.exists()
    if lock is not None:
        os.close(lock)


@pytest.mark.parametrize("there", [True, False])
def test_several_hosts_ask_whether_it_is_there_and_lock_no_folder(tmp_path, monkeypatch, there):
    monkeypatch.setattr(quarantine, "lock_folder", raising(ZeroDivisionError()))
    with quarantine._held(SimpleNamespace(hosts=True), tmp_path if there else tmp_path / "gone") as held:
        assert held is there


def test_a_part_that_lies_there_already_is_not_linked_again(place):
    with place.stage.open() as staged:
        parts = write_parts(staged, SENT)
        staged.write()
        kept.put(parts[0], staged.folder)
        kept.put(parts[0], place.data)
    assert (place.data / parts[0].path.name).read_bytes() == SENT.content
