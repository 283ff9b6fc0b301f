"""Folders step by step: made durably, opened to whom, copied, moved aside; and who may do what there."""

import errno
import os
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from receiver.core.delivery import Replay
from receiver.core.problems import Code, Problem
from receiver.store import digests, durable, folders, kept, originals, proposals, quarantine
from receiver.store.folders import FOLDER_MODE, SHARED_MODE
from tests.store.test_small_parts import AT, ENTRY

GROUP = 20001


def raising(error: Exception) -> Any:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


@pytest.fixture
def synced(monkeypatch) -> list[str]:
    """The folders that were made durable, in order."""
    names: list[str] = []
    for module in (folders, durable):
        monkeypatch.setattr(module, "sync_folder", lambda folder: names.append(Path(folder).name))
    return names


@pytest.fixture
def user(monkeypatch) -> None:
    """A user of the service: number 5, with the group 6, who is a member of 7."""
    for name, value in (("geteuid", 5), ("getegid", 6), ("getgroups", [7])):
        monkeypatch.setattr(os, name, lambda value=value: value)


# made ---------------------------------------------------------------------------------------------------------------


def test_each_folder_that_is_made_is_durable_in_the_one_above(tmp_path, synced):
    folders.make_folders(f"{tmp_path}/a/b", str(tmp_path))
    assert synced == [tmp_path.name, "a"]
    folders.make_folders(f"{tmp_path}/a/b", str(tmp_path))
    assert len(synced) == 2


@pytest.mark.parametrize("folder", ["output", "output/a"])
def test_a_root_that_is_gone_is_not_made_again(tmp_path, folder):
    """Its mount is away, and the disk below it is the wrong one."""
    with pytest.raises(Problem, match="its root is not there"):
        folders.make_folders(f"{tmp_path}/{folder}", f"{tmp_path}/output")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_another_one_makes_at_once_is_as_good(tmp_path, monkeypatch, synced):
    make = os.mkdir
    monkeypatch.setattr(os, "mkdir", lambda folder, mode: [make(folder, mode), make(folder, mode)])
    folders.make_folders(f"{tmp_path}/a", str(tmp_path))
    assert synced == [tmp_path.name]
    monkeypatch.setattr(os, "mkdir", raising(OSError(errno.EIO, "")))
    with pytest.raises(Problem, match="create a folder"):
        folders.make_folders(f"{tmp_path}/b", str(tmp_path))


def test_a_name_that_leads_nowhere_is_no_folder(tmp_path):
    """A link to what is not mounted: what cannot be moved there would have been called published."""
    (tmp_path / "archive").symlink_to(tmp_path / "not mounted")
    for folder in ("archive", "archive/2026"):
        with pytest.raises(Problem) as refused:
            folders.make_folders(f"{tmp_path}/{folder}", str(tmp_path))
        assert refused.value.code is Code.STORAGE_FAILED


@pytest.mark.parametrize(
    ("mode", "shared"), [(0o2770, True), (0o770, False), (0o2750, False), (0o2775, True), (0o750, False)]
)
def test_a_new_folder_is_open_to_the_group_if_the_one_above_says_so(tmp_path, mode, shared):
    tmp_path.chmod(mode)
    folders.make_folders(f"{tmp_path}/a", str(tmp_path))
    assert (stat.S_IMODE((tmp_path / "a").stat().st_mode) == SHARED_MODE) is shared


def test_a_folder_that_cannot_be_opened_to_the_group_stays_closed(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "share_as_parent", raising(PermissionError(errno.EPERM, "")))
    folders.make_folders(f"{tmp_path}/a", str(tmp_path))
    assert (tmp_path / "a").is_dir()


def test_a_folder_of_ours_is_closed_to_others_and_a_file_in_its_place_is_told(tmp_path):
    for _ in range(2):
        folders.ensure_folder(tmp_path / "a", "what it is\n")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == FOLDER_MODE & ~_umask()
    (tmp_path / "file").touch()
    with pytest.raises(Problem, match="create the folder"):
        folders.ensure_folder(tmp_path / "file", "")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize(
    ("flag", "number"), [(0, errno.EACCES), (os.ST_RDONLY, errno.EROFS), (os.ST_RDONLY | os.ST_NOSUID, errno.EROFS)]
)
def test_a_folder_that_cannot_be_written_is_told_as_what_it_is(tmp_path, monkeypatch, flag, number):
    folders.require_access(tmp_path, os.W_OK)
    with pytest.raises(FileNotFoundError):
        folders.require_access(tmp_path / "gone", os.W_OK)
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=flag | os.ST_NOSUID))
    with pytest.raises(OSError, match="not to be written") as told:
        folders.require_access(tmp_path, os.W_OK)
    assert told.value.errno == number


def test_a_copied_folder_is_durable_closed_to_others_and_never_one_that_is_there(tmp_path, monkeypatch):
    done: list[str] = []
    (tmp_path / "a").mkdir()
    for name in "xy":
        (tmp_path / "a" / name).touch()
    monkeypatch.setattr(folders, "copy", lambda source, target: done.append(f"{source.name} {target.name}"))
    monkeypatch.setattr(folders, "sync_folder", lambda folder: done.append(folder.name))
    folders.copy_folder(tmp_path / "a", tmp_path / "b")
    assert (sorted(done[:2]), done[2:]) == (["x x", "y y"], ["b"])
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == FOLDER_MODE & ~_umask()


def test_what_goes_to_another_disk_is_whole_whatever_a_crash_has_left_halfway(tmp_path):
    for name in ("from", "to/.it"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "from/page").write_text("whole")
    (tmp_path / "to/.it/page").write_text("ha")
    folders.move_across(tmp_path / "from", tmp_path / "to/it")
    assert [path.name for path in (tmp_path / "to").iterdir()] == ["it"]
    assert (tmp_path / "to/it/page").read_text() == "whole"
    with pytest.raises(FileExistsError):
        folders.move_across(tmp_path / "from", tmp_path / "to/it")


def test_what_cannot_be_listed_or_removed_is_told(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    with pytest.raises(Problem, match="list a folder"):
        folders.within(tmp_path / "file", 1)
    monkeypatch.setattr(Path, "unlink", raising(PermissionError(errno.EPERM, "")))
    with pytest.raises(Problem, match="remove what is no longer needed"):
        folders.remove(tmp_path / "file")


# opened to a group --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("group", "member"), [(6, True), (7, True), (8, False), (5, False), (0, False)])
def test_a_user_may_give_files_to_its_own_groups(user, group, member):
    assert folders.is_member(group) is member


def test_root_may_give_files_to_every_group(user, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert folders.is_member(8)


@pytest.fixture
def given(monkeypatch) -> list[Any]:
    """What is given to whom."""
    done: list[Any] = []
    monkeypatch.setattr(folders, "is_member", lambda group: group == GROUP)
    monkeypatch.setattr(os, "chown", lambda *arguments: done.append(arguments))
    monkeypatch.setattr(os, "chmod", lambda *arguments: done.append(arguments))
    return done


def test_a_file_keeps_its_owner_and_is_readable_for_the_group(given):
    folders.share_file("/out/a", GROUP)
    assert given == [("/out/a", -1, GROUP), ("/out/a", folders.FILE_MODE)]
    with pytest.raises(Problem, match="no member of the group 20002"):
        folders.share_file("/out/a", 20002)
    assert len(given) == 2


def test_a_file_or_folder_that_cannot_be_given_is_told(given, monkeypatch, tmp_path):
    monkeypatch.setattr(os, "chown", raising(PermissionError(errno.EPERM, "")))
    with pytest.raises(Problem, match="give a file to the group"):
        folders.share_file("/out/a", GROUP)
    with pytest.raises(Problem, match="give an output folder to its group"):
        folders.share_folders(str(tmp_path), str(tmp_path), GROUP)
    with pytest.raises(Problem, match="look at an output folder"):
        folders.share_folders(str(tmp_path / "gone"), str(tmp_path / "gone"), GROUP)


def test_folders_are_opened_from_the_root_down_but_those_that_are_and_none_above(given, tmp_path, monkeypatch):
    (tmp_path / "out/a/b").mkdir(parents=True)
    monkeypatch.setattr(folders, "_is_shared", lambda folder, group: folder == f"{tmp_path}/out/a" and group == GROUP)
    folders.share_folders(f"{tmp_path}/out/a/b", f"{tmp_path}/out", GROUP)
    out, inner = f"{tmp_path}/out", f"{tmp_path}/out/a/b"
    assert given == [(out, -1, GROUP), (out, SHARED_MODE), (inner, -1, GROUP), (inner, SHARED_MODE)]
    with pytest.raises(Problem, match="no member"):
        folders.share_folders(out, out, 20002)


@pytest.mark.parametrize(
    ("mode", "group", "shared"), [(SHARED_MODE, 0, True), (SHARED_MODE, 1, False), (0o770, 0, False)]
)
def test_a_folder_is_shared_by_its_group_and_its_mode(tmp_path, mode, group, shared):
    tmp_path.chmod(mode)
    assert folders._is_shared(str(tmp_path), tmp_path.stat().st_gid + group) is shared


@pytest.mark.parametrize(
    ("us", "owner", "shared", "may"),
    [(5, 5, False, True), (0, 5, False, True), (5, 1, False, False), (5, 1, True, True), (1, 0, False, False)],
)
def test_a_folder_can_be_opened_by_its_owner_and_by_root(given, tmp_path, monkeypatch, us, owner, shared, may):
    monkeypatch.setattr(os, "geteuid", lambda: us)
    monkeypatch.setattr(os, "stat", lambda _: SimpleNamespace(st_uid=owner))
    monkeypatch.setattr(folders, "_is_shared", lambda *_: shared)
    if may:
        folders.require_shareable("/out", GROUP)
    else:
        with pytest.raises(Problem, match="chgrp 20001 and chmod 2770"):
            folders.require_shareable("/out", GROUP)
    with pytest.raises(Problem, match="no member"):
        folders.require_shareable("/out", 20002)


# kept ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("replay", "corrections"),
    [(None, {}), (Replay(AT, "anna"), {}), (Replay(AT, "anna", False, {"mrn": "7"}), {"mrn": "7"})],
)
def test_corrections_are_those_of_the_last_judgement(tmp_path, replay, corrections):
    found = kept.Kept(tmp_path, ENTRY if replay is None else _with(replay), "", ())
    assert found.corrections == corrections


def _with(replay: Replay) -> Any:
    return SimpleNamespace(replay=replay)


def test_what_is_not_there_is_taken_away_without_a_word_and_what_cannot_be_moved_is_told(tmp_path, monkeypatch):
    kept.take_away(tmp_path / "process" / "gone")
    assert not kept.move_aside(tmp_path / "process" / "gone", tmp_path / "aside")
    (tmp_path / "process" / "id").mkdir(parents=True)
    for _ in range(2):
        kept.take_away(tmp_path / "process" / "id")
    assert list((tmp_path / kept.SCRATCH).iterdir()) == []
    assert stat.S_IMODE((tmp_path / kept.SCRATCH).stat().st_mode) == FOLDER_MODE & ~_umask()
    monkeypatch.setattr(durable, "move_new", raising(OSError(errno.EIO, "")))
    with pytest.raises(Problem, match="move a kept delivery aside"):
        kept.take_away(tmp_path / "process" / "id")


def test_originals_are_laid_out_durably_and_closed_to_others(tmp_path, monkeypatch):
    synced: list[Path] = []
    monkeypatch.setattr(durable, "sync_folder", synced.append)
    staged = SimpleNamespace(write=lambda: None, free=lambda suffix: tmp_path / f"5{suffix}")
    output = originals.lay_out(tmp_path, staged, ENTRY, [])
    assert synced == [tmp_path / "5.originals"]
    assert stat.S_IMODE(synced[0].stat().st_mode) == FOLDER_MODE & ~_umask()
    assert (output.staged, output.size) == ("5.originals", 0)
    with pytest.raises(Problem, match="create a folder in the stage"):
        originals.lay_out(tmp_path, staged, ENTRY, [])


def test_originals_are_discarded_whole_if_there_are_any(tmp_path):
    folder = originals.folder(tmp_path, "scans", "ID")
    folder.mkdir(parents=True)
    (folder / originals.DESCRIPTION).touch()
    for _ in range(2):
        originals.discard(tmp_path, "scans", "ID")
    assert [path.name for path in tmp_path.rglob("*")].count("ID") == 0


def test_a_proposal_is_plain_to_read_and_waits_for_nobody_at_work(tmp_path, monkeypatch):
    written: list[bytes] = []
    monkeypatch.setattr(quarantine, "write_beside", lambda *given: written.append(given[-1]) or len(written) == 1)
    proposed = proposals.Proposal("ada", AT, {"mrn": "é"})
    proposals.propose(None, tmp_path, ENTRY, proposed)
    assert written[0].decode().startswith('{\n  "dataVersion": 2,\n  "by": "ada"')
    assert '"mrn": "é"' in written[0].decode()
    with pytest.raises(Problem) as told:
        proposals.propose(None, tmp_path, ENTRY, proposed)
    assert told.value.code is Code.BUSY


def test_a_proposal_that_cannot_be_read_is_told(tmp_path):
    path = quarantine.folder(tmp_path, ENTRY.process, ENTRY.id) / quarantine.PROPOSAL
    path.mkdir(parents=True)
    with pytest.raises(Problem, match="read a proposal"):
        proposals.find(tmp_path, ENTRY)


def test_the_key_of_digests_is_durable_and_that_of_who_was_faster_counts(tmp_path, monkeypatch, synced):
    digests.key.cache_clear()
    move = durable.move_new

    def slower(source: Path, target: Path) -> None:
        target.write_bytes(b"faster")
        move(source, target)

    monkeypatch.setattr(durable, "move_new", slower)
    assert digests.key(tmp_path) == b"faster"
    assert [path.name for path in tmp_path.iterdir()] == [digests.FILE]
    assert synced == [tmp_path.name]
    (tmp_path / "other" / digests.FILE).mkdir(parents=True)
    with pytest.raises(Problem, match="read the key of the digests"):
        digests.key(tmp_path / "other")
    digests.key.cache_clear()
