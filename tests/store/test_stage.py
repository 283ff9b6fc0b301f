"""The stage: whose folder is whose, and what is in it."""

import errno
import hashlib
import os
import threading
from pathlib import Path

import pytest

from receiver.core.problems import Code, Problem
from receiver.store import durable, stage
from receiver.store.stage import Stage, stage_for
from receiver.store.staged import LARGE, OPEN_FILES, PIECE
from tests.support.place import Place, open_files


def test_a_part_is_hashed_and_counted_as_it_is_written(place, monkeypatch):
    started = []
    monkeypatch.setattr(durable, "EARLY_WRITE", 1000)
    monkeypatch.setattr("receiver.store.staged.MEMORY_LIMIT", 0)
    monkeypatch.setattr(durable, "_sync_file_range", lambda _, offset, length, __: started.append((offset, length)))
    with place.stage.open() as staged:
        file = staged.part(".tif")
        for chunk in (b"x" * 700, bytearray(b"y" * 700), memoryview(b"z" * 100)):
            file.write(chunk)
        content = b"x" * 700 + b"y" * 700 + b"z" * 100
        assert (file.size, file.sha256) == (1500, hashlib.sha256(content).hexdigest())
        staged.seal()
        assert file.path.read_bytes() == content
        assert file.path.suffix == ".tif"
    assert started == [(0, 1400)]  # what follows goes with the fsync


@pytest.mark.parametrize("piece", [7, PIECE - 1, PIECE, 3_000_000])
def test_a_large_part_is_hashed_beside_its_writing_in_pieces_of_any_size(place, piece):
    content = os.urandom(1000) * 17_000
    with place.stage.open() as staged:
        file = staged.part(".tif")
        for start in range(0, LARGE, 1_000_000):
            file.write(content[start : start + 1_000_000])
        for start in range(LARGE, LARGE + 4 * piece, piece):
            file.write(content[start : start + piece])
        written = content[: LARGE + 4 * piece]
        assert (file.size, file.sha256) == (len(written), hashlib.sha256(written).hexdigest())
        staged.seal()
        assert file.path.read_bytes() == written
    assert [thread for thread in threading.enumerate() if thread.name == "hashing"] == []


def test_a_large_part_that_the_disk_refuses_leaves_no_thread(place, monkeypatch):
    def failing(*_):
        raise OSError(errno.ENOSPC, "full")

    with place.stage.open() as staged:
        file = staged.part(".tif")
        for _ in range(3):
            file.write(bytes(LARGE))
        with monkeypatch.context() as broken:
            broken.setattr(os, "write", failing)
            with pytest.raises(Problem) as problem:
                file.write(bytes(LARGE))
    assert problem.value.code is Code.DISK_FULL
    assert [thread for thread in threading.enumerate() if thread.name == "hashing"] == []


def test_what_is_staged_is_for_the_group_to_read_and_for_nobody_else_at_all(place):
    with place.stage.open() as staged:
        file = staged.add(b"")
        staged.write()
        assert file.path.stat().st_mode & 0o007 == 0
        assert staged.folder.stat().st_mode & 0o007 == 0


def fill_and_fail(place: Place) -> None:
    with place.stage.open() as staged:
        staged.part().write(b"half")
        (staged.folder / "inner").mkdir()
        raise ZeroDivisionError


def folders_of(place: Place) -> list[str]:
    return [path.name for path in place.stage.root.iterdir() if path.is_dir()]


def test_a_folder_is_gone_after_a_failure(place):
    with pytest.raises(ZeroDivisionError):
        fill_and_fail(place)
    assert folders_of(place) == []


def test_only_so_many_files_stay_open(place):
    with place.stage.open():
        before = open_files(place.stage.root)
    with place.stage.open() as staged:
        for _ in range(100):
            staged.add(b"page")
        assert open_files(place.stage.root) <= before + OPEN_FILES + 1
        staged.seal()
    assert open_files(place.stage.root) == before


def test_a_folder_has_one_owner(place):
    with place.stage.open() as staged:
        assert stage.lock_folder(staged.folder) is None
    assert stage.lock_folder(staged.folder) is None, "it is kept for the next delivery"
    (place.stage.root / "left").mkdir()
    lock = stage.lock_folder(place.stage.root / "left")
    assert stage.lock_folder(place.stage.root / "left") is None
    os.close(lock)


def test_a_folder_whose_owner_removes_it_can_be_neither_held_nor_kept_alive(place, monkeypatch):
    """Whoever looks at it at any instant of its removal gets nothing, and leaves nothing there."""
    looks = []

    def looking(name):
        act = getattr(os, name)

        def looked(path, *arguments, **named):
            looks.append(stage.lock_folder(folder))
            act(path, *arguments, **named)
            looks.append(stage.lock_folder(folder))

        return looked

    def fail() -> None:
        nonlocal folder
        with place.stage.open() as staged:
            folder = staged.folder
            staged.add(b"record")
            staged.write()
            (folder / "inner").mkdir()
            for name in ("unlink", "rmdir"):
                monkeypatch.setattr(os, name, looking(name))
            raise ZeroDivisionError

    folder = Path()
    with pytest.raises(ZeroDivisionError):
        fail()
    assert len(looks) >= 6
    assert set(looks) == {None}
    assert folders_of(place) == []


def test_a_folder_that_was_moved_is_held_where_it_is_now(place):
    with place.stage.open() as staged:
        moved = place.stage.root / "moved"
        staged.folder.rename(moved)
        staged.folder.mkdir()
        assert stage.lock_folder(moved) is None
        lock = stage.lock_folder(staged.folder)
        assert lock is not None
        os.close(lock)
    assert stage.lock_folder(moved) is not None


def test_what_a_dead_owner_left_is_swept_and_nothing_else(place):
    (place.stage.root / "left").mkdir()
    (place.stage.root / "left" / "1.tif").write_bytes(b"half")
    with place.stage.open() as staged:
        assert place.recover().swept == 1
        assert folders_of(place) == [staged.folder.name]
    assert (place.stage.root / "README").is_file()


def test_an_adopted_file_is_not_copied(place, tmp_path):
    (tmp_path / "kept").write_bytes(b"content")
    with place.stage.open() as staged:
        adopted = staged.adopt(tmp_path / "kept", ".tif")
        assert adopted.stat().st_ino == (tmp_path / "kept").stat().st_ino
        assert adopted.parent == staged.folder
    assert (tmp_path / "kept").read_bytes() == b"content"


def test_the_stage_is_with_the_data_where_a_rename_leads_to_the_output(tmp_path):
    made = stage_for(tmp_path / "var", tmp_path / "output")
    assert made.root == tmp_path / "var" / "stage"
    assert list((tmp_path / "output").iterdir()) == []


def test_folders_that_the_program_owns_say_what_they_are(tmp_path):
    place = Place.at(tmp_path)
    for folder in ("stage", "quarantine", "originals"):
        assert len((place.data / folder / "README").read_text()) > 100


def test_a_stage_that_cannot_be_written_is_a_problem(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Problem):
        Stage(tmp_path / "file" / "stage")
