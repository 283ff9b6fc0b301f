"""A batch from its first record to its file, step by step; and what is read, settled and forgotten of it."""

from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from receiver.core.batches import Addition, Batch, BatchStatus, Closing
from receiver.core.delivery import Kind, Output, Record
from receiver.core.problems import Code, Problem
from receiver.store import batch_ledger, batch_queries, batches, journal
from receiver.store.batch_ledger import Batches
from receiver.store.entry import Entry
from receiver.store.ledger import CommitUnknownError
from tests.store.test_ledger import plain, tried
from tests.store.test_small_parts import AT, ENTRY
from tests.support.place import Place

FAILED = Problem(Code.STORAGE_FAILED, "no")
UNKNOWN = CommitUnknownError(Code.STORAGE_FAILED, "no answer")
both_ledgers = pytest.mark.both_ledgers


def raising(error: Exception) -> Any:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def adding(number: int, closing: Closing, name: str = "daily", content: bytes = b"row\n", records: int = 1) -> Any:
    made = tuple(Record("", content, name, {"n": f"é{number}"}) for _ in range(records))
    return plain(number)._replace(outputs=(), additions=(Addition(name, closing, made),))


def add(place: Place, number: int, closing: Closing, **more: Any) -> None:
    place.ledger.commit(adding(number, closing, **more), tried())


def write(place: Place, sql: str) -> None:
    place.ledger.connections.write(lambda connection: connection.execute(sql) and None)


def told(place: Place) -> list[tuple[int, str, int, int, str]]:
    known = sorted(place.ledger.batches.latest(), key=lambda each: each.number)
    return [(each.number, each.status.value, each.count, each.size, each.closed_by) for each in known]


def accepted_file(place: Place, staged: Any) -> Output:
    file = staged.add(b"row\n")
    return Output(Kind.RECORD, file.name, "i.csv", f"{place.output}/i.csv", file.size, file.sha256)


def published(place: Place) -> Batch:
    """Publish the first batch."""
    with place.stage.open() as staged:
        batch = place.ledger.batches.find("referrals", "daily", 1)
        assert batches.publish(place.ledger, staged, batch, accepted_file(place, staged), place.output)
    return place.ledger.batches.find("referrals", "daily", 1)


# records ------------------------------------------------------------------------------------------------------------


@both_ledgers
def test_a_batch_is_closed_by_the_delivery_that_fills_it_or_finds_no_room(place):
    by_size = Closing(size=10)
    for number, content in enumerate((b"1234", b"1234567", b"123", b"1")):
        add(place, number, by_size, content=content)
    assert told(place) == [(1, "closed", 1, 4, "ID1"), (2, "closed", 2, 10, "ID2"), (3, "open", 1, 1, "")]
    assert [each.number for each in place.ledger.batches.closed_by("ID2", "referrals")] == [2]
    assert place.ledger.batches.closed_by("ID2", "other") == []
    assert place.ledger.batches.closed_by("ID3", "referrals") == []


@both_ledgers
def test_a_batch_whose_time_is_over_is_closed_by_the_next_delivery(place):
    at_once = Closing(after=timedelta(microseconds=1))
    for number in range(2):
        add(place, number, at_once)
    assert told(place) == [(1, "closed", 1, 4, "ID1"), (2, "open", 1, 4, "")]


@both_ledgers
def test_several_records_of_a_delivery_go_into_one_batch_and_count_each(place):
    add(place, 1, Closing(count=5), records=3)
    add(place, 2, Closing(count=5), records=3)
    assert told(place) == [(1, "closed", 3, 12, "ID2"), (2, "open", 3, 12, "")]
    assert place.ledger.batches.exported(place.ledger.batches.find("referrals", "daily", 1)) == [{"n": "é1"}] * 3


@both_ledgers
def test_what_a_record_exported_is_kept_as_plain_text(place):
    add(place, 1, Closing(count=5))
    read = place.ledger.connections.read
    assert read(lambda each: each.execute("SELECT exported FROM batch_records").get) == '{"n":"é1"}'


@both_ledgers
def test_each_name_is_numbered_by_itself_and_locked_in_one_order(place, monkeypatch):
    locked: list[str] = []
    lock = batch_queries._lock
    monkeypatch.setattr(
        batch_queries, "_lock", lambda connection, *key: locked.append(key[1]) or lock(connection, *key)
    )
    additions = tuple(adding(1, Closing(count=9), name).additions[0] for name in ("b", "a"))
    place.ledger.commit(plain(1)._replace(outputs=(), additions=additions), tried())
    assert locked == ["a", "b"]
    assert sorted((each.name, each.number) for each in place.ledger.batches.latest()) == [("a", 1), ("b", 1)]
    place.ledger.batches.close(place.ledger.batches.first("referrals", "b"), "a person")
    assert locked == ["a", "b", "b"]


@both_ledgers
@pytest.mark.parametrize("damage", ["content = NULL", "sha256 = 'other'"])
def test_a_record_that_is_not_what_was_accepted_is_put_into_no_file(place, damage):
    add(place, 1, Closing(count=1))
    write(place, f"UPDATE batch_records SET {damage}")
    with pytest.raises(Problem, match="is damaged"):
        list(place.ledger.batches.contents(place.ledger.batches.find("referrals", "daily", 1)))


# what is asked ------------------------------------------------------------------------------------------------------


@pytest.fixture
def several(place) -> Batches:
    """Two closed batches and an open one of a name, and one of another process."""
    for number in range(3):
        add(place, number, Closing(count=1))
    add(place, 3, Closing(count=9))
    place.ledger.commit(adding(4, Closing(count=9))._replace(process="scans"), tried())
    return place.ledger.batches


def key(batch: Batch | None) -> tuple[str, int] | None:
    return batch and (batch.process, batch.number)


@both_ledgers
def test_batches_are_found_by_what_is_asked_for(several):
    every = [("referrals", number) for number in (1, 2, 3, 4)] + [("scans", 1)]
    assert [key(each) for each in several.unpublished()] == every
    assert key(several.first("referrals", "daily")) == ("referrals", 1)
    assert several.first("referrals", "other") is several.find("referrals", "daily", 9) is None
    assert sorted(key(each) for each in several.latest()) == every
    assert [key(each) for each in several.latest("referrals")] == every[3::-1]
    assert [key(each) for each in several.latest("referrals", 2)] == every[3:1:-1]
    assert len(several.latest(limit=2)) == 2
    assert [key(each) for each in several.of_deliveries(["ID4"])["ID4"]] == [("scans", 1)]
    assert several.of_deliveries([]) == {}


def test_a_hundred_batches_are_read_unless_others_are_asked_for(place, monkeypatch):
    asked: list[int] = []
    monkeypatch.setattr(batch_queries, "select", lambda *given: asked.append(given[-1]))
    place.ledger.batches.latest()
    assert asked == [100]


@both_ledgers
def test_a_folder_is_used_by_a_batch_until_that_is_published(place):
    add(place, 1, Closing(count=1))
    batch = place.ledger.batches.find("referrals", "daily", 1)
    with place.stage.open() as staged:
        entry = batches._publication(batch, accepted_file(place, staged), str(place.output), str(staged.folder))
        assert not place.ledger.uses_stage(staged.folder)
        assert not place.ledger.batches.commit(batch, entry, BatchStatus.PUBLISHED), "it is closed"
        assert place.ledger.batches.commit(batch, entry)
        assert not place.ledger.batches.commit(batch, entry)
        assert place.ledger.uses_stage(staged.folder)
        assert not place.ledger.uses_stage(place.stage.root / "other")
        now = place.ledger.batches.find("referrals", "daily", 1)
        assert (now.status, now.stage, now.output, now.file) == (
            BatchStatus.COMMITTED,
            str(staged.folder),
            str(place.output),
            entry.outputs[0],
        )
        place.ledger.batches.published(batch, entry, AT)
        assert not place.ledger.uses_stage(staged.folder)


def test_a_file_is_accepted_under_the_lock_of_its_names(place, monkeypatch):
    add(place, 1, Closing(count=1))
    batch = place.ledger.batches.find("referrals", "daily", 1)
    locked: list[Any] = []
    own = SimpleNamespace(lock=lambda _, entry: locked.append(entry), claim=lambda *_: locked.append("claimed"))
    monkeypatch.setattr(place.ledger.batches, "_own", own)
    entry = batches._publication(batch, FILE, str(place.output), "/stage/x")
    assert place.ledger.batches.commit(batch, entry)
    assert locked == [entry, "claimed"]


@both_ledgers
def test_what_is_marked_twice_frees_no_other_ones_name(place):
    add(place, 1, Closing(count=1))
    batch = published(place)
    entry = batches._publication(batch, batch.file, str(place.output), "")
    (place.output / "i.csv").unlink()
    place.ledger.commit(plain(7)._replace(outputs=(batch.file,), output=str(place.output)), tried())
    place.ledger.batches.published(batch, entry, AT)
    read = place.ledger.connections.read
    assert read(lambda each: each.execute("SELECT id FROM claims").get) == "ID7"
    assert place.ledger.batches.find("referrals", "daily", 1).published_at == batch.published_at


# the file -----------------------------------------------------------------------------------------------------------


def commit(ledger: Any, staged: Any) -> bool:
    return batches._commit(ledger, staged, None, ENTRY, BatchStatus.CLOSED)


@pytest.mark.parametrize("accepted", [True, False])
def test_the_folder_is_given_up_if_another_one_makes_the_file(accepted):
    staged = SimpleNamespace(accepted=False)
    ledger = SimpleNamespace(batches=SimpleNamespace(commit=lambda *_: accepted))
    assert commit(ledger, staged) is staged.accepted is accepted


def test_the_folder_is_given_up_if_the_file_is_refused_and_stays_where_nobody_knows():
    for error, stays in ((FAILED, False), (UNKNOWN, True), (ZeroDivisionError(), True)):
        staged = SimpleNamespace(accepted=False)
        ledger = SimpleNamespace(batches=SimpleNamespace(commit=raising(error)), settle=raising(FAILED))
        with pytest.raises(type(error)) if error is not UNKNOWN else nullcontext():
            assert commit(ledger, staged)
        assert staged.accepted is stays


def noted(monkeypatch, accepted: bool) -> list[Any]:
    """Return a list of what is sealed, accepted and released from now on."""
    done: list[Any] = []
    monkeypatch.setattr(batches, "seal", lambda *given, **how: done.append((given[1], given[3], how)))
    monkeypatch.setattr(batches, "_commit", lambda *given: done.append(given[4]) or accepted)
    monkeypatch.setattr(batches, "_release", lambda *given: done.append(given[2].file))
    return done


def entry_of(batch):
    return Entry(batch.id, "scans", "", None, AT, "", "", outputs=(FILE,), output="/out", stage="/stage/x")


@pytest.mark.parametrize("accepted", [True, False])
def test_a_published_batch_is_published_once_more_or_somebody_else_does_it(monkeypatch, accepted):
    done = noted(monkeypatch, accepted)
    batch = replace(COMMITTED, status=BatchStatus.PUBLISHED, file=None)
    file = FILE
    staged = SimpleNamespace(folder="/stage/x")
    again = lambda: batches.again(None, staged, batch, file, "/out", 7)  # noqa: E731
    if accepted:
        again()
    else:
        with pytest.raises(Problem) as told:
            again()
        assert told.value.code is Code.BUSY
    assert done == [(entry_of(batch), 7, {"whole": False}), BatchStatus.PUBLISHED, *([file] if accepted else [])]


@pytest.mark.parametrize("fails", [True, False])
def test_a_file_that_is_accepted_is_marked_once_it_is_in_place(monkeypatch, fails):
    marked: list[Any] = []
    monkeypatch.setattr(batches, "release", lambda _: {"id": FAILED} if fails else {})
    monkeypatch.setattr(batches, "_mark", lambda *given: marked.append(given))
    staged = SimpleNamespace(accepted=True)
    with pytest.raises(Problem) if fails else nullcontext():
        batches._release(None, staged, None, ENTRY)
    assert (len(marked), staged.accepted) == ((0, True) if fails else (1, False))


def test_what_a_batch_was_made_of_is_asked_for_its_journal_alone(tmp_path, monkeypatch):
    noted: list[Any] = []
    ledger = SimpleNamespace(
        roots=None,
        batches=SimpleNamespace(deliveries=lambda _: ["a record"], published=lambda *given: noted.append(given[:2])),
    )
    monkeypatch.setattr(journal, "note_batch", lambda *given: noted.append(given[:3]))
    entry = ENTRY._replace(output=str(tmp_path))
    batches._mark(ledger, "batch", entry)
    assert noted == [("batch", entry)]
    journal.ensure_folder(tmp_path)
    batches._mark(ledger, "batch", entry)
    assert noted[1:] == [(str(tmp_path), "batch", ["a record"]), ("batch", entry)]


def test_the_journal_tells_the_file_that_was_published(place):
    journal.ensure_folder(place.output)
    add(place, 1, Closing(count=1))
    batch = published(place)
    ((noted, records),) = journal.batches(place.output, place.ledger.roots)
    assert (noted.file, records) == (batch.file, place.ledger.batches.deliveries(batch))
    assert noted.file is not None


@pytest.mark.parametrize("accepted", [True, False])
def test_a_closed_batch_is_published_once(monkeypatch, accepted):
    done = noted(monkeypatch, accepted)
    batch = replace(COMMITTED, status=BatchStatus.CLOSED, file=None)
    assert batches.publish(None, SimpleNamespace(folder="/stage/x"), batch, FILE, "/out") is accepted
    assert done == [(entry_of(batch), None, {"whole": False}), BatchStatus.CLOSED, *([FILE] if accepted else [])]


# recovery -----------------------------------------------------------------------------------------------------------


FILE = Output(Kind.RECORD, "1", "i.csv", "/out/i.csv", 1, "")
COMMITTED = Batch("scans", "daily", 1, BatchStatus.COMMITTED, AT, AT, None, "time", 1, 4, "/out", "/stage/x", FILE)


def test_each_batch_is_finished_by_itself_and_told(monkeypatch):
    every = [replace(COMMITTED, number=number) for number in range(3)]

    def finish_one(_: Any, batch: Batch) -> bool:
        if batch.number == 0:
            raise FAILED
        return batch.number == 2

    monkeypatch.setattr(batches, "finish_one", finish_one)
    ledger = SimpleNamespace(batches=SimpleNamespace(unpublished=lambda: every))
    assert batches.finish(ledger) == ([every[2].id], {every[0].id: FAILED})


@pytest.mark.parametrize("hosts", [None, True, False])
@pytest.mark.parametrize("there", [True, False, None])
@pytest.mark.parametrize("status", [None, *BatchStatus])
@pytest.mark.parametrize("fails", [True, False])
def test_a_file_is_finished_by_the_one_who_may_if_it_is_still_to_be_done(monkeypatch, hosts, there, status, fails):
    done: list[str] = []

    @contextmanager
    def finishing(ids: list[str]):
        yield set(ids) if hosts else set()

    monkeypatch.setattr(batches, "lock_stage", lambda *_: there)
    monkeypatch.setattr(batches, "release", lambda entries: {"id": FAILED} if fails and entries else {})
    monkeypatch.setattr(batches, "_mark", lambda *_: done.append("marked"))
    monkeypatch.setattr(batches.stage, "discard", lambda folder: done.append(str(folder)))
    now = status and replace(COMMITTED, status=status)
    ledger = SimpleNamespace(
        hosts=None if hosts is None else SimpleNamespace(finishing=finishing),
        batches=SimpleNamespace(find=lambda *_: now),
    )
    may = hosts is not False and there is not None and status is BatchStatus.COMMITTED
    fails = fails and there is True  # nothing is done where the folder is gone: all was
    with pytest.raises(Problem) if may and fails else nullcontext():
        assert batches.finish_one(ledger, COMMITTED) is may
    assert done == (["marked", "/stage/x"] if may and not fails else [])
    assert batches.finish_one(ledger, replace(COMMITTED, file=None)) is False


# what is forgotten --------------------------------------------------------------------------------------------------


def test_a_mark_is_not_waited_for_and_what_cannot_be_forgotten_now_is_later(place, monkeypatch):
    durable: list[bool] = []
    run = place.ledger.connections.write
    made = place.ledger.batches

    def noted(operation: Any, *, durable_: list[bool] = durable, durable: bool = True) -> Any:
        durable_.append(durable)
        return run(operation, durable=durable)

    add(place, 1, Closing(count=1))
    monkeypatch.setattr(made, "_write", noted)
    batch = published(place)
    assert durable == [True, False, False]
    durable.clear()
    made.close(batch, "test")
    made.prune("referrals", AT)
    made.complete(batch, [])
    assert durable == [True] * 3
    monkeypatch.setattr(made, "_forget", raising(FAILED))
    made.published(batch, batches._publication(batch, batch.file, "", ""), AT)


@pytest.mark.parametrize(("found", "asked"), [([0], 1), ([2, 0], 2), ([2, 1], 2), ([2, 2, 1], 3)])
def test_contents_go_in_pieces_until_one_is_not_full(place, monkeypatch, found, asked):
    monkeypatch.setattr(batch_ledger, "AT_ONCE", 2)
    seen: list[Any] = []
    monkeypatch.setattr(batch_queries, "forget", lambda _, batch, most: seen.append((batch, most)) or found.pop(0))
    place.ledger.batches._forget("a batch")
    assert seen == [("a batch", 2)] * asked


@both_ledgers
def test_only_what_is_published_is_remembered_until_its_contents_are_gone(place):
    for number in range(2):
        add(place, number, Closing(count=1))
    read = place.ledger.connections.read
    assert read(batch_queries.remembered) == []
    write(place, "UPDATE batches SET status = 'published' WHERE number = 1")
    assert [each.number for each in read(batch_queries.remembered)] == [1]
    place.ledger.batches.forget_published()
    assert read(batch_queries.remembered) == []
    assert len(list(place.ledger.batches.contents(place.ledger.batches.find("referrals", "daily", 2)))) == 1


@both_ledgers
def test_only_batches_of_a_process_that_were_published_before_are_forgotten_with_their_records(place):
    for number in range(2):
        add(place, number, Closing(count=1))
    batch = published(place)
    later = datetime.now(UTC) + timedelta(days=1)
    assert place.ledger.batches.prune("referrals", batch.published_at) == 0
    assert place.ledger.batches.prune("scans", later) == 0
    assert place.ledger.batches.prune("referrals", later) == 1
    read = place.ledger.connections.read
    assert read(lambda each: each.execute("SELECT number FROM batch_records").fetchall()) == [(2,)]
    assert [each.number for each in place.ledger.batches.latest()] == [2]


@both_ledgers
def test_a_batch_of_a_restored_journal_is_written_whole(place):
    file = Output(Kind.RECORD, "1", "i.csv", f"{place.output}/i.csv", 4, "ab")
    batch = Batch(
        "referrals", "daily", 5, BatchStatus.PUBLISHED, AT, AT, AT + timedelta(hours=1), "time", 2, 9, file=file
    )
    records = [("ID1", 4, "ab"), ("ID2", 5, "cd")]
    assert place.ledger.batches.complete(batch, records)
    assert place.ledger.batches.find("referrals", "daily", 5) == batch
    assert place.ledger.batches.deliveries(batch) == records
    assert place.ledger.batches.exported(batch) == [{}, {}]
    assert place.ledger.batches.complete(replace(batch, number=6, file=None), [])
    assert place.ledger.batches.find("referrals", "daily", 6).file is None
