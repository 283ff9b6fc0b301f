"""Moving a file under its final name: never over another one, on file systems of every kind."""

import errno
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from receiver.store import durable


def refuse_with(number):
    def refusing(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return refusing


@pytest.fixture(params=["rename", "old"])
def file_system(request, monkeypatch):
    """A file system with RENAME_NOREPLACE, and one without."""
    if request.param != "rename":
        monkeypatch.setattr(durable, "rename_new", refuse_with(errno.EINVAL))
    return request.param


def test_a_move_takes_the_name(file_system, tmp_path):
    (tmp_path / "a").write_text("content")
    durable.move_new(tmp_path / "a", tmp_path / "b")
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
    assert (tmp_path / "b").read_text() == "content"


def test_a_move_never_overwrites(file_system, tmp_path):
    (tmp_path / "a").write_text("new")
    (tmp_path / "b").write_text("old")
    (tmp_path / "c").symlink_to("nowhere")
    for taken in ("b", "c"):
        with pytest.raises(FileExistsError):
            durable.move_new(tmp_path / "a", tmp_path / taken)
    assert (tmp_path / "a").read_text() == "new"
    assert (tmp_path / "b").read_text() == "old"


def test_a_folder_moves_whole_and_over_none(file_system, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    (tmp_path / "a" / "part").write_text("content")
    with pytest.raises(FileExistsError):
        durable.move_new(tmp_path / "a", tmp_path / "b")
    durable.move_new(tmp_path / "a", tmp_path / "c")
    assert (tmp_path / "c" / "part").read_text() == "content"


def test_a_folder_that_is_laid_there_right_after_the_look_keeps_its_name(tmp_path, monkeypatch):
    """So it is with two hosts that keep the same delivery, on a file system without RENAME_NOREPLACE."""
    monkeypatch.setattr(durable, "rename_new", refuse_with(errno.EINVAL))
    monkeypatch.setattr(os.path, "lexists", lambda _: False)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    with pytest.raises(FileExistsError):
        durable.move_new(tmp_path / "a", tmp_path / "b")
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["b"]


def test_a_missing_source_or_folder_is_told(file_system, tmp_path):
    (tmp_path / "a").write_text("content")
    for source, target in (("missing", "b"), ("a", "missing/b")):
        with pytest.raises(FileNotFoundError):
            durable.move_new(tmp_path / source, tmp_path / target)


def test_a_file_never_has_two_names_for_a_crash_to_leave(file_system, tmp_path, monkeypatch):
    """Whoever takes it away under the new one would get it twice: it would be published again from the old one."""
    monkeypatch.setattr(os, "link", refuse_with(errno.EPERM))
    (tmp_path / "a").write_text("content")
    durable.move_new(tmp_path / "a", tmp_path / "b")
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_of_many_that_want_one_name_one_gets_it(tmp_path):
    for number in range(16):
        (tmp_path / str(number)).write_text(str(number))

    def attempt(number: int) -> bool:
        try:
            durable.move_new(tmp_path / str(number), tmp_path / "name")
        except FileExistsError:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(attempt, range(16)))
    assert won.count(True) == 1
    assert (tmp_path / "name").read_text() == str(won.index(True))
    assert len(list(tmp_path.iterdir())) == 16


def test_a_link_shares_the_content_and_a_copy_stands_in_for_it(tmp_path, monkeypatch):
    (tmp_path / "a").write_text("content")
    durable.link_or_copy(tmp_path / "a", tmp_path / "linked")
    monkeypatch.setattr(os, "link", refuse_with(errno.EXDEV))
    durable.link_or_copy(tmp_path / "a", tmp_path / "copied")
    inode = (tmp_path / "a").stat().st_ino
    assert (tmp_path / "linked").stat().st_ino == inode
    assert (tmp_path / "copied").stat().st_ino != inode
    assert (tmp_path / "copied").read_text() == "content"


def test_content_is_replaced_at_one_instant(tmp_path):
    (tmp_path / "problem.json").write_text("old")
    durable.write_over(tmp_path / "problem.json", b"new", tmp_path / "scratch")
    assert [path.name for path in tmp_path.iterdir()] == ["problem.json"]
    assert (tmp_path / "problem.json").read_text() == "new"
