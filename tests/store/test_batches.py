"""Batches in the ledger, on each of its databases: which record is in which, and who may make a file."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from receiver.core.batches import Addition, BatchStatus, Closing
from receiver.core.delivery import Kind, Output, Record
from receiver.core.problems import Code, Problem
from receiver.store import batches, journal
from receiver.store.batch_ledger import Batches
from receiver.store.ledger import AlreadyAcceptedError, CommitUnknownError, Ledger
from receiver.store.stage import stage_for
from tests.store.test_ledger import plain, tried

pytestmark = [pytest.mark.both_ledgers, pytest.mark.filterwarnings("ignore::ResourceWarning")]


def adding(number: int, closing: Closing, content: bytes = b"row\n", name: str = "daily"):
    record = Record("", content, name, {"amount": str(number)})
    return plain(number)._replace(outputs=(), additions=(Addition(name, closing, (record,)),))


def fill(place, count: int, closing: Closing) -> None:
    for number in range(count):
        place.ledger.commit(adding(number, closing), tried())


def of(place, number: int):
    return place.ledger.batches.find("referrals", "daily", number)


def test_threads_that_add_at_once_fill_each_batch_exactly(place):
    closing = Closing(count=5)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: place.ledger.commit(adding(number, closing), tried()), range(40)))
    known = place.ledger.batches.latest()
    assert sorted(each.number for each in known) == list(range(1, 9))
    assert {each.count for each in known} == {5}
    deliveries = [id_ for each in known for id_, _, _ in place.ledger.batches.deliveries(each)]
    assert sorted(deliveries) == sorted(f"ID{number}" for number in range(40))


def test_a_delivery_that_is_not_accepted_adds_nothing(place):
    fill(place, 1, Closing(count=5))
    with pytest.raises(AlreadyAcceptedError):
        place.ledger.commit(adding(0, Closing(count=5)), tried())
    assert of(place, 1).count == 1


def test_records_are_read_in_the_order_of_acceptance_with_what_they_export(place, monkeypatch):
    monkeypatch.setattr("receiver.store.batch_ledger.AT_ONCE", 2)
    closing = Closing(count=5)
    for number in (3, 1, 4, 0, 2):
        place.ledger.commit(adding(number, closing, content=b"row %d\n" % number), tried())
    batch = of(place, 1)
    assert list(place.ledger.batches.contents(batch)) == [b"row %d\n" % number for number in (3, 1, 4, 0, 2)]
    assert [each["amount"] for each in place.ledger.batches.exported(batch)] == list("31402")
    assert place.ledger.batches.closed_by("ID2", "referrals") == [batch]


def test_one_of_two_that_make_the_file_wins_and_its_name_is_free_after(place):
    fill(place, 5, Closing(count=5))
    batch = of(place, 1)

    def make() -> bool:
        with place.stage.open() as staged:
            file = staged.add(b"all rows\n")
            output = Output(Kind.RECORD, file.name, "i.csv", f"{place.output}/i.csv", file.size, file.sha256)
            return batches.publish(place.ledger, staged, batch, output, place.output)

    assert [make(), make()] == [True, False]
    assert place.outputs() == {"i.csv"}
    assert of(place, 1).status is BatchStatus.PUBLISHED
    assert place.ledger.batches.exported(batch) == [{}] * 5
    assert place.staged() == set()
    count = "SELECT (SELECT count(*) FROM claims) + (SELECT count(content) FROM batch_records)"
    assert place.ledger.connections.read(lambda connection: connection.execute(count).get) == 0


@pytest.mark.parametrize("accepted", [True, False])
def test_a_file_of_which_nobody_knows_whether_it_is_accepted_is_judged_once_that_is_settled(
    place, monkeypatch, accepted
):
    fill(place, 1, Closing(count=1))
    asked = []

    def unknown(*_):
        raise CommitUnknownError(Code.STORAGE_FAILED, "no answer came")

    monkeypatch.setattr(Batches, "commit", unknown)
    monkeypatch.setattr(Ledger, "settle", lambda *_: asked.append("settle"))
    monkeypatch.setattr(Ledger, "uses_stage", lambda *_: asked.append("look") or accepted)
    with place.stage.open() as staged:
        file = staged.add(b"row\n")
        output = Output(Kind.RECORD, file.name, "i.csv", f"{place.output}/i.csv", file.size, file.sha256)
        with nullcontext() if accepted else pytest.raises(CommitUnknownError):
            assert batches.publish(place.ledger, staged, of(place, 1), output, place.output)
    assert asked == ["settle", "look"]
    assert place.outputs() == ({"i.csv"} if accepted else set())


def file_of(place, staged):
    file = staged.add(b"row\n")
    return Output(Kind.RECORD, file.name, "i.csv", f"{place.output}/i.csv", file.size, file.sha256)


def test_a_batch_that_is_published_by_now_is_not_finished_once_more(place):
    fill(place, 1, Closing(count=1))
    batch = of(place, 1)
    with place.stage.open() as staged:
        file = file_of(place, staged)
        batches.publish(place.ledger, staged, batch, file, place.output)
    as_seen_before = replace(
        batch,
        status=BatchStatus.COMMITTED,
        file=file,
        output=str(place.output),
        stage=str(place.stage.root / "gone"),
    )
    assert not batches.finish_one(place.ledger, as_seen_before)


def test_a_file_whose_name_is_taken_leaves_nothing_in_the_stage(place):
    fill(place, 1, Closing(count=1))
    (place.output / "i.csv").write_text("not ours")
    with pytest.raises(Problem) as refused, place.stage.open() as staged:
        batches.publish(place.ledger, staged, of(place, 1), file_of(place, staged), place.output)
    assert refused.value.code is Code.NAME_TAKEN
    assert place.staged() == set()
    assert of(place, 1).status is BatchStatus.CLOSED


def test_what_is_closed_takes_no_more_and_is_closed_once(place):
    fill(place, 2, Closing(count=5))
    batch = of(place, 1)
    assert place.ledger.batches.close(batch, "test")
    assert not place.ledger.batches.close(batch, "test")
    place.ledger.commit(adding(7, Closing(count=5)), tried())
    assert (of(place, 1).count, of(place, 2).count) == (2, 1)
    assert place.ledger.batches.first("referrals", "daily") == of(place, 1)


def test_the_batches_of_many_deliveries_are_found_whatever_is_read_at_once(place, monkeypatch):
    monkeypatch.setattr("receiver.store.batch_ledger.AT_ONCE", 3)
    fill(place, 7, Closing(count=5))
    found = place.ledger.batches.of_deliveries([f"ID{number}" for number in range(8)])
    numbers = [[each.number for each in found.get(f"ID{number}", ())] for number in range(8)]
    assert numbers == [[1], [1], [1], [1], [1], [2], [2], []]


def test_pruning_gives_no_number_again(place):
    fill(place, 5, Closing(count=5))
    batch = of(place, 1)
    with place.stage.open() as staged:
        file = staged.add(b"all rows\n")
        output = Output(Kind.RECORD, file.name, "i.csv", f"{place.output}/i.csv", file.size, file.sha256)
        batches.publish(place.ledger, staged, batch, output, place.output)
    assert place.ledger.batches.prune("referrals", datetime.now(UTC) - timedelta(days=1)) == 0
    assert place.ledger.batches.prune("referrals", datetime.now(UTC) + timedelta(days=1)) == 1
    place.ledger.commit(adding(9, Closing(count=5)), tried())
    assert [each.number for each in place.ledger.batches.latest("referrals")] == [2]


def test_contents_are_forgotten_piece_by_piece_until_none_is_left(place, monkeypatch):
    monkeypatch.setattr("receiver.store.batch_ledger.AT_ONCE", 2)
    fill(place, 5, Closing(count=5))
    batch = of(place, 1)
    with place.stage.open() as staged:
        batches.publish(place.ledger, staged, batch, file_of(place, staged), place.output)
    count = "SELECT count(content) FROM batch_records"
    assert place.ledger.connections.read(lambda connection: connection.execute(count).get) == 0


@pytest.mark.parametrize(
    ("records", "told", "added"),
    [
        ([("ID0", 4, "a"), ("ID1", 4, "b")], BatchStatus.PUBLISHED, True),
        ([("ID0", 4, "a"), ("ID1", 4, "b"), ("ID7", 4, "c")], BatchStatus.PUBLISHED, True),
        ([("ID0", 4, "a")], BatchStatus.OPEN, False),  # the other one waits still
        ([("ID7", 4, "c")], BatchStatus.OPEN, False),
    ],
)
def test_a_restored_ledger_takes_over_what_was_published_with_all_that_waits(place, records, told, added):
    fill(place, 2, Closing(count=5))
    published = replace(of(place, 1), status=BatchStatus.PUBLISHED, published_at=datetime.now(UTC))
    assert place.ledger.batches.complete(published, records) is added
    assert of(place, 1).status is told
    known = [id_ for id_, _, _ in place.ledger.batches.deliveries(of(place, 1))]
    assert known == ([id_ for id_, _, _ in records] if added else ["ID0", "ID1"])
    assert not place.ledger.batches.complete(published, records)  # nothing is new to it by now


@pytest.mark.parametrize(("number", "following"), [(1, 3), (2, 3), (6, 7)])
def test_no_number_is_given_again_after_a_batch_that_a_restored_ledger_takes_over(place, number, following):
    fill(place, 3, Closing(count=2))
    place.ledger.batches.close(of(place, 2), "test")
    published = replace(of(place, 1), number=number, status=BatchStatus.PUBLISHED, published_at=datetime.now(UTC))
    place.ledger.batches.complete(published, [(f"ID{each}", 4, "a") for each in range(3)])
    place.ledger.commit(adding(9, Closing(count=2)), tried())
    assert place.ledger.batches.latest(limit=1)[0].number == following


def test_contents_that_a_crash_has_left_behind_are_forgotten_later(place, monkeypatch):
    fill(place, 5, Closing(count=5))
    batch = of(place, 1)
    with place.stage.open() as staged, monkeypatch.context() as patch:
        patch.setattr(place.ledger.batches, "_forget", lambda _: None)
        file = staged.add(b"all rows\n")
        output = Output(Kind.RECORD, file.name, "i.csv", f"{place.output}/i.csv", file.size, file.sha256)
        batches.publish(place.ledger, staged, batch, output, place.output)
    assert len(list(place.ledger.batches.contents(batch))) == 5
    place.ledger.commit(adding(8, Closing(count=5)), tried())
    place.ledger.batches.forget_published()
    kept = place.ledger.connections.read(
        lambda connection: connection.execute("SELECT count(content) FROM batch_records").get
    )
    assert kept == 1  # of the batch that is open


def test_two_who_finish_the_file_of_a_dead_host_publish_and_note_it_once(place, monkeypatch):
    fill(place, 5, Closing(count=5))
    journal.ensure_folder(place.output)
    accept_and_die(place, of(place, 1), monkeypatch)
    batch, other, finished = of(place, 1), Ledger(place.url), []
    release = batches.release

    def meanwhile(entries):
        with monkeypatch.context() as patch:
            patch.setattr(batches, "release", release)
            finished.append(batches.finish_one(other, batch))
        return release(entries)

    monkeypatch.setattr(batches, "release", meanwhile)
    assert batches.finish_one(place.ledger, batch)
    assert finished == [False]
    other.close()
    noted = [line for path in place.output.glob(".published/*.jsonl") for line in path.read_text().splitlines() if line]
    assert len(noted) == 1
    assert (place.output / "i.csv").read_bytes() == b"all rows\n"
    assert of(place, 1).status is BatchStatus.PUBLISHED


def accept_and_die(place, batch, monkeypatch) -> None:
    """Accept the file of a batch as another host does that ends before it is published."""
    owner = Ledger(place.url)
    stage = stage_for(place.data, place.output, owner=owner.owner)
    with monkeypatch.context() as patch, stage.open() as staged, suppress(Problem):
        patch.setattr(batches, "release", lambda _: {"": Problem(Code.STORAGE_FAILED, "away")})
        file = staged.add(b"all rows\n")
        output = Output(Kind.RECORD, file.name, "i.csv", f"{place.output}/i.csv", file.size, file.sha256)
        batches.publish(owner, staged, batch, output, place.output)
    owner.close()
