"""Backups: whole, proven, durable, in one file, and named only then."""

import stat
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from receiver.core.problems import Code, Problem
from receiver.store import backup, durable
from receiver.store.ledger import Ledger
from receiver.store.sqlite import schema
from tests.support.place import Place, Sent, refuse

ONE, TWO = Sent("S1", b"one"), Sent("S2", b"two")


@pytest.fixture
def target(place) -> Path:
    return place.data / "copy.db"


def copies(place: Place) -> list[str]:
    """Return the names of all that a backup has left."""
    return [path.name for path in place.data.iterdir() if "copy" in path.name]


def refused(place: Place, target: Path) -> Problem:
    """Return why there is no backup; nothing may be left of it."""
    with pytest.raises(Problem) as told:
        backup.backup(place.ledger.path, target)
    assert copies(place) == []
    return told.value


def test_a_copy_has_every_row_in_one_file_that_is_closed_to_others(place, target, monkeypatch):
    synced: list[Path] = []
    monkeypatch.setattr(durable, "sync_folder", synced.append)
    monkeypatch.setattr(backup, "PAGES", 1)
    for sent in (ONE, TWO):
        refuse(place, sent)
    backup.backup(place.ledger.path, target)
    assert copies(place) == ["copy.db"]
    assert synced[-1] == target.parent
    assert stat.S_IMODE(target.stat().st_mode) & 0o037 == 0
    assert target.read_bytes()[18:20] == b"\1\1"  # no log beside it: what is read of it alone is whole
    with closing(apsw.Connection(str(target))) as copy:
        assert copy.execute("SELECT count(*) FROM deliveries").get == 2


def test_a_copy_that_was_restored_is_read_before_the_service_starts(place, target):
    refuse(place, ONE)
    backup.backup(place.ledger.path, target)
    place.ledger.close()
    target.rename(place.ledger.path)
    restored = Ledger(place.url, place.ledger.roots)
    assert [entry.id for entry in restored.search()] == [ONE.id]
    assert [path.name for path in place.data.glob("ledger.db-*")] == []  # whoever looks on changes nothing


def test_an_empty_ledger_has_a_backup_too(place, target):
    backup.backup(place.ledger.path, target)
    assert copies(place) == ["copy.db"]


@pytest.mark.parametrize("damaged", [(ONE, TWO), (TWO, ONE)])
def test_a_copy_is_only_left_if_every_row_of_it_can_be_read(place, target, monkeypatch, damaged):
    monkeypatch.setattr(backup, "ROWS", 1)
    for sent in damaged:
        refuse(place, sent)
    damage = "UPDATE deliveries SET parts = 'torn' WHERE id = ?"
    place.ledger.connections.write(lambda connection: connection.execute(damage, (TWO.id,)))
    assert "damaged" in refused(place, target).detail


def test_a_copy_is_only_left_if_every_page_of_it_is_in_order(place, target):
    refuse(place, ONE)
    place.ledger.close()
    with closing(apsw.Connection(str(place.ledger.path))) as ledger:
        ledger.pragma("writable_schema", 1)
        ledger.execute("DELETE FROM sqlite_schema WHERE name = 'times'")  # its pages then belong to nothing
    problem = refused(place, target)
    assert problem.detail == "the copy of the ledger is damaged, so the ledger may be, too"


def test_a_backup_is_never_laid_over_another_file(place, target):
    target.write_text("another backup")
    with pytest.raises(Problem, match="name the copy of the ledger"):
        backup.backup(place.ledger.path, target)
    assert target.read_text() == "another backup"
    assert copies(place) == ["copy.db"]


def test_a_backup_into_a_folder_that_is_not_there_is_told(place):
    with pytest.raises(Problem, match="create the copy of the ledger"):
        backup.backup(place.ledger.path, place.data / "gone" / "copy.db")


def test_a_copy_that_outgrows_its_disk_is_told(place, target, monkeypatch):
    def full(*_: object) -> None:
        raise apsw.FullError("full")

    monkeypatch.setattr(schema.Connection, "backup", full, raising=False)
    assert refused(place, target).code is Code.DISK_FULL
