"""A disk that fails or is full: right answers, nothing false, and healthy again by itself."""

import errno
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from receiver.core.delivery import Status
from receiver.core.problems import Code, Problem
from receiver.store import durable, folders, publish, quarantine
from receiver.store.durable import storage
from receiver.store.stage import free_space, stage_for
from tests.crash import syscalls
from tests.support.place import METADATA, Place, Sent, deliver, entry_of, refuse
from tests.support.required import require

SENT = Sent()
ROOT = Path(__file__).parents[2]


@pytest.fixture
def mounted(tmp_path):
    """A file system of 1 MB."""
    require("" if os.geteuid() == 0 else "only root can mount a small file system")
    folder = tmp_path / "small"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "small", folder], capture_output=True, check=False)
    require("mounting is not allowed here" if made.returncode else "")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, Code.DISK_FULL),
        (errno.EDQUOT, Code.DISK_FULL),
        (errno.EIO, Code.STORAGE_FAILED),
        (errno.EROFS, Code.STORAGE_FAILED),
    ],
)
def test_a_refusal_of_the_disk_names_what_was_tried_and_never_a_path(monkeypatch, number, code):
    monkeypatch.delenv("INVOCATION_ID", raising=False)
    with pytest.raises(Problem) as problem, storage("write to the stage"):
        raise OSError(number, "no", "/output/Jane Invented.hl7")
    assert problem.value.code is code
    assert problem.value.detail == f"could not write to the stage ({errno.errorcode[number]}: {os.strerror(number)})"
    assert problem.value.__suppress_context__


def test_a_full_disk_turns_deliveries_away_until_there_is_space_again(mounted):
    place = Place.at(mounted)
    deliver(place, SENT)
    large = Sent("S2", b"x" * 2_000_000)
    for _ in range(2):
        with pytest.raises(Problem) as problem:
            deliver(place, large)
        assert problem.value.code is Code.DISK_FULL
        assert place.staged() == set()
    assert place.ledger.find(large.id) is None
    assert not deliver(place, Sent("S3")).duplicate
    place.ledger.close()


def test_a_full_disk_under_the_ledger_leaves_nothing_half_accepted(mounted, tmp_path):
    place = Place.at(tmp_path)
    elsewhere = Place.at(mounted)
    filler = mounted / "filler"
    place.ledger = elsewhere.ledger
    deliver(place, SENT)
    with pytest.raises(OSError, match="No space"):
        filler.write_bytes(b"x" * 1_000_000)
    with pytest.raises(Problem) as problem:
        deliver_until_it_fails(place)
    assert problem.value.code is Code.DISK_FULL
    assert place.ledger.search(status=Status.COMMITTED) == []
    accepted = len(place.ledger.search(limit=500))
    filler.unlink()
    assert not deliver(place, Sent("S500")).duplicate
    place.recover()
    assert place.staged() == set()
    assert len(place.outputs()) == 4 * (accepted + 1)
    place.ledger.close()


def deliver_until_it_fails(place: Place) -> None:
    for number in range(2, 200):
        deliver(place, Sent(f"S{number}"))


def test_an_output_on_another_file_system_has_its_stage_there(mounted, tmp_path):
    place = Place.at(tmp_path)
    place.output = mounted / "output"
    place.stage = stage_for(place.data, place.output)
    assert place.stage.root == place.output / ".stage"
    sent = replace(SENT, keep=True)
    receipt = deliver(place, sent)
    assert {name: (place.output / name).read_bytes() for name in sent.files()} == sent.files()
    kept = place.data / "originals" / "referrals" / receipt.id
    assert (kept / "1.tif").read_bytes() == sent.content
    refuse(place, Sent("S2"))
    parts = quarantine.load(place.data, "referrals", Sent("S2").id).parts
    assert [part.path.read_bytes() for part in parts] == [sent.content, METADATA]
    assert place.recover().swept == 0
    assert place.staged() == set()


def test_a_file_system_full_of_originals_leaves_the_delivery_to_recovery(mounted, tmp_path):
    place = Place.at(tmp_path)
    place.data = mounted
    (mounted / "originals").mkdir()
    sent = Sent(content=b"x" * 2_000_000, keep=True)
    with pytest.raises(Problem) as problem:
        deliver(place, sent)
    assert problem.value.code is Code.DISK_FULL
    assert place.outputs() == set(sent.files())
    assert place.ledger.find(sent.id).status is Status.COMMITTED
    assert set(place.recover().failed) == {sent.id}
    subprocess.run(["mount", "-o", "remount,size=9m", mounted], check=True)
    assert place.recover().finished == [sent.id]
    assert (mounted / "originals" / "referrals" / sent.id / "1.tif").read_bytes() == sent.content


def test_an_output_folder_that_is_gone_is_not_created_behind_a_mount(place):
    place.output.rmdir()
    with pytest.raises(Problem) as problem:
        deliver(place, SENT)
    assert problem.value.code is Code.STORAGE_FAILED
    assert place.ledger.find(SENT.id) is None
    place.output.mkdir()
    assert not deliver(place, SENT).duplicate


def test_an_output_folder_that_goes_after_the_acceptance_is_waited_for(place):
    with place.stage.open() as staged:
        entry = entry_of(place, staged, SENT, 1)
        publish.commit(place.ledger, staged, entry)
        place.output.rmdir()
        with pytest.raises(Problem):
            publish.publish(place.ledger, staged, entry)
    assert set(place.recover().failed) == {SENT.id}
    with pytest.raises(Problem):
        deliver(place, SENT)
    place.output.mkdir()
    assert place.recover().finished == [SENT.id]
    assert place.outputs() == set(SENT.files())


def test_a_stage_that_is_not_mounted_is_not_taken_for_a_finished_one(place, tmp_path):
    with place.stage.open() as staged:
        publish.commit(place.ledger, staged, entry_of(place, staged, SENT, 1))
    away = place.stage.root.rename(tmp_path / "away")
    assert set(place.recover().failed) == {SENT.id}
    assert place.ledger.find(SENT.id).status is Status.COMMITTED
    away.rename(place.stage.root)
    assert place.recover().finished == [SENT.id]
    assert place.outputs() == set(SENT.files())


def test_a_foreign_file_under_an_accepted_name_is_never_overwritten(place):
    with place.stage.open() as staged:
        entry = entry_of(place, staged, SENT, 1)
        publish.commit(place.ledger, staged, entry)
        foreign = place.output / f"{SENT.id}.hl7"
        foreign.write_text("not ours")
        with pytest.raises(Problem, match="move it away"):
            publish.publish(place.ledger, staged, entry)
    assert foreign.read_text() == "not ours"
    assert place.outputs() == {f"{SENT.id}.tif", f"{SENT.id}.hl7"}
    foreign.unlink()
    place.recover()
    assert {name: (place.output / name).read_bytes() for name in place.outputs()} == SENT.files()


def test_an_fsync_that_failed_is_never_retried_on_the_same_file(place, monkeypatch):
    def failing(descriptor):
        raise OSError(errno.EIO, "broken")

    with place.stage.open() as staged:
        file = staged.add(b"content")
        with monkeypatch.context() as broken:
            broken.setattr(os, "fsync", failing)
            with pytest.raises(Problem):
                staged.seal()
        with pytest.raises(Problem, match="closed"):
            file.written().sync()


@pytest.mark.parametrize(("failing", "after_settling", "stays"), [("2", ["0"], "0"), ("2..3", [], "1")])
def test_a_commit_whose_fsync_failed_stays_undone(tmp_path, failing, after_settling, stays):
    """The pages of that commit lie in the WAL: a crash right then brings them back, and their stage must be there."""
    require(syscalls.possible())
    place = Place.at(tmp_path)
    inject = ["-e", f"inject=fdatasync:error=EIO:when={failing}", "-P", f"{place.ledger.path}-wal"]
    program = [sys.executable, "-m", "tests.store.failing_sync", tmp_path]
    command = ["strace", "-f", "-o", tmp_path / "strace", *inject, *program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    printed = done.stdout.split()
    kind, right_after, *settled, visible, staged = printed
    assert (kind, right_after, settled, visible, staged) == ("CommitUnknownError", "1", after_settling, "0", stays)
    assert deliver(place, SENT).version == 1
    place.recover()
    assert place.outputs() == set(SENT.files())
    assert place.staged() == set()
    place.ledger.close()


def test_free_space_is_told_in_bytes(tmp_path):
    state = os.statvfs(tmp_path)
    assert abs(free_space(tmp_path) - state.f_bavail * state.f_frsize) < 1_000_000_000
    with pytest.raises(Problem):
        free_space(tmp_path / "missing")


def test_folders_are_made_only_below_a_root_that_is_there(tmp_path):
    folders.make_folders(str(tmp_path / "a" / "b"), str(tmp_path))
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == folders.FOLDER_MODE & ~_umask()
    for outside in (tmp_path / "gone" / "a", tmp_path.parent / "elsewhere"):
        with pytest.raises(Problem):
            folders.make_folders(str(outside), str(tmp_path / "gone"))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_copy_is_whole_and_hashed(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 2_500_000)
    durable.copy(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"x" * 2_500_000


@pytest.mark.parametrize(
    ("number", "hint"), [(errno.EROFS, ": is the folder in the unit's ReadWritePaths=?"), (errno.EACCES, "")]
)
def test_a_service_of_systemd_is_told_the_line_of_its_unit(monkeypatch, number, hint):
    monkeypatch.setenv("INVOCATION_ID", "0123456789abcdef0123456789abcdef")
    with pytest.raises(Problem) as problem, storage("write to the output folder"):
        raise OSError(number, "no")
    assert problem.value.detail.partition(")")[2] == hint
