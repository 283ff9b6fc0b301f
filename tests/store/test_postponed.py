"""The mark that a delivery is published: no answer waits for it, and it is never lost sight of."""

import gc
import time
from dataclasses import replace

import pytest

from receiver.core.delivery import Status
from receiver.store import queries
from receiver.store.entry import Attempt
from receiver.store.ledger import Ledger, VersionTakenError
from receiver.store.sqlite import queries as sqlite
from receiver.store.sqlite import writers
from tests.support.place import Place, Sent, bare_entry, deliver

FIRST, SECOND = Sent("S1"), Sent("S2")
PATIENCE = 60  # seconds


@pytest.fixture
def untimed(monkeypatch) -> None:
    """Nothing is written by itself."""
    monkeypatch.setattr(writers, "POSTPONED", 3600)


def status_elsewhere(place: Place, sent: Sent) -> Status:
    """Return the status as another process finds it."""
    other = Ledger(f"sqlite:{place.ledger.path}")
    try:
        return other.find(sent.id).status
    finally:
        other.close()


def claims(place: Place) -> int:
    return place.ledger.connections.read(lambda connection: connection.execute("SELECT count(*) FROM claims").get)


def test_the_mark_is_written_first_in_the_transaction_of_the_next_row(place, untimed, monkeypatch):
    """So no two rows that are `committed` ever rest on one folder, which the second delivery fills again."""
    order = []
    for module, name in ((queries, "publish"), (sqlite, "claim")):
        real = getattr(module, name)

        def noting(connection, *args, name=name, real=real, **kwargs):
            order.append((name, connection.in_transaction))
            return real(connection, *args, **kwargs)

        monkeypatch.setattr(module, name, noting)
    deliver(place, FIRST)
    assert status_elsewhere(place, FIRST) is Status.COMMITTED
    deliver(place, SECOND)
    assert order == [("claim", True), ("publish", True), ("claim", True)]
    assert status_elsewhere(place, FIRST) is Status.PUBLISHED
    assert status_elsewhere(place, SECOND) is Status.COMMITTED


def test_a_transaction_that_fails_leaves_the_mark_to_the_next(place, untimed):
    deliver(place, FIRST)
    taken = bare_entry(place, Sent("S1", b"another content"), [], 1)
    with pytest.raises(VersionTakenError):
        place.ledger.commit(taken, Attempt.of(taken.arrival, "accepted"))
    assert status_elsewhere(place, FIRST) is Status.COMMITTED
    place.ledger.settle()
    assert status_elsewhere(place, FIRST) is Status.PUBLISHED


def test_who_reads_in_the_same_process_finds_it_and_the_names_are_free(place, untimed):
    deliver(place, FIRST)
    assert claims(place) == 4
    assert place.ledger.find(FIRST.id).status is Status.PUBLISHED
    assert place.ledger.unfinished() == []
    assert claims(place) == 0


def test_a_retry_writes_it_first(place, untimed):
    deliver(place, FIRST)
    assert deliver(place, FIRST).duplicate
    assert status_elsewhere(place, FIRST) is Status.PUBLISHED


def test_it_is_written_by_itself_if_nothing_else_is(place):
    deliver(place, FIRST)
    deadline = time.monotonic() + PATIENCE
    while status_elsewhere(place, FIRST) is not Status.PUBLISHED:
        assert time.monotonic() < deadline


@pytest.mark.parametrize("end", ["closed", "forgotten, as at the end of a process"])
def test_it_is_written_when_the_ledger_is(place, untimed, end):
    deliver(place, FIRST)
    if end == "closed":
        place.ledger.close()
    else:
        place.ledger.__dict__.update(vars(Ledger(f"sqlite:{place.ledger.path}")))
        gc.collect()
    assert status_elsewhere(place, FIRST) is Status.PUBLISHED


def test_a_name_that_another_process_has_published_is_free_as_soon_as_downstream_has_taken_the_file(place):
    """The claim goes with the mark, a moment later: no reason to refuse."""
    deliver(place, replace(FIRST, name="import"))
    for name in place.outputs():
        (place.output / name).unlink()
    other = replace(place, ledger=Ledger(f"sqlite:{place.ledger.path}"))
    assert not deliver(other, replace(SECOND, name="import")).duplicate
    other.ledger.close()
