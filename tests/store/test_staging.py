"""One delivery in the making, by itself: what is in memory, open, hashed, locked and removed at each turn."""

import errno
import hashlib
import os
import stat
import threading
import weakref
from pathlib import Path
from typing import Any

import pytest

from receiver.core.problems import Code, Problem
from receiver.store import durable, file_system, folders, stage, staged
from receiver.store.stage import Stage, stage_for
from receiver.store.staged import OPEN_FILES, PIECE, Hashing, Staged, StagedFile
from tests.support.place import open_files

FAILED = Problem(Code.STORAGE_FAILED, "no")


def raising(error: Exception) -> Any:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


@pytest.fixture
def made(tmp_path) -> Stage:
    return Stage(tmp_path / "stage")


# a file -------------------------------------------------------------------------------------------------------------


def test_what_is_written_after_a_file_had_to_be_on_disk_goes_there_and_nothing_stays_in_memory(made):
    with made.open() as delivery:
        file = delivery.add(b"one")
        assert delivery.free(".x").name == "2.x"
        delivery.write()
        assert (file.held, file._held) == (None, [])
        file.write(b"two")
        delivery.seal()
        assert file.path.read_bytes() == b"onetwo"
        assert file.sha256 == hashlib.sha256(b"onetwo").hexdigest()


@pytest.mark.parametrize(("size", "beside"), [(9, False), (10, True), (11, True)])
def test_a_file_is_hashed_beside_from_a_size_on_by_one_thread(made, monkeypatch, size, beside):
    monkeypatch.setattr(staged, "LARGE", 10)
    with made.open() as delivery:
        file = delivery.add(b"x" * size)
        hashing = file.beside
        assert (hashing is not None) is beside
        file.write(b"x" * PIECE)
        assert hashing is None or file.beside is hashing
        assert file.sha256 == hashlib.sha256(b"x" * (size + PIECE)).hexdigest()


@pytest.mark.parametrize(("size", "handed_over"), [(PIECE - 1, False), (PIECE, True)])
def test_a_piece_is_handed_over_from_a_size_on_to_a_thread_that_no_end_of_the_process_waits_for(size, handed_over):
    hashing = Hashing(hashlib.sha256())
    hashing.update(b"x" * size)
    assert (hashing._thread is not None) is handed_over
    assert not handed_over or hashing._thread.daemon
    hashing.close()


def test_each_piece_is_waited_for_once_and_the_digest_is_asked_for_after_that(made, monkeypatch):
    monkeypatch.setattr(staged, "LARGE", 1)
    hashed, waited = threading.Event(), list[int]()

    class Digest:
        """One that is slow: it goes on when it is waited for."""

        def update(self, chunk: bytes) -> None:
            assert len(chunk) < PIECE or hashed.wait(60)

        def hexdigest(self) -> str:
            return f"after {len(waited)}"

    class Done:
        def put(self, _: None) -> None:
            pass

        def get(self) -> None:
            hashed.set()
            waited.append(1)

    file = StagedFile(made.root, "1", PIECE)
    file._hash = Digest()
    file.beside = Hashing(file._hash)
    file.beside._done = Done()
    file.write(b"x" * PIECE)
    assert file.sha256 == file.sha256 == "after 1"
    file.beside.update(b"x" * PIECE)
    file.beside.update(b"x")
    assert file.sha256 == "after 2"
    file.close()


class Chunk(bytearray):
    """One of which it can be told whether anybody still has it."""


def test_a_piece_that_is_hashed_is_let_go_of_while_the_next_one_is_waited_for():
    hashing = Hashing(hashlib.sha256())
    chunk = Chunk(PIECE)
    still = weakref.ref(chunk)
    hashing.update(chunk)
    del chunk
    hashing.settle()
    assert still() is None
    hashing.close()


# a delivery ---------------------------------------------------------------------------------------------------------


def test_sixteen_files_of_a_delivery_are_open_at_most(made, monkeypatch):
    monkeypatch.setattr(staged, "MEMORY_LIMIT", 0)
    with made.open() as delivery:
        most = 0
        for _ in range(OPEN_FILES + 1):
            delivery.add(b"x")
            most = max(most, len(delivery._files))
        assert most == OPEN_FILES
        assert open_files(delivery.folder) == 2  # the folder itself, and the last one
    assert open_files(made.root) == 1


def left_by_adopting(delivery: Staged, outside: Path) -> None:
    delivery.adopt(outside)


def left_by_a_name(delivery: Staged, _: Path) -> None:
    delivery.free(".folder").mkdir()


def left_by_writing(delivery: Staged, _: Path) -> None:
    delivery.add(b"x")
    delivery.write()


def left_by_sealing(delivery: Staged, _: Path) -> None:
    delivery.add(b"x")
    delivery.seal()


def left_by_its_size(delivery: Staged, _: Path) -> None:
    delivery.add(b"x" * (staged.MEMORY_LIMIT + 1))


def left_by_its_number(delivery: Staged, _: Path) -> None:
    for _ in range(OPEN_FILES + 1):
        delivery.add(b"x")


@pytest.mark.parametrize(
    "leave",
    [left_by_adopting, left_by_a_name, left_by_writing, left_by_sealing, left_by_its_size, left_by_its_number],
    ids=lambda leave: leave.__name__,
)
def test_nothing_that_a_delivery_left_lies_in_the_folder_of_the_next_one(made, tmp_path, leave):
    (tmp_path / "outside").write_text("kept")
    with made.open() as delivery:
        leave(delivery, tmp_path / "outside")
    with made.open() as following:
        assert following.folder == delivery.folder
        assert list(following.folder.iterdir()) == []
    assert open_files(made.root) == 1


def test_only_the_named_files_are_written_and_only_they_are_made_durable(made, monkeypatch):
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(Path(f"/proc/self/fd/{file}").readlink().name))
    with made.open() as delivery:
        first, second = delivery.add(b"one"), delivery.add(b"two")
        delivery.write({first.name})
        assert [first.path.exists(), second.path.exists()] == [True, False]
        delivery.seal({first.name})
        assert synced == [first.name, delivery.folder.name, made.root.name]
        delivery.seal()
        assert synced[3:] == [second.name, delivery.folder.name]


def test_a_shared_file_is_readable_for_its_group_and_durable_with_that(made, monkeypatch):
    shared: list[Any] = []
    monkeypatch.setattr(folders, "share_file", lambda path, group: shared.append((Path(path).name, group)))
    monkeypatch.setattr(durable, "sync_again", lambda path: shared.append(Path(path).name))
    with made.open() as delivery:
        first, second = delivery.add(b"one"), delivery.add(b"two")
        delivery.seal({first.name})
        delivery.share([first.name, second.name], 7)
        assert shared == [(first.name, 7), first.name, (second.name, 7)]
        assert second.path.exists()


def test_a_delivery_whose_files_cannot_be_made_durable_has_none_open(made, monkeypatch):
    monkeypatch.setattr(staged, "LARGE", 1)
    with made.open() as delivery:
        delivery.add(b"x" * PIECE)
        delivery.add(b"y")
        with monkeypatch.context() as broken:
            broken.setattr(durable, "sync_files", raising(FAILED))
            with pytest.raises(Problem):
                delivery.seal()
        assert delivery._files == []
        assert open_files(delivery.folder) == 1
        assert [each for each in threading.enumerate() if each.name == "hashing"] == []
        delivery.seal()  # nothing is left to be made durable a second time


def test_a_delivery_that_ends_early_has_none_open_and_nothing_in_memory(made):
    with made.open() as delivery:
        delivery.add(b"x" * (staged.MEMORY_LIMIT + 1))
        delivery.add(b"y")
    assert delivery._files == []
    assert open_files(made.root) == 1


# its folder ---------------------------------------------------------------------------------------------------------


def test_a_folder_that_a_sweeper_was_faster_to_lock_is_left_to_it(made, monkeypatch):
    lock, refused = stage.lock_folder, [None]
    monkeypatch.setattr(stage, "lock_folder", lambda folder: refused.pop() if refused else lock(folder))
    with made.open() as delivery:
        assert len([each for each in made.root.iterdir() if each.is_dir()]) == 2
        assert lock(delivery.folder) is None


def fail(made: Stage, *, accepted: bool) -> None:
    with made.open() as delivery:
        delivery.accepted = accepted
        raise KeyError(delivery.folder)


@pytest.mark.parametrize("accepted", [True, False])
def test_no_lock_stays_open_after_a_failure_and_what_is_accepted_stays(made, accepted):
    with pytest.raises(KeyError) as told:
        fail(made, accepted=accepted)
    assert open_files(made.root) == 0
    assert told.value.args[0].exists() is accepted


def test_what_is_gone_or_another_ones_is_not_locked_and_leaves_nothing_open(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    lock = stage.lock_folder(tmp_path / "a")
    assert stage.lock_folder(tmp_path / "a") is None
    assert stage.lock_folder(tmp_path / "gone") is None
    os.close(lock)
    (tmp_path / "file").touch()
    with pytest.raises(Problem, match="lock a folder"):
        stage.lock_folder(tmp_path / "file")
    monkeypatch.setattr("fcntl.flock", raising(OSError(errno.ENOLCK, "")))
    with pytest.raises(Problem):
        stage.lock_folder(tmp_path / "a")
    assert open_files(tmp_path) == 0


def test_a_folder_that_vanishes_while_it_is_locked_is_nobodys(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    monkeypatch.setattr("fcntl.flock", lambda *_: (tmp_path / "a").rmdir())
    assert stage.lock_folder(tmp_path / "a") is None
    assert open_files(tmp_path) == 0


def test_what_cannot_be_removed_now_is_left_to_a_later_sweep(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    monkeypatch.setattr(folders, "remove", raising(FAILED))
    stage.discard(tmp_path / "a")
    stage.sweep(tmp_path / "gone")


def test_a_swept_folder_is_moved_aside_first_for_its_owner_may_wake(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    discarded: list[Path] = []
    monkeypatch.setattr(stage, "discard", discarded.append)
    stage.sweep(tmp_path / "a")
    assert discarded == list(tmp_path.iterdir()) != [tmp_path / "a"]


@pytest.mark.parametrize("how", ["moved", "not to be cleared", "not to be listed"])
def test_a_folder_that_is_not_as_it_was_does_not_lie_ready(made, monkeypatch, how):
    with made.open() as delivery:
        delivery.add(b"x")
        delivery.write()
        if how == "moved":
            delivery.folder.rename(made.root / "moved")
        elif how == "not to be listed":
            monkeypatch.setattr(os, "listdir", raising(OSError(errno.EIO, "")))
        else:
            monkeypatch.setattr(staged.Folder, "empty", raising(FAILED))
    monkeypatch.undo()
    with made.open() as following:
        assert following.folder != delivery.folder
    assert open_files(made.root) == 1


def test_a_folder_that_somebody_took_while_it_lay_ready_is_not_kept_open(made):
    with made.open() as delivery:
        pass
    delivery.folder.rmdir()
    with made.open():
        assert open_files(made.root) == 1


def test_a_stage_that_is_closed_keeps_no_folder_of_what_was_still_at_work(made):
    with made.open() as delivery:
        made.close()
        assert delivery.folder.exists()
    assert not delivery.folder.exists()
    assert open_files(made.root) == 0


def test_a_closed_stage_has_removed_what_lay_ready_and_let_go_of_it(made):
    with made.open() as delivery:
        pass
    assert open_files(made.root) == 1
    made.close()
    assert not delivery.folder.exists()
    assert open_files(made.root) == 0


def test_what_somebody_laid_in_a_folder_that_lies_ready_does_not_keep_a_stage_from_its_end(made):
    with made.open() as delivery:
        pass
    (delivery.folder / "foreign").touch()
    made.close()
    assert (delivery.folder / "foreign").exists()
    assert open_files(made.root) == 0


# where it is --------------------------------------------------------------------------------------------------------


@pytest.fixture
def asked(monkeypatch) -> list[Any]:
    """What is asked of an output folder, and of file systems."""
    seen: list[Any] = []
    require = folders.require_access
    monkeypatch.setattr(folders, "require_access", lambda path, mode: seen.append((path, mode)) or require(path, mode))
    monkeypatch.setattr(file_system, "require_sound", seen.append)
    return seen


def test_an_output_folder_is_created_if_that_is_asked_for_and_else_it_is_a_problem(tmp_path, asked):
    for create in (stage_for, lambda data, output, create: Stage(data).require_leads_to(output, create=create)):
        output = tmp_path / create.__name__ / "output"
        with pytest.raises(Problem, match="write to the output folder"):
            create(tmp_path / "data", output, create=False)
        for _ in range(2):
            create(tmp_path / "data", output, create=True)
        assert stat.S_IMODE(output.stat().st_mode) & 0o007 == 0
        (output / "file").touch()
        with pytest.raises(Problem, match="create the output folder"):
            create(tmp_path / "data", output / "file" / "below", create=True)
        assert (output, os.W_OK | os.X_OK) in asked


@pytest.mark.parametrize("leads", [True, False])
def test_a_stage_is_where_a_rename_leads_from_to_the_output(tmp_path, monkeypatch, asked, leads):
    monkeypatch.setattr(durable, "leads_to", lambda source, target: leads)
    made = stage_for(tmp_path / "data", tmp_path / "out")
    there = tmp_path / "data/stage" if leads else tmp_path / "out/.stage"
    assert (made.root, made.inside, made.owner) == (there, not leads, "")
    assert (tmp_path / "data/stage" in asked, there in asked) == (True, True)
    assert stage.place_for(tmp_path / "data", tmp_path / "out") == there
    assert made.serves(tmp_path / "out")
    if not leads:
        assert stat.S_IMODE(there.stat().st_mode) == stage.PRIVATE
        with pytest.raises(Problem, match="lies on another file system"):
            made.require_leads_to(tmp_path / "out", create=False)
    else:
        made.require_leads_to(tmp_path / "out", create=False)


def test_a_stage_that_is_closed_already_need_not_be_ours_to_close(tmp_path, monkeypatch, asked):
    (tmp_path / "out/.stage").mkdir(parents=True, mode=0o755)
    stage._stage_inside(tmp_path / "out")
    assert stat.S_IMODE((tmp_path / "out/.stage").stat().st_mode) == stage.PRIVATE
    monkeypatch.setattr(Path, "chmod", raising(PermissionError(errno.EPERM, "")))
    stage._stage_inside(tmp_path / "out")
    (tmp_path / "other").mkdir()
    with pytest.raises(Problem, match="close the stage to others"):
        stage._stage_inside(tmp_path / "other")


@pytest.mark.parametrize("leads", [True, False])
def test_each_of_several_hosts_has_a_durable_folder_in_it(tmp_path, monkeypatch, asked, leads):
    synced: list[Path] = []
    monkeypatch.setattr(durable, "leads_to", lambda source, target: leads)
    monkeypatch.setattr(durable, "sync_folder", synced.append)
    made = stage_for(tmp_path / "data", tmp_path / "out", owner="host")
    assert made.root == (tmp_path / "data/stage/host" if leads else tmp_path / "out/.stage/host")
    assert (made.owner, made.inside, synced) == ("host", not leads, [made.root.parent])


@pytest.mark.parametrize("is_there", [True, False])
def test_where_a_stage_will_be_is_asked_without_making_one(tmp_path, monkeypatch, is_there):
    if is_there:
        (tmp_path / "stage").mkdir()
    asked: list[Path] = []
    monkeypatch.setattr(durable, "leads_to", lambda *given: asked.extend(given) or True)
    assert stage.place_for(tmp_path, tmp_path / "out") == tmp_path / "stage"
    assert asked == [tmp_path / "stage" if is_there else tmp_path, tmp_path / "out"]
    assert (tmp_path / "stage").exists() is is_there


def test_a_stage_beside_the_data_serves_its_output_even_where_it_is_away(tmp_path):
    made = stage_for(tmp_path / "data", tmp_path / "out")
    folders.remove(made.root)
    assert made.serves(tmp_path / "out")


def test_a_stage_stays_where_it_is_whatever_the_working_folder_becomes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Stage(Path("stage")).root == tmp_path / "stage"
