"""A ledger of SQLite when it is created, brought up to date, opened and looked through; and what its refusals are."""

import errno
import json
import os
import stat
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import apsw
import pytest

from receiver.core.problems import Code, Problem
from receiver.store import durable
from receiver.store.rows import Roots
from receiver.store.sqlite import presence, schema
from tests.support.place import open_files

NEWEST = len(schema.STEPS)


def raising(error: Exception) -> Any:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


@pytest.fixture
def path(tmp_path) -> Path:
    """A ledger that was created."""
    schema.create(tmp_path / "var" / "ledger.db")
    return tmp_path / "var" / "ledger.db"


def test_what_is_created_is_durable_closed_to_others_and_leaves_nothing_open(tmp_path, monkeypatch):
    synced: list[Path] = []
    monkeypatch.setattr(durable, "sync_folder", synced.append)
    made = tmp_path / "a" / "b" / "ledger.db"
    for _ in range(2):
        schema.create(made)
    assert synced == [made.parent] * 2
    assert {stat.S_IMODE(each.stat().st_mode) & 0o007 for each in (made, made.parent)} == {0}
    assert open_files(tmp_path) == 0
    with closing(schema.connect(made)) as connection:
        assert (connection.pragma("user_version"), connection.pragma("journal_mode")) == (NEWEST, "wal")


def test_a_folder_that_cannot_be_made_for_it_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(Problem, match="create the ledger's folder"):
        schema.create(tmp_path / "file" / "ledger.db")


def test_a_connection_waits_for_others_syncs_each_commit_and_leaves_no_names_in_freed_pages(path):
    with closing(schema.connect(path)) as connection:
        told = {name: connection.pragma(name) for name in ("busy_timeout", "synchronous", "secure_delete")}
        assert told == {"busy_timeout": schema.BUSY, "synchronous": 2, "secure_delete": 1}
        assert connection.pragma("wal_autocheckpoint") == schema.CHECKPOINT_PAGES
        assert connection.transaction_mode == "IMMEDIATE"
        assert connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, -1) == 1
    with pytest.raises(apsw.CantOpenError):
        schema.connect(path.with_name("gone"))


@pytest.mark.parametrize("version", [0, 1, NEWEST - 1, NEWEST])
def test_only_the_steps_that_are_missing_are_taken_each_noted_with_it(path, monkeypatch, version):
    steps = tuple(f"CREATE TABLE step_{number} (x)" for number in range(1, NEWEST + 1))
    monkeypatch.setattr(schema, "STEPS", steps)
    with closing(schema.connect(path)) as connection:
        connection.pragma("user_version", version)
        schema._upgrade(connection)
        found = connection.execute("SELECT name FROM sqlite_master WHERE name LIKE 'step%' ORDER BY rowid").fetchall()
        assert [name for (name,) in found] == [f"step_{number}" for number in range(version + 1, NEWEST + 1)]
        assert connection.pragma("user_version") == NEWEST


def test_a_step_that_fails_is_not_taken_at_all_and_those_before_it_are(path, monkeypatch):
    steps = ("CREATE TABLE step_1 (x)", "CREATE TABLE step_2 (x); CREATE TABLE step_1 (x)")
    monkeypatch.setattr(schema, "STEPS", steps)
    with closing(schema.connect(path)) as connection:
        connection.pragma("user_version", 0)
        with pytest.raises(apsw.SQLError):
            schema._upgrade(connection)
        assert connection.pragma("user_version") == 1
        found = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'step_2'").get
        assert found == 0


def test_rows_are_made_relative_by_one_step_and_to_the_roots_that_were_given(tmp_path, monkeypatch):
    seen: list[Any] = []
    monkeypatch.setattr(schema.rows, "make_relative", lambda connection: seen.append(connection.roots))
    roots = Roots(output=tmp_path)
    for _ in range(2):
        schema.create(tmp_path / "ledger.db", roots)
    assert seen == [roots]


@pytest.mark.parametrize(("version", "refused"), [(NEWEST - 1, True), (NEWEST, False), (NEWEST + 1, False)])
def test_a_ledger_of_before_is_brought_up_to_date_by_a_start(path, version, refused):
    with closing(schema.connect(path)) as connection:
        connection.pragma("user_version", version)
        if refused:
            with pytest.raises(Problem, match=f"has schema version {version}, and this program needs {NEWEST}"):
                schema.require_up_to_date(connection)
        else:
            schema.require_up_to_date(connection)


def test_a_ledger_of_a_newer_program_is_left_as_it_is(path):
    with closing(schema.connect(path)) as connection:
        connection.pragma("user_version", NEWEST + 1)
    with pytest.raises(Problem, match=f"knows none above {NEWEST}"):
        schema.create(path)
    assert open_files(path.parent) == 0


@pytest.mark.parametrize(("seconds", "damaged"), [(60, True), (-60, False)])
def test_a_ledger_is_looked_through_for_some_seconds_and_then_taken_as_far_as_it_was_seen(
    path, monkeypatch, seconds, damaged
):
    with closing(schema.connect(path)) as connection:
        with connection:
            connection.execute("CREATE TABLE large (x)")
            connection.executemany("INSERT INTO large VALUES (?)", [("x" * 4000,)] * 50)
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size - 8 * 4096)
        file.write(b"torn" * 4096)
    monkeypatch.setattr(schema, "LOOK", seconds)
    monkeypatch.setattr(schema, "STEPS_BETWEEN", 1)
    with closing(schema.connect(path)) as connection:
        if damaged:
            with pytest.raises((schema.Damaged, apsw.CorruptError)):
                schema.require_sound(connection)
        else:
            schema.require_sound(connection)
        assert connection.execute("SELECT count(*) FROM sqlite_master").get > 0, "nobody looks at the clock any more"


@pytest.mark.parametrize(
    ("error", "kind", "code", "words"),
    [
        (apsw.CorruptError("secret"), schema.Damaged, Code.STORAGE_FAILED, "restore a backup"),
        (apsw.NotADBError("secret"), schema.Damaged, Code.STORAGE_FAILED, "restore a backup"),
        (apsw.FullError("secret"), Problem, Code.DISK_FULL, "its disk is full"),
        (apsw.BusyError("secret"), Problem, Code.STORAGE_FAILED, "could not use the ledger (BusyError)"),
    ],
)
def test_a_refusal_of_sqlite_is_told_in_our_own_words(error, kind, code, words):
    with pytest.raises(Problem) as told, schema.ledger_errors():
        raise error
    assert type(told.value) is kind
    assert told.value.code is code
    assert words in told.value.detail
    assert "secret" not in told.value.detail
    assert told.value.__suppress_context__
    with pytest.raises(KeyError), schema.ledger_errors():
        raise KeyError


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:var/ledger.db", "var/ledger.db"),
        ("sqlite:/srv/l:1.db", "/srv/l:1.db"),
        *((each, None) for each in ("sqlite:", "postgresql://db/x", "var/ledger.db", "")),
    ],
)
def test_a_ledger_is_named_by_its_path(tmp_path, monkeypatch, url, path):
    monkeypatch.chdir(tmp_path)
    if path is None:
        with pytest.raises(Problem, match="sqlite:PATH"):
            schema.path_of(url)
    else:
        assert schema.path_of(url) == tmp_path / path


def test_the_lock_of_the_writers_is_held_within_the_block_alone(path):
    with schema.locked(path):
        assert open_files(path.parent) == 1
    assert open_files(path.parent) == 0


def test_a_lock_that_cannot_be_had_is_told_and_leaves_nothing_open(path, monkeypatch):
    monkeypatch.setattr("fcntl.flock", raising(OSError(errno.ENOLCK, "no")))
    with pytest.raises(Problem, match="lock the ledger"), schema.locked(path):
        pass
    assert open_files(path.parent) == 0


# who has it open --------------------------------------------------------------------------------------------------


def test_a_ledger_may_be_created_beside_nothing_that_another_one_left(path):
    presence.require_none_else(path)
    for suffix in presence.BESIDE:
        beside = path.with_name(f"new.db{suffix}")
        beside.touch()
        with pytest.raises(Problem, match=r"remove new\.db-wal and new\.db-shm as well"):
            presence.require_none_else(path.with_name("new.db"))
        beside.unlink()
    presence.require_none_else(path.with_name("new.db"))
    assert open_files(path.parent) == 0


@pytest.mark.parametrize(("times", "looks"), [(0, 1), (3, 4), (presence.LOOKS, presence.LOOKS + 1)])
def test_who_finds_other_files_looks_again_for_their_last_user_may_be_leaving(monkeypatch, times, looks):
    slept: list[float] = []
    monkeypatch.setattr(presence.time, "sleep", slept.append)
    tries: list[int] = []

    def join() -> str:
        tries.append(1)
        if len(tries) <= times:
            raise presence.LedgerMovedError(Code.STORAGE_FAILED, "moved")
        return "joined"

    assert presence.patiently(join) == "joined"
    assert (len(tries), slept) == (looks, [presence.PAUSE] * times)


def test_who_never_finds_the_files_it_knows_is_told(monkeypatch):
    monkeypatch.setattr(presence.time, "sleep", lambda _: None)
    with pytest.raises(presence.LedgerMovedError):
        presence.patiently(raising(presence.LedgerMovedError(Code.STORAGE_FAILED, "moved")))


def test_all_files_of_a_ledger_are_noted_with_what_is_opened_last(path):
    with closing(schema.connect(path)) as anchor:
        joined = presence.Presence(path)
        joined.note(anchor)
        noted = json.loads(path.with_name(f"{path.name}{presence.SUFFIX}").read_bytes())
        joined.close()
    assert sorted(noted) == ["", "-shm", "-wal"]
    assert "" not in noted.values()


def test_files_that_are_where_they_were_are_looked_at_no_closer(path, monkeypatch):
    with closing(schema.connect(path)) as anchor, closing(presence.Presence(path)) as joined:
        joined.note(anchor)
        monkeypatch.setattr(presence, "_identity", raising(ZeroDivisionError()))
        joined.require()


def test_which_files_a_ledger_is_is_noted_once_and_told_where_it_cannot_be(path, monkeypatch):
    with closing(schema.connect(path)) as anchor, closing(presence.Presence(path)) as first:
        with monkeypatch.context() as patched:
            patched.setattr(os, "pwrite", raising(OSError(errno.EIO, "no")))
            with pytest.raises(Problem, match="note which files the ledger is"):
                first.note(anchor)
        first.note(anchor)
        monkeypatch.setattr(os, "pwrite", raising(ZeroDivisionError()))
        with closing(presence.Presence(path)) as second:
            second.note(anchor)


def test_that_a_ledger_was_moved_is_told_even_if_nothing_can_be_moved_out_of_its_log(path):
    with closing(schema.connect(path)) as anchor, closing(presence.Presence(path)) as joined:
        joined.note(anchor)
        joined._anchor = SimpleNamespace(wal_checkpoint=raising(apsw.IOError("no")))
        path.rename(f"{path}.away")
        with pytest.raises(presence.LedgerMovedError):
            joined.require()
        joined.close()
        joined.require()  # of nobody


@pytest.mark.parametrize(("suffix", "cure"), [("", "or stop the service"), ("-wal", "or restart")])
def test_who_finds_other_files_noted_opens_nothing_and_leaves(path, monkeypatch, suffix, cure):
    monkeypatch.setattr(presence, "PAUSE", 0)
    with closing(schema.connect(path)), closing(presence.Presence(path)):
        presence.require_none_else(path)  # it is open, and the one that is meant
        path.with_name(f"{path.name}{presence.SUFFIX}").write_text(json.dumps({suffix: "1:1"}))
        opened = open_files(path.parent)
        for join in (presence.Presence, presence.require_none_else):
            with pytest.raises(presence.LedgerMovedError) as told:
                join(path)
            assert f"is not the file that it was: put it back, {cure}" in told.value.detail
            assert open_files(path.parent) == opened  # while its traceback keeps whoever has left


def test_a_note_that_cannot_be_read_is_told(path, monkeypatch):
    monkeypatch.setattr(os, "pread", raising(OSError(errno.EIO, "no")))
    with pytest.raises(Problem, match="read which files the ledger is"):
        presence.Presence(path)


def test_a_log_that_is_gone_before_it_is_noted_is_told(path):
    joined = presence.Presence(path)
    with closing(schema.connect(path)) as anchor, closing(joined):
        Path(f"{path}-wal").unlink()
        with pytest.raises(Problem, match="look at the files of the ledger"):
            joined.note(anchor)


def test_who_forgets_it_without_closing_is_present_no_longer(path):
    joined = presence.Presence(path)
    assert open_files(path.parent) == 1
    del joined
    assert open_files(path.parent) == 0


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_who_may_not_write_needs_no_note(path, monkeypatch, number):
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", raising(OSError(number, "no")))
        assert presence._joined(path) is None
        joined = presence.Presence(path)
    with closing(schema.connect(path)) as anchor:
        joined.note(anchor)
        joined.require()
    joined.close()
    monkeypatch.setattr(os, "open", raising(OSError(errno.EIO, "no")))
    with pytest.raises(Problem, match="open the note"):
        presence._joined(path)


@pytest.mark.parametrize(
    ("there", "whole", "words"),
    [
        (True, True, "is not the file that it was: put it back, or stop the service"),
        (False, False, "is not where it was: put it back, or restart"),
    ],
)
def test_it_is_told_what_was_moved_and_what_helps(there, whole, words):
    assert words in presence._moved("ledger.db", there=there, whole=whole).detail
