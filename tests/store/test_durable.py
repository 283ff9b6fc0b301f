"""The door to the disk, line by line: what is written, synced, closed and renamed, and what is told if that fails."""

import ctypes
import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from receiver.core.problems import Code, Problem
from receiver.store import durable
from tests.support.place import open_files

Calls = list[tuple[str, int]]


def failing(number: int) -> Any:
    """Return a function that fails as one of the kernel does."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), "/output/Jane Invented.hl7")

    return fail


@pytest.fixture
def calls(monkeypatch) -> Calls:
    """Every fsync and close of a file descriptor that is named as the first one: 0, as where no input was given."""
    made: Calls = []
    monkeypatch.setattr(os, "open", lambda *_: 0)
    for name in ("write", "fsync", "close"):
        monkeypatch.setattr(os, name, lambda file, chunk=b"", name=name: made.append((name, file)) or len(chunk))
    return made


def test_a_file_with_the_first_descriptor_of_all_is_synced_and_closed_once(calls):
    """A service that was started without an input gives its number to the first file that it opens."""
    file = durable.NewFile("a", begun=b"x")
    file.sync()
    file.close()
    assert calls == [("write", 0), ("fsync", 0), ("close", 0)]
    with pytest.raises(Problem, match="closed"):
        file.sync()
    durable.NewFile("b", begun=b"x").close()
    assert calls[3:] == [("write", 0), ("close", 0)]


def test_an_error_without_a_known_name_is_told_by_its_number():
    assert "(7777: Unknown error 7777)" in durable.storage_problem("try", OSError(7777, "secret")).detail


@pytest.mark.parametrize("failing_step", ["write", "fsync"])
def test_a_file_that_the_disk_refuses_is_closed_and_told(tmp_path, monkeypatch, failing_step):
    monkeypatch.setattr(os, failing_step, failing(errno.ENOSPC))
    with pytest.raises(Problem) as told:
        durable.NewFile(tmp_path / "a", begun=b"x").sync()
    assert told.value.code is Code.DISK_FULL
    assert open_files(tmp_path) == 0


def test_what_was_opened_to_be_synced_is_closed_even_if_that_fails(tmp_path, monkeypatch):
    (tmp_path / "a").touch()
    durable.sync_again(tmp_path / "a")
    durable.sync_folder(tmp_path)
    durable.write_new(tmp_path / "b", b"x")
    with durable.NewFile(tmp_path / "given up"):
        pass
    assert open_files(tmp_path) == 0
    monkeypatch.setattr(os, "fsync", failing(errno.EIO))
    for sync, path in ((durable.sync_again, tmp_path / "a"), (durable.sync_folder, tmp_path)):
        with pytest.raises(Problem, match="EIO"):
            sync(path)
    with pytest.raises(Problem, match="EIO"):
        durable.write_new(tmp_path / "c", b"x")
    assert open_files(tmp_path) == 0


def test_what_has_changed_about_a_file_is_synced(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(Path(f"/proc/self/fd/{file}").readlink()))
    (tmp_path / "a").touch()
    durable.sync_again(tmp_path / "a")
    assert synced == [tmp_path / "a"]


@pytest.mark.parametrize("name", ["gone", "a"])
def test_what_is_no_folder_is_not_taken_for_a_durable_one(tmp_path, name):
    (tmp_path / "a").touch()
    with pytest.raises(Problem, match="make a folder durable"):
        durable.sync_folder(tmp_path / name)


def test_all_files_but_the_first_start_before_one_is_awaited(tmp_path, monkeypatch):
    steps: list[tuple[str, str]] = []

    def noting(step: str, file: int) -> None:
        steps.append((step, Path(f"/proc/self/fd/{file}").readlink().name))

    monkeypatch.setattr(durable, "_sync_file_range", lambda file, *_: noting("start", file))
    monkeypatch.setattr(os, "fsync", lambda file: noting("fsync", file))
    durable.sync_files([durable.NewFile(tmp_path / name, begun=b"x") for name in "abc"])
    assert steps == [("start", "b"), ("start", "c"), ("fsync", "a"), ("fsync", "b"), ("fsync", "c")]
    assert open_files(tmp_path) == 0


def test_only_what_is_new_starts_and_each_byte_once(tmp_path, monkeypatch):
    begun: list[tuple[int, int]] = []
    monkeypatch.setattr(durable, "EARLY_WRITE", 10)
    monkeypatch.setattr(durable, "_sync_file_range", lambda _file, start, length, _flag: begun.append((start, length)))
    with durable.NewFile(tmp_path / "a") as file:
        for _ in range(9):
            file.write(b"xyz")
    assert begun == [(0, 12), (12, 12)]


def test_a_file_is_written_where_libc_can_start_nothing_and_rename_nothing(tmp_path, monkeypatch):
    for name in ("_sync_file_range", "_renameat2"):
        monkeypatch.setattr(durable, name, None)
    durable.sync_files([durable.NewFile(tmp_path / name, begun=b"x") for name in "ab"])
    with pytest.raises(OSError, match="not implemented") as told:
        durable.rename_new(tmp_path / "a", tmp_path / "c")
    assert told.value.errno == errno.ENOSYS
    durable.move_new(tmp_path / "a", tmp_path / "c")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "c"]


def test_a_function_that_libc_does_not_have_is_none():
    assert durable._function("no_function_of_any_libc", ctypes.c_int) is None


def test_a_range_beyond_two_gigabytes_is_told_whole(tmp_path):
    """A libc function that is called without the types of its arguments gets the lower half of them."""
    with (tmp_path / "a").open("wb") as file:
        assert durable._sync_file_range(file.fileno(), 1 << 31, 1, durable._SYNC_FILE_RANGE_WRITE) == 0


@pytest.mark.parametrize("mode", [0o600, 0o640])
def test_a_file_has_the_mode_that_was_asked_for(tmp_path, mode):
    durable.write_new(tmp_path / "a", b"x", mode)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == mode & ~_umask()


@pytest.mark.parametrize("mode", [0o600, 0o666, 0o2775])
def test_what_is_written_over_keeps_the_mode_it_had_whatever_the_umask(tmp_path, mode):
    durable.write_over(tmp_path / "a", b"x", tmp_path / "scratch", mode)
    durable.write_over(tmp_path / "b", b"x", tmp_path / "scratch")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == mode
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == durable.FILE_MODE & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_two_new_names_are_never_the_same():
    assert len({durable.new_name() for _ in range(100)}) == 100
    assert len(durable.new_name()) == 2 * durable.NAME_BYTES


def test_a_folder_that_was_laid_there_after_the_look_is_not_taken_for_another_error(tmp_path, monkeypatch):
    """Where the file system cannot rename without overwriting."""
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    monkeypatch.setattr(durable, "rename_new", failing(errno.EINVAL))
    monkeypatch.setattr(os.path, "lexists", lambda _: False)
    with pytest.raises(FileExistsError) as told:
        durable.move_new(tmp_path / "a", tmp_path / "b")
    assert told.value.errno == errno.EEXIST
    with pytest.raises(FileNotFoundError):
        durable.move_new(tmp_path / "gone", tmp_path / "b")
    assert (tmp_path / "a/file").exists()


def test_a_piece_is_no_larger_than_a_copy_holds_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(durable, "COPY_CHUNK", 4)
    (tmp_path / "a").write_bytes(b"0123456789")
    assert list(durable.chunks(tmp_path / "a")) == [b"0123", b"4567", b"89"]
    with pytest.raises(Problem, match="read a kept file"):
        list(durable.chunks(tmp_path / "gone"))
