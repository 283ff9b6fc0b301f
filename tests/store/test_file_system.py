"""File systems that do not keep what the protocol rests on are refused before the first delivery."""

import errno
import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from receiver.app import prepare
from receiver.core.problems import Code, Problem
from receiver.store import durable, file_system
from receiver.store.stage import stage_for
from tests.releases.make import SITE, settings_at
from tests.support.place import open_files
from tests.support.required import require


@pytest.fixture(autouse=True)
def _untried(monkeypatch):
    monkeypatch.setattr(file_system, "_proven", set())


def refusal(root: Path) -> str:
    """Return why a file system is refused; nothing may be left of the probe."""
    with pytest.raises(Problem) as problem:
        file_system.require_sound(root)
    assert problem.value.code is Code.STORAGE_FAILED
    assert list(root.iterdir()) == []
    return problem.value.detail


def linked(source, target):
    """Leave a file under its old name, too."""
    Path(target).hardlink_to(source)


def overwriting(source, target):
    """Know no rename without overwriting, and do it all the same."""
    Path(source).rename(target)


def short(source, target):
    """Hold names of 143 bytes, as eCryptfs does."""
    if len(target.name) > 143:
        raise OSError(errno.ENAMETOOLONG, "too long")
    Path(source).rename(target)


def emptied(source, target):
    """Have zeros where the content was (s3fs-fuse #1453)."""
    Path(target).write_bytes(bytes(Path(source).stat().st_size))
    Path(source).unlink()


def vanished(source, target):
    """List a file under its new name, and not find it there (matchlock #81, gcsfuse #4204)."""
    Path(target).symlink_to("nowhere")
    Path(source).unlink()


def copying_again(source, target):
    """Give what was moved away once more."""
    if Path(target).exists():
        raise FileExistsError
    Path(target).write_bytes(Path(source).read_bytes() if Path(source).exists() else file_system.CONTENT)
    Path(source).unlink(missing_ok=True)


def losing(source, target):
    """Lose a file whose rename is refused."""
    if Path(target).exists():
        Path(source).unlink()
        raise FileExistsError
    Path(source).rename(target)


MOVES = {
    linked: "a file that was renamed is still in its place",
    overwriting: "a rename that must not overwrite does",
    short: "it cannot rename a file to a name of 255 bytes (ENAMETOOLONG)",
    vanished: "a file that was renamed is not whole under its new name",
    emptied: "a file that was renamed is not whole under its new name",
    copying_again: "a file can be renamed twice",
    losing: "a file whose rename was refused is gone",
}


@pytest.mark.parametrize("move", MOVES, ids=lambda move: move.__name__)
def test_a_rename_that_is_none_is_refused(tmp_path, monkeypatch, move):
    monkeypatch.setattr(durable, "move_new", move)
    told = refusal(tmp_path)
    assert told.startswith(f"the file system of {tmp_path} does not keep what is accepted: {MOVES[move]}; put ")


def test_a_start_is_refused(tmp_path, monkeypatch):
    for name, content in SITE.items():
        (tmp_path / "site" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "site" / name).write_text(content)
    monkeypatch.setattr(durable, "move_new", linked)
    with pytest.raises(Problem, match=r"stage does not keep what is accepted: .* is still in its place; put "):
        prepare(settings_at(tmp_path))


@pytest.mark.parametrize(
    ("kind", "refused"),
    [
        ("fuse.s3fs", True),  # s3fs-fuse #256: copied on the server, then removed
        ("fuse.gcsfuse", True),  # gcsfuse #11: cannot be done atomically
        ("fuse.rclone", True),
        ("fuse.seaweedfs", False),
        ("ext4", False),
    ],
)
def test_what_is_known_to_copy_is_refused_by_its_name(tmp_path, monkeypatch, kind, refused):
    device = tmp_path.stat().st_dev
    mounts = tmp_path.with_name("mountinfo")
    number = f"{os.major(device)}:{os.minor(device)}"
    mounts.write_text(f"22 1 0:20 / /proc rw - proc proc rw\n36 35 {number} / /srv rw shared:1 - {kind} source rw\n")
    monkeypatch.setattr(file_system, "MOUNTS", str(mounts))
    if refused:
        assert f"{kind} renames by copying" in refusal(tmp_path)
    else:
        file_system.require_sound(tmp_path)


@pytest.mark.parametrize(
    "mounts",
    [
        b"36 35 0:1 / /elsewhere rw shared:1 - fuse.s3fs source rw\n",  # of another device
        b"36 35 0:1 / /\xff rw shared:1 - fuse.s3fs source rw\n",
        None,
    ],
)
def test_what_is_mounted_elsewhere_or_unknown_is_no_reason_to_refuse(tmp_path, monkeypatch, mounts):
    path = tmp_path.with_name("mounts")
    path.unlink(missing_ok=True)
    if mounts:
        path.write_bytes(mounts)
    monkeypatch.setattr(file_system, "MOUNTS", str(path))
    file_system.require_sound(tmp_path)


def test_a_new_file_that_is_there_already_is_refused(tmp_path, monkeypatch):
    opened = os.open
    monkeypatch.setattr(os, "open", lambda path, flags, *_, **at: opened(path, flags & ~os.O_EXCL, **at))
    assert "a new file may be one that is there already (O_EXCL)" in refusal(tmp_path)


def test_a_name_that_is_not_listed_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "listdir", lambda _: [])
    assert "is not whole under its new name" in refusal(tmp_path)


def test_what_fails_otherwise_is_told_with_its_folder(tmp_path, monkeypatch):
    def failing(*_, **__):
        raise OSError(errno.EIO, "broken")

    with monkeypatch.context() as patched:
        patched.setattr(durable, "move_new", failing)
        assert refusal(tmp_path).endswith(f"255 bytes in {tmp_path} (EIO: Input/output error)")
    with monkeypatch.context() as patched:
        patched.setattr(Path, "mkdir", failing)
        assert refusal(tmp_path) == f"could not create a file in {tmp_path} (EIO: Input/output error)"
    monkeypatch.setattr(Path, "stat", failing)
    with pytest.raises(Problem, match="look at the folder"):
        file_system.require_sound(tmp_path)


def test_what_is_tried_is_synced_closed_to_others_and_let_go(tmp_path, monkeypatch):
    modes, synced = [], []
    move, sync = durable.move_new, durable.sync_folder

    def moving(source, target):
        modes.extend(path.stat().st_mode & 0o777 for path in (source.parent, source.parent.parent) if path != tmp_path)
        move(source, target)

    monkeypatch.setattr(durable, "move_new", moving)
    monkeypatch.setattr(durable, "sync_folder", lambda folder: [synced.append(folder.name), sync(folder)])
    file_system.require_sound(tmp_path)
    assert set(modes) == {0o700}
    assert synced == ["from"]
    assert open_files(tmp_path) == 0


def no_locks(*_):
    raise OSError(errno.ENOSYS, "no locks")  # Lustre without its option flock (BOINC #1563, filelock #67)


@pytest.mark.parametrize(
    ("flock", "told"),
    [
        (no_locks, "it cannot lock and rename a folder (ENOSYS)"),
        (lambda *_: None, "a lock on a folder (flock) does not keep others out"),  # NFS with nolock (filelock #6)
    ],
)
def test_locks_that_are_none_are_refused(tmp_path, monkeypatch, flock, told):
    monkeypatch.setattr(fcntl, "flock", flock)
    assert told in refusal(tmp_path)


def test_a_folder_that_is_another_one_each_time_is_refused(tmp_path, monkeypatch):
    answers = iter([True, False])  # a new number every second (kubo #11429)
    monkeypatch.setattr(os.path, "samestat", lambda *_: next(answers, True))
    assert "a folder has another inode each time" in refusal(tmp_path)


def test_a_folder_is_looked_at_before_its_rename_and_after(tmp_path, monkeypatch):
    looked = []
    monkeypatch.setattr(file_system, "_require_held", lambda held, folder: looked.append(folder.name))
    file_system.require_sound(tmp_path)
    assert looked == ["from", "moved"]


def test_a_disk_that_cannot_sync_is_a_problem_of_its_own(tmp_path, monkeypatch):
    def failing(_):
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, "fsync", failing)
    assert refusal(tmp_path) == "could not make a file of the stage durable (EIO: Input/output error)"


def test_a_full_disk_does_not_keep_the_service_from_its_start_and_is_tried_later(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        file_system.require_sound(tmp_path)
    assert file_system._proven == set()
    file_system.require_sound(tmp_path)
    assert file_system._proven == {tmp_path.stat().st_dev}


def test_a_file_system_is_tried_once_and_nothing_is_left(tmp_path, monkeypatch):
    stage_for(tmp_path / "var", tmp_path / "output")
    monkeypatch.setattr(durable, "move_new", None)
    stage_for(tmp_path / "var", tmp_path / "another")
    assert [path for path in tmp_path.rglob("*") if file_system.PREFIX in path.name] == []


def test_what_a_probe_left_that_was_killed_goes_an_hour_later(tmp_path):
    old, young = tmp_path / f"{file_system.PREFIX}old", tmp_path / f"{file_system.PREFIX}young"
    for each in (old, young):
        (each / "from").mkdir(parents=True)
    os.utime(old, (0, 0))
    file_system.require_sound(tmp_path)
    assert list(tmp_path.iterdir()) == [young]


def test_what_a_probe_left_and_cannot_be_removed_does_not_keep_the_rest(tmp_path, monkeypatch):
    for name in "ab":
        (tmp_path / f"{file_system.PREFIX}{name}").mkdir()
        os.utime(tmp_path / f"{file_system.PREFIX}{name}", (0, 0))
    rmdir, busy = os.rmdir, []

    def refuse_the_first(path, **where):
        busy.extend([] if busy else [path])
        if path in busy:
            raise OSError(errno.EBUSY, "busy")
        rmdir(path, **where)

    monkeypatch.setattr(os, "rmdir", refuse_the_first)
    file_system.require_sound(tmp_path)
    assert list(tmp_path.iterdir()) == busy


def test_a_probe_of_exactly_an_hour_stays(tmp_path, monkeypatch):
    left = tmp_path / f"{file_system.PREFIX}left"
    left.mkdir()
    monkeypatch.setattr(file_system.time, "time", lambda: left.stat().st_mtime + file_system.ABANDONED)
    file_system.require_sound(tmp_path)
    assert left.exists()


def test_a_probe_that_goes_while_it_is_looked_at_is_no_problem(tmp_path):
    left = tmp_path / f"{file_system.PREFIX}left"
    left.symlink_to("nowhere")
    file_system.require_sound(tmp_path)
    assert left.is_symlink()


@pytest.mark.parametrize("kind", ["tmpfs", "overlay"])
def test_a_sound_file_system_is_taken(tmp_path, kind):
    require("" if os.geteuid() == 0 else "only root can mount")
    folder = tmp_path / "mounted"
    for each in ("lower", "upper", "work", "mounted"):
        (tmp_path / each).mkdir()
    layers = f"lowerdir={tmp_path}/lower,upperdir={tmp_path}/upper,workdir={tmp_path}/work"
    options = {"tmpfs": "size=1m", "overlay": layers}[kind]
    if subprocess.run(["mount", "-t", kind, "-o", options, kind, folder], capture_output=True, check=False).returncode:
        pytest.skip(f"no {kind} can be mounted here")
    try:
        file_system.require_sound(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
        shutil.rmtree(tmp_path / "work", ignore_errors=True)
