"""A ledger that moves from SQLite to PostgreSQL, and back."""

import re
from contextlib import closing
from datetime import timedelta
from types import SimpleNamespace

import pytest

from receiver.core.batches import Addition, Closing
from receiver.core.delivery import Record, Status
from receiver.core.problems import Problem
from receiver.store import copying, ledger
from receiver.store.accounts import Accounts, Role, User
from receiver.store.jobs import Jobs
from receiver.store.postgres import schema as postgres_schema
from receiver.store.sqlite import schema as sqlite_schema
from tests.store.test_ledger import plain, tried
from tests.support.place import AT, Sent, deliver, refuse


@pytest.fixture
def filled(place):
    """A ledger with something of everything."""
    deliver(place, Sent("S1", b"one"))
    deliver(place, Sent("S1", b"two"))
    refuse(place, Sent("Überweisung 'n' \\ \"x\""))
    for number in range(5):
        place.ledger.quarantine(plain(number, status=Status.HELD, version=None), tried("held"))
    accounts = Accounts(place.ledger.connections)
    accounts.put(User("owner person", Role.OWNER, "hash"))
    accounts.note("owner person", "view", "ID1", "")
    Jobs(place.ledger.connections).begin("owner person", "replay", "held", "why", [("ID1", 1), ("ID2", 1)])
    place.ledger.commit(plain(9, additions=added(), digests=("d1", "d2")), tried())
    place.ledger.published([plain(9)], AT)
    return place.ledger


def added() -> tuple[Addition, ...]:
    records = tuple(Record("", bytes([number, 0, 255]), "daily", {"n": "é"}) for number in range(3))
    return (Addition("daily", Closing(count=9), records),)


def test_a_ledger_is_the_same_there_and_back(filled, tmp_path, postgres, monkeypatch):
    monkeypatch.setattr(copying, "AT_ONCE", 2)
    there, back = postgres.new_url(), f"sqlite:{tmp_path / 'back.db'}"
    for url in (there, back):
        ledger.create(url)
    roots = filled.roots
    with closing(ledger.Ledger(there, roots)) as on_postgres, closing(ledger.Ledger(back, roots)) as returned:
        first = list(copying.copy(filled, on_postgres))
        assert on_postgres.search() == filled.search()
        assert on_postgres.counts() == filled.counts()
        assert Accounts(on_postgres.connections).users() == Accounts(filled.connections).users()
        assert list(copying.copy(on_postgres, returned)) == first
        assert returned.search() == filled.search()
    counts = {each.table: each.rows for each in first}
    assert counts == {
        "deliveries": 9,
        "audit": 1,
        "batch_records": 3,
        "users": 1,
        "digests": 2,
        "jobs": 1,
        "job_items": 2,
        "batch_numbers": 1,
        "batches": 1,
    }


def test_what_is_open_is_copied_and_what_is_on_its_way_is_finished_before(place, tmp_path, monkeypatch):
    place.ledger.commit(plain(9, additions=added()), tried())
    place.ledger.published([plain(9)], AT)
    ledger.create(f"sqlite:{tmp_path / 'other.db'}")
    with closing(ledger.Ledger(f"sqlite:{tmp_path / 'other.db'}")) as other:
        copying._require_settled(place.ledger)
        place.ledger.connections.write(
            lambda each: each.execute("UPDATE batches SET status = 'committed', stage_folder = '/x'") and None
        )
        with pytest.raises(Problem, match=r"^1 deliveries or batches are on their way"):
            list(copying.copy(place.ledger, other))
        assert other.search() == []
        other.hosts = SimpleNamespace(listed=list, leave=lambda: None)
        copying._require_settled(other)


def test_what_is_on_its_way_is_finished_before(place, tmp_path):
    place.ledger.commit(plain(1, received_at=AT + timedelta(hours=1)), tried())
    ledger.create(f"sqlite:{tmp_path / 'other.db'}")
    other = ledger.Ledger(f"sqlite:{tmp_path / 'other.db'}")
    with closing(other), pytest.raises(Problem, match="run receiver recover first"):
        list(copying.copy(place.ledger, other))


def test_nothing_is_copied_over_another_ledger(filled, postgres):
    ledger.create(url := postgres.new_url())
    with closing(ledger.Ledger(url)) as other:
        other.quarantine(plain(1, status=Status.HELD, version=None), tried("held"))
        with pytest.raises(Problem, match="not empty: it has deliveries"):
            list(copying.copy(filled, other))


def test_nothing_is_copied_of_a_ledger_that_hosts_work_on(postgres, tmp_path):
    ledger.create(url := postgres.new_url())
    ledger.create(f"sqlite:{tmp_path / 'other.db'}")
    with closing(ledger.Ledger(url)) as source, closing(ledger.Ledger(f"sqlite:{tmp_path / 'other.db'}")) as target:
        assert source.owner
        with pytest.raises(Problem, match="hosts are at work"):
            list(copying.copy(source, target))


def test_a_damaged_copy_is_noticed(filled, postgres, monkeypatch):
    ledger.create(url := postgres.new_url())
    insert = copying._insert
    monkeypatch.setattr(
        copying, "_insert", lambda target, table, columns, rows: insert(target, table, columns, rows[:-1])
    )
    with closing(ledger.Ledger(url)) as other, pytest.raises(Problem, match="not what was copied"):
        list(copying.copy(filled, other))


def test_a_copy_of_as_many_rows_that_are_others_is_noticed(filled, tmp_path, monkeypatch):
    ledger.create(url := f"sqlite:{tmp_path / 'other.db'}")
    insert = copying._insert

    def altering(target, table, columns, rows):
        insert(target, table, columns, [("anybody", *row[1:]) if table == "users" else row for row in rows])

    monkeypatch.setattr(copying, "_insert", altering)
    with closing(ledger.Ledger(url)) as other, pytest.raises(Problem, match="the copy of users is not what was copied"):
        list(copying.copy(filled, other))


@pytest.mark.parametrize("schema", [sqlite_schema, postgres_schema])
def test_every_table_is_copied_or_left_behind_on_purpose(schema):
    tables = set(re.findall(r"CREATE TABLE (\w+)", "".join(schema.STEPS)))
    assert tables <= {*copying.IN_ORDER, *copying.WHOLE, *copying.LEFT_BEHIND}
