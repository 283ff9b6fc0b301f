"""From the stage to the output, step by step: what is accepted, opened to whom, moved where, and finished by whom."""

import errno
import os
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from receiver.core.delivery import Arrival, Kind, Output, Status
from receiver.core.problems import Code, Problem
from receiver.store import durable, folders, publish
from receiver.store.entry import Attempt, Entry
from receiver.store.ledger import AlreadyAcceptedError, CommitUnknownError, VersionTakenError
from receiver.store.sqlite.presence import LedgerMovedError
from tests.store.test_small_parts import AT, ENTRY
from tests.support.place import Place, Sent, deliver, entry_of, open_files

ACCEPTED = Attempt(AT, "192.0.2.1", "accepted")
FAILED = Problem(Code.STORAGE_FAILED, "no")
UNKNOWN = CommitUnknownError(Code.STORAGE_FAILED, "no answer")
OTHER_GROUP, GROUP = 20002, 20001


def raising(error: Exception) -> Any:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def output(kind: Kind, folder: Path | str, name: str = "a", root: str = "") -> Output:
    return Output(kind, f"staged-{name}", name, f"{folder}/{name}", 1, "", root)


# the row ------------------------------------------------------------------------------------------------------------


def accept(ledger: Any, staged: Any, write: Any) -> Entry:
    return publish._accept(ledger, staged, ENTRY, write, ACCEPTED)


@pytest.mark.parametrize("error", [AlreadyAcceptedError(ENTRY), VersionTakenError(2), FAILED])
def test_what_is_certainly_not_accepted_leaves_the_folder_to_others(error):
    staged = SimpleNamespace(accepted=False)
    with pytest.raises(type(error)):
        accept(None, staged, raising(error))
    assert not staged.accepted


def test_an_error_that_nobody_has_thought_of_leaves_the_folder_as_it_is():
    staged = SimpleNamespace(accepted=False)
    with pytest.raises(ZeroDivisionError):
        accept(None, staged, raising(ZeroDivisionError()))
    assert staged.accepted


@pytest.mark.parametrize("known", [ENTRY, None])
@pytest.mark.parametrize("used", [True, False])
def test_a_commit_of_which_nobody_knows_is_judged_by_row_and_folder_once_it_is_settled(known, used):
    """The row may be that of another attempt at the same delivery, with another folder."""
    asked: list[Any] = []
    staged = SimpleNamespace(accepted=False, folder="/stage/x")
    ledger = SimpleNamespace(
        settle=asked.append,
        find=lambda id_: asked.append(id_) or known,
        uses_stage=lambda folder: asked.append(folder) or used,
    )
    with nullcontext() if known and used else pytest.raises(CommitUnknownError):
        assert accept(ledger, staged, raising(UNKNOWN)) == known
    assert asked == [ENTRY, ENTRY.id, "/stage/x"]
    assert staged.accepted is used


def test_a_commit_that_cannot_be_settled_costs_nobody_the_folder():
    staged = SimpleNamespace(accepted=False)
    with pytest.raises(CommitUnknownError):
        accept(SimpleNamespace(settle=raising(FAILED)), staged, raising(UNKNOWN))
    assert staged.accepted


# what is sealed and opened ------------------------------------------------------------------------------------------


@pytest.fixture
def sealed(monkeypatch) -> list[Any]:
    """What is done with files and folders, in order."""
    done: list[Any] = []
    for name in ("make_folders", "share_folders"):
        monkeypatch.setattr(folders, name, lambda *given, name=name: done.append((name, *given)))
    return done


@pytest.mark.parametrize(
    ("root", "group", "groups", "owner"),
    [
        ("", None, {}, None),
        ("", GROUP, {}, GROUP),
        ("", None, {"/further": OTHER_GROUP}, None),
        ("/further", GROUP, {}, None),
        ("/further", None, {"/further": OTHER_GROUP}, OTHER_GROUP),
        ("/further", GROUP, {"/further": 0}, 0),  # the group of root
        ("/further", GROUP, {"/further": None}, None),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_files_and_folders_belong_to_the_group_of_their_own_output(sealed, root, group, groups, owner, whole):
    staged = SimpleNamespace(
        share=lambda names, group: sealed.append(("share", names, group)), seal=lambda names: sealed.append(names)
    )
    base = root or "/out"
    entry = ENTRY._replace(groups=groups, output="/out")
    publish.seal(staged, entry, [output(Kind.RECORD, f"{base}/deep", root=root)], group, whole=whole)
    names = None if whole else {"staged-a"}
    shared = [("share", ["staged-a"], owner), names, ("make_folders", f"{base}/deep", base)]
    shared += [("share_folders", f"{base}/deep", base, owner)]
    assert sealed == (shared if owner is not None else [names, ("make_folders", f"{base}/deep", base)])


def test_only_what_is_missing_is_made_durable_and_accepted_once_more(monkeypatch):
    done: list[Any] = []
    monkeypatch.setattr(publish, "seal", lambda *given, **named: done.append((given[2:], named)))
    monkeypatch.setattr(publish, "_accept", lambda *given: done.append(given[3].keywords))
    monkeypatch.setattr(publish, "publish", lambda *_: done.append("published"))
    missing = [output(Kind.RECORD, "/out")]
    publish.again(SimpleNamespace(reopen=print), None, ENTRY, missing, ACCEPTED, GROUP)
    assert done == [((missing, GROUP), {"whole": False}), {"missing": missing}, "published"]


def test_nothing_of_a_delivery_that_is_published_lies_in_the_stage_and_its_batches_are_not_asked_for(place):
    place.ledger.batches.of_deliveries = raising(ZeroDivisionError())
    with place.stage.open() as staged:
        entry = entry_of(place, staged, Sent(), 1)
        publish.commit(place.ledger, staged, entry)
        assert {each.staged for each in entry.outputs} <= staged.lying
        publish.publish(place.ledger, staged, entry)
        assert {each.staged for each in entry.outputs} & staged.lying == set()
        assert not staged.accepted


# a retry ------------------------------------------------------------------------------------------------------------


def retried(monkeypatch, winner: Entry, **ledger: Any) -> tuple[Any, list[Any]]:
    """Send once more what `winner` was accepted for."""
    noted: list[Any] = []
    made = SimpleNamespace(attempted=lambda id_, attempt: noted.append((id_, attempt)), **ledger)
    monkeypatch.setattr(publish, "PATIENCE", -1)
    return lambda: publish.duplicate(made, winner, Arrival(AT, "192.0.2.7")), noted


def test_a_retry_of_what_is_published_is_noted_as_a_duplicate(monkeypatch):
    retry, noted = retried(monkeypatch, ENTRY)
    assert retry() == ENTRY.receipt(duplicate=True)
    assert noted == [(ENTRY.id, Attempt(AT, "192.0.2.7", "duplicate"))]


def test_a_retry_of_what_another_one_publishes_is_noted_as_busy(monkeypatch):
    committed = ENTRY._replace(status=Status.COMMITTED)
    monkeypatch.setattr(publish, "finish", lambda *_: ([], {}))
    retry, noted = retried(monkeypatch, committed, find=lambda _: None)
    with pytest.raises(Problem) as told:
        retry()
    assert told.value.code is Code.BUSY
    assert noted == [(ENTRY.id, Attempt(AT, "192.0.2.7", "busy", Code.BUSY))]


def test_a_retry_waits_for_as_long_as_it_may(monkeypatch):
    slept: list[float] = []
    clock = SimpleNamespace(monotonic=lambda: sum(slept), sleep=slept.append)
    monkeypatch.setattr(publish, "finish", lambda *_: ([], {}))
    retry, _ = retried(monkeypatch, ENTRY._replace(status=Status.COMMITTED), find=lambda _: None)
    for name, value in (("time", clock), ("PATIENCE", 1.0), ("FIRST_LOOK", 0.25), ("LONGEST_LOOK", 0.25)):
        monkeypatch.setattr(publish, name, value)
    with pytest.raises(Problem, match="still being published"):
        retry()
    assert sum(slept) == 1.25


def test_a_retry_that_finds_it_finished_is_answered_with_what_was_found(monkeypatch):
    monkeypatch.setattr(publish, "finish", lambda *_: ([ENTRY.id], {}))
    published = ENTRY._replace(version=8)
    retry, _ = retried(monkeypatch, ENTRY._replace(status=Status.COMMITTED), find=lambda _: published)
    assert retry() == published.receipt(duplicate=True)


def test_a_retry_believes_no_ledger_that_was_laid_in_the_place_of_the_one_it_had(monkeypatch):
    moved = LedgerMovedError(Code.STORAGE_FAILED, "moved")
    monkeypatch.setattr(publish, "finish", raising(moved))
    retry, _ = retried(monkeypatch, ENTRY._replace(status=Status.COMMITTED))
    with pytest.raises(LedgerMovedError):
        retry()


# what is moved ------------------------------------------------------------------------------------------------------


@pytest.fixture
def staged_entry(tmp_path) -> Entry:
    """An entry, with a file in its stage."""
    for name in ("stage", "out"):
        (tmp_path / name).mkdir()
    (tmp_path / "stage/staged-a").write_text("content")
    return ENTRY._replace(stage=str(tmp_path / "stage"), output=str(tmp_path / "out"), outputs=())


@pytest.mark.parametrize(
    ("kind", "folder", "root"),
    [
        (Kind.RECORD, "out/deep/er", ""),
        (Kind.DOCUMENT, "out", ""),
        (Kind.RECORD, "further/deep", "further"),
        (Kind.ORIGINALS, "originals/referrals", ""),
    ],
)
def test_a_folder_that_is_gone_is_made_again_below_its_own_root(tmp_path, staged_entry, kind, folder, root):
    for each in ("further", "originals"):
        (tmp_path / each).mkdir()
    publish._place(staged_entry, output(kind, tmp_path / folder, root=root and str(tmp_path / root)))
    assert (tmp_path / folder / "a").read_text() == "content"
    assert not (tmp_path / "stage/staged-a").exists()


def test_a_file_that_left_the_stage_was_published_and_needs_no_folder_any_more(tmp_path, staged_entry):
    (tmp_path / "stage/staged-a").unlink()
    publish._place(staged_entry, output(Kind.RECORD, tmp_path / "out/deep"))
    assert list((tmp_path / "out").iterdir()) == []


def test_a_file_is_not_taken_for_published_while_its_folder_is_away(tmp_path, staged_entry):
    away = (tmp_path / "stage").rename(tmp_path / "away")
    with pytest.raises(Problem, match="publish a file"):
        publish._place(staged_entry, output(Kind.RECORD, tmp_path / "out"))
    away.rename(tmp_path / "stage")
    publish._place(staged_entry, output(Kind.RECORD, tmp_path / "out"))
    assert (tmp_path / "out/a").read_text() == "content"


def test_a_folder_that_goes_away_again_is_a_problem(tmp_path, staged_entry, monkeypatch):
    """A file that lies in the stage yet is never taken for published."""
    monkeypatch.setattr(durable, "move_new", raising(FileNotFoundError(errno.ENOENT, "")))
    with pytest.raises(Problem, match="publish a file"):
        publish._place(staged_entry, output(Kind.RECORD, tmp_path / "out"))


def test_a_link_in_the_stage_that_leads_nowhere_lies_there(tmp_path, staged_entry):
    (tmp_path / "stage/staged-a").unlink()
    (tmp_path / "stage/staged-a").symlink_to("nowhere")
    assert publish._lies(staged_entry.stage, "staged-a")
    assert not publish._lies(staged_entry.stage, "staged-b")
    assert open_files(tmp_path) == 0


def test_originals_that_lie_there_stay_and_any_other_name_is_a_problem(tmp_path, staged_entry):
    (tmp_path / "out/a").write_text("not ours")
    publish._place(staged_entry, output(Kind.ORIGINALS, tmp_path / "out"))
    with pytest.raises(Problem, match="move it away"):
        publish._place(staged_entry, output(Kind.DOCUMENT, tmp_path / "out"))
    assert (tmp_path / "out/a").read_text() == "not ours"


@pytest.mark.parametrize(
    ("kind", "number", "copied"),
    [
        (Kind.ORIGINALS, errno.EXDEV, True),
        (Kind.ORIGINALS, errno.EIO, False),
        (Kind.RECORD, errno.EXDEV, False),
    ],
)
def test_only_originals_go_to_another_disk_and_only_for_that_reason(
    tmp_path, staged_entry, monkeypatch, kind, number, copied
):
    moves: list[Path] = []
    monkeypatch.setattr(durable, "move_new", raising(OSError(number, os.strerror(number))))
    monkeypatch.setattr(folders, "move_across", lambda *given: moves.extend(given))
    given = output(kind, tmp_path / "out")
    with nullcontext() if copied else pytest.raises(Problem, match="publish a file"):
        publish._place(staged_entry, given)
    assert moves == ([tmp_path / "stage/staged-a", Path(given.target)] if copied else [])


def test_originals_that_another_disk_does_not_take_are_told(tmp_path, staged_entry, monkeypatch):
    monkeypatch.setattr(durable, "move_new", raising(OSError(errno.EXDEV, os.strerror(errno.EXDEV))))
    monkeypatch.setattr(folders, "move_across", raising(OSError(errno.EIO, os.strerror(errno.EIO))))
    with pytest.raises(Problem, match="keep the originals"):
        publish._place(staged_entry, output(Kind.ORIGINALS, tmp_path / "out"))


def test_a_folder_counts_as_gone_only_where_nothing_is_there(tmp_path):
    (tmp_path / "file").touch()
    given = ("gone", "file/below", "file", "", "x" * 300)
    assert [publish._is_gone(f"{tmp_path}/{name}") for name in given] == [True, True, False, False, False]


@pytest.mark.parametrize("gone", [True, False])
def test_a_folder_that_cannot_be_made_durable_matters_if_it_is_there(tmp_path, staged_entry, monkeypatch, gone):
    def taken_away(folder: str) -> None:
        if gone:
            folders.remove(Path(folder))
        raise FAILED

    monkeypatch.setattr(durable, "sync_folder", taken_away)
    due = staged_entry._replace(outputs=(output(Kind.DOCUMENT, tmp_path / "out"),))
    assert publish.release([due]) == ({} if gone else {ENTRY.id: FAILED})


def test_one_that_fails_goes_no_further_and_the_others_do(tmp_path, staged_entry):
    (tmp_path / "out/a").write_text("not ours")
    (tmp_path / "stage/staged-b").touch()
    (tmp_path / "stage/staged-c").touch()
    kinds = ((Kind.DOCUMENT, "a"), (Kind.RECORD, "b"))
    bad = staged_entry._replace(outputs=tuple(output(kind, tmp_path / "out", name) for kind, name in kinds))
    good = staged_entry._replace(id="B" * 20, outputs=(output(Kind.RECORD, tmp_path / "out", "c"),))
    assert list(publish.release([bad, good])) == [bad.id]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a", "c"]


# who may finish -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("owner", "lives", "there"), [("other", True, None), ("other", False, True), ("this", True, True)]
)
def test_a_folder_of_another_process_is_finished_if_that_was_given_up(tmp_path, owner, lives, there):
    folder = tmp_path / owner / "folder"
    folder.mkdir(parents=True)
    ledger = SimpleNamespace(hosts=SimpleNamespace(lives=lambda asked: asked == owner and lives), owner="this")
    with ExitStack() as locks:
        assert publish.lock_stage(ledger, ENTRY._replace(stage=str(folder)), locks) is there
        assert open_files(tmp_path) == (owner == "this")  # one's own is locked
    assert open_files(tmp_path) == 0


@pytest.mark.parametrize(
    ("owner", "left", "there"),
    [
        ("", "", None),
        ("", "stage", False),
        ("", "stage/folder", True),
        ("this", "stage", None),
        ("this", "stage/this", False),
        ("lost", "", None),
        ("lost", "stage", False),  # what was its own is swept
        ("lost", "stage/lost/folder", True),
    ],
)
def test_a_folder_that_is_gone_needs_no_lock_but_a_stage_that_is_gone_is_not_mounted(tmp_path, owner, left, there):
    folder = tmp_path / "data" / "stage" / owner / "folder"
    (tmp_path / "data" / left).mkdir(parents=True)
    hosts = SimpleNamespace(lives=lambda _: False) if owner else None
    ledger = SimpleNamespace(hosts=hosts, owner="this")
    with ExitStack() as locks, pytest.raises(Problem, match="is its disk mounted") if there is None else nullcontext():
        assert publish.lock_stage(ledger, ENTRY._replace(stage=str(folder)), locks) is there
    assert open_files(tmp_path) == 0


@pytest.mark.parametrize(("owner", "there"), [("lost", True), ("this", None)])
def test_nothing_is_concluded_where_a_disk_does_not_answer(tmp_path, monkeypatch, owner, there):
    monkeypatch.setattr(os, "stat", raising(OSError(errno.ESTALE, os.strerror(errno.ESTALE))))
    ledger = SimpleNamespace(hosts=SimpleNamespace(lives=lambda _: False), owner="this")
    with ExitStack() as locks:
        assert publish.lock_stage(ledger, ENTRY._replace(stage=f"{tmp_path}/{owner}/folder"), locks) is there


def test_a_folder_that_its_owner_has_locked_is_left_to_it(place):
    with place.stage.open() as staged, ExitStack() as locks:
        assert publish.lock_stage(place.ledger, ENTRY._replace(stage=str(staged.folder)), locks) is None


def test_one_whose_folder_its_owner_removed_needs_the_mark_alone(place):
    entry = accepted(place, Sent("S1"))
    folders.remove(Path(entry.stage))
    assert publish.finish(place.ledger, [entry]) == ([entry.id], {})
    assert place.ledger.find(entry.id).status is Status.PUBLISHED


def test_what_was_accepted_is_published_once_a_stage_that_was_moved_away_is_back(place):
    sent = Sent("S1")
    with place.stage.open() as staged:
        entry = entry_of(place, staged, sent, 1)
        publish.commit(place.ledger, staged, entry)
        away = place.stage.root.rename(place.stage.root.with_name("away"))
        with pytest.raises(Problem, match="publish a file"):
            publish.publish(place.ledger, staged, entry)
    away.rename(place.stage.root)
    assert place.ledger.find(sent.id).status is Status.COMMITTED
    assert publish.finish(place.ledger, [entry]) == ([sent.id], {})
    assert all(Path(each.target).exists() for each in entry.outputs)


def accepted(place: Place, sent: Sent) -> Entry:
    with place.stage.open() as staged:
        publish.commit(place.ledger, staged, entry_of(place, staged, sent, 1))
    return place.ledger.find(sent.id)


def test_of_several_one_that_fails_is_told_and_the_others_are_finished(place):
    good, bad = accepted(place, Sent("S1")), accepted(place, Sent("S2"))
    lost = bad._replace(stage=str(place.data / "unmounted/folder"))
    done, failed = publish.finish(place.ledger, [lost, good])
    assert (done, list(failed)) == ([good.id], [bad.id])
    assert place.ledger.find(good.id).status is Status.PUBLISHED
    assert not Path(good.stage).exists()
    assert Path(bad.stage).exists()
    assert open_files(place.stage.root) == 0


def test_several_hosts_finish_what_each_alone_has_taken(place):
    entries = [accepted(place, Sent(f"S{number}")) for number in range(2)]
    asked: list[Any] = []

    @contextmanager
    def finishing(ids: list[str]):
        asked.append(ids)
        yield {entries[1].id}
        asked.append("given back")

    hosts = SimpleNamespace(finishing=finishing, lives=lambda _: False, incarnation=lambda: "this", leave=lambda: None)
    place.ledger.hosts = hosts
    assert publish.finish(place.ledger, entries) == ([entries[1].id], {})
    assert asked == [[each.id for each in entries], "given back"]
    assert Path(entries[0].stage).exists()


@pytest.mark.parametrize("status", [None, *Status])
def test_what_is_no_longer_committed_or_known_is_not_finished(status):
    ledger = SimpleNamespace(find=lambda _: status and ENTRY._replace(status=status))
    assert publish._still_committed(ledger, ENTRY) is (status is Status.COMMITTED)


def test_a_delivery_that_is_accepted_twice_has_the_receipt_of_the_first(place):
    first = deliver(place, Sent())
    with place.stage.open() as staged:
        receipt = publish.commit(place.ledger, staged, entry_of(place, staged, Sent(), 2))
    assert (receipt.duplicate, receipt.version, receipt.id) == (True, 1, first.id)
