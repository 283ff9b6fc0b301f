"""What one process has open of a ledger on SQLite: opened, used again, dropped, closed and believed no more."""

import gc
import os
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import apsw
import pytest

from receiver.core.problems import Code, Problem
from receiver.store.ledger import Ledger
from receiver.store.sqlite import connections, schema
from receiver.store.sqlite.presence import LedgerMovedError
from receiver.store.sqlite.writers import Writers
from tests.support.place import open_files

MOVED = LedgerMovedError(Code.STORAGE_FAILED, "moved")


@pytest.fixture
def opened(place) -> connections.Connections:
    """The connections of a ledger, of which nothing is open yet."""
    place.ledger.close()
    return place.ledger.connections


def raising(error: Exception) -> Any:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def one(connection: Any) -> int:
    return connection.execute("SELECT 1").get


def test_nothing_is_open_before_it_is_asked_for_and_nothing_after_it_is_closed(place, opened):
    assert open_files(place.data) == 0
    for _ in range(2):
        assert opened.read(one) == 1
        assert opened.write(one) == 1
        assert open_files(place.data) > 0
        opened.close()
        assert open_files(place.data) == 0
    opened.close()


def test_a_reader_that_is_free_is_used_again_and_one_that_failed_is_not(opened):
    first, second = opened.read(lambda each: each), opened.read(lambda each: each)
    assert first is second
    with pytest.raises(Problem, match="one of its rows is damaged"):
        opened.read(raising(ValueError()))
    assert opened.read(lambda each: each) is not first
    assert len(opened._present().readers) == 1


def test_two_who_read_at_once_have_a_connection_each(opened):
    first, second = opened.read(lambda outer: (outer, opened.read(lambda inner: inner)))
    assert first is not second
    assert len(opened._present().readers) == 2


def test_who_opens_a_connection_knows_the_roots_and_asks_whether_the_ledger_is_in_place(opened):
    assert opened.read(lambda each: each.roots) is opened.roots
    assert opened.write(lambda each: each.roots) is opened.roots
    present = opened._present()
    present.readers.clear()
    present.writers.close()
    present.writers = None
    present.presence.require = raising(MOVED)
    for ask in (opened.read, opened.write):
        with pytest.raises(LedgerMovedError):
            ask(one)
    with pytest.raises(LedgerMovedError):
        opened.require_in_place()
    del present.presence.require


@pytest.mark.parametrize(("ask", "error"), [("read", apsw.CorruptError()), ("read", None), ("write", None)])
def test_a_ledger_that_is_damaged_is_asked_nothing_more(opened, ask, error):
    with pytest.raises(schema.Damaged):
        getattr(opened, ask)(raising(error or schema.Damaged()))
    for again in (opened.read, opened.write, opened.postpone):
        with pytest.raises(schema.Damaged):
            again(one)


@pytest.mark.parametrize("error", [apsw.BusyError(), apsw.FullError()])
def test_a_ledger_that_is_busy_or_full_is_asked_again(opened, error):
    with pytest.raises(Problem) as told:
        opened.read(raising(error))
    assert told.value.__suppress_context__
    assert opened.read(one) == 1


def test_what_is_postponed_is_written_before_it_is_closed_and_only_if_there_is_any(opened):
    opened.flush()
    opened.read(one)
    opened.flush()
    assert opened._present().writers is None, "an auditor may have no right to write"
    written: list[int] = []
    opened.postpone(lambda _: written.append(1))
    opened.close()
    assert written == [1]


def test_a_writer_is_opened_once(opened, monkeypatch):
    opens: list[Any] = []
    monkeypatch.setattr(connections, "Writers", lambda *given: opens.append(given) or Writers(*given))
    for _ in range(2):
        opened.write(one)
        opened.postpone(one)
    assert [path for path, *_ in opens] == [opened._path]


def test_what_was_opened_before_a_fork_is_left_to_the_parent(opened, monkeypatch):
    done: list[str] = []
    assert opened.write(one) == 1
    parent = opened._present()
    with monkeypatch.context() as forked:
        forked.setattr(connections, "os", SimpleNamespace(getpid=lambda: parent.pid + 1))
        for part, name in ((parent.writers, "flush"), (parent.writers, "close_inherited"), (parent.presence, "close")):
            forked.setattr(part, name, lambda name=name: done.append(name))
        opened.flush()
        child = opened._present()
        assert child is not parent
        assert child is opened._present()
        assert (opened._foreign, done) == ([parent], ["close", "close_inherited"])
        opened.close()
    assert parent.anchor.pragma("user_version") == len(schema.STEPS), "SQLite forbids a child even to close it"
    opened._opened, opened._foreign = parent, []


@pytest.mark.parametrize("ours", [True, False])
def test_what_is_postponed_is_written_and_the_ledger_looked_at_when_its_process_ends(ours):
    pid, done = os.getpid() + (not ours), list[str]()
    connections._last_flush(SimpleNamespace(flush=lambda: done.append("flushed")), pid)
    connections._last_look(SimpleNamespace(require=lambda: done.append("looked")), pid)
    connections._last_look(SimpleNamespace(require=raising(MOVED)), pid)
    assert done == (["flushed", "looked"] if ours else [])


def test_who_forgets_a_ledger_without_closing_it_has_written_and_looked(place, monkeypatch):
    done: list[str] = []
    monkeypatch.setattr(connections, "_last_flush", lambda *_: done.append("flushed"))
    monkeypatch.setattr(connections, "_last_look", lambda *_: done.append("looked"))
    other = Ledger(place.url)
    other.connections.write(one)
    writers, anchor = other.connections._present().writers, other.connections._present().anchor
    del other
    gc.collect()
    assert sorted(done) == ["flushed", "looked"]
    writers.close()
    anchor.close()


def test_a_ledger_that_is_not_there_is_not_begun_and_leaves_nothing_open(tmp_path):
    with closing(Ledger(f"sqlite:{tmp_path / 'ledger.db'}")) as missing:
        with pytest.raises(Problem, match=r"there is no ledger .*: restore it"):
            missing.search()
        assert open_files(tmp_path) == 0
    assert not (tmp_path / "ledger.db").exists()


def test_a_ledger_of_before_is_not_opened(place, opened):
    with closing(apsw.Connection(str(place.ledger.path))) as connection:
        connection.pragma("user_version", len(schema.STEPS) - 1)
    with pytest.raises(Problem, match="start the service, which brings it up to date"):
        opened.read(one)
