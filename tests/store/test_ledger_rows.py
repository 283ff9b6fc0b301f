"""What each method of the ledger makes of a row, and in which kind of transaction; small cases, on both databases."""

from contextlib import nullcontext, suppress
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from receiver.core.delivery import Kind, Output, Status
from receiver.core.problems import Code, Problem
from receiver.store import batch_queries, ledger, ledger_reader, queries
from receiver.store.entry import Attempt, DamagedRow
from receiver.store.ledger import Ledger, VersionTakenError
from receiver.store.queries import Claims
from receiver.store.rows import NO_ROOTS, Roots
from tests.store.test_ledger import plain, tried
from tests.store.test_small_parts import ENTRY
from tests.support.place import AT, Place, Sent, deliver, refuse

LATER = AT + timedelta(days=1)
both_ledgers = pytest.mark.both_ledgers


def named(place: Place, *names: str) -> tuple[Output, ...]:
    return tuple(Output(Kind.RECORD, name, name, f"{place.output}/{name}", 1, "") for name in names)


def write(place: Place, sql: str, *values: Any) -> None:
    place.ledger.connections.write(lambda connection: connection.execute(sql, values) and None)


def found(place: Place, sql: str) -> list[Any]:
    return place.ledger._read(lambda connection: connection.execute(sql).fetchall())


@pytest.fixture
def durable(place, monkeypatch) -> list[bool]:
    """Whether what is written is waited for until it is durable."""
    seen: list[bool] = []
    run = place.ledger.connections.write

    def noted(operation: Any, *, durable: bool = True) -> Any:
        seen.append(durable)
        return run(operation, durable=durable)

    monkeypatch.setattr(place.ledger, "_write", noted)
    return seen


# acceptance -------------------------------------------------------------------------------------------------------


@both_ledgers
@pytest.mark.parametrize("known", [False, True])
def test_what_is_accepted_is_committed_whatever_it_was_with_its_moment_and_digests(place, known):
    entry = plain(1, status=Status.HELD, digests=("d1", "d2"))
    if known:
        place.ledger.quarantine(entry._replace(digests=("old",)), tried("held"))
    accepted = place.ledger.commit(entry, tried())
    row = place.ledger.find("ID1")
    assert (accepted.status, row.status, row.version) == (Status.COMMITTED, Status.COMMITTED, 1)
    assert accepted.committed_at == row.committed_at is not None
    assert [each.outcome for each in row.attempts] == (["held"] if known else []) + ["accepted"]
    assert row.attempt_count == len(row.attempts)
    assert sorted(found(place, "SELECT digest, id FROM digests")) == [("d1", "ID1"), ("d2", "ID1")]


@both_ledgers
def test_a_refused_version_leaves_nothing_and_a_delivery_without_batches_asks_for_none(place, monkeypatch):
    monkeypatch.setattr(batch_queries, "add", None)
    place.ledger.commit(plain(1), tried())
    with pytest.raises(VersionTakenError) as taken:
        place.ledger.commit(plain(2, source_id="S1"), tried())
    assert taken.value.free == 2
    assert place.ledger.find("ID2") is None


@both_ledgers
def test_a_name_is_waited_for_once_and_no_longer_than_any_mark_is_postponed(place, monkeypatch):
    slept: list[float] = []
    monkeypatch.setattr(ledger, "time", SimpleNamespace(sleep=slept.append))
    place.ledger.commit(plain(1, outputs=named(place, "a"), output=str(place.output)), tried())
    with pytest.raises(Problem) as told:
        place.ledger.commit(plain(2, outputs=named(place, "a"), output=str(place.output)), tried())
    assert told.value.code is Code.NAME_TAKEN
    assert slept == [ledger.CLAIMED]


@both_ledgers
@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ("a", "a", "under one of the names"),
        ("a", "a/b", "where one of the names needs a folder"),
        ("a/b", "a", "where one of the names needs a folder"),
        ("a/b", "a/c", None),
        ("a0b", "a", None),
        ("a.b", "a", None),
    ],
)
def test_a_name_clashes_with_the_same_one_and_with_a_folder_that_it_needs(place, monkeypatch, first, second, told):
    monkeypatch.setattr(ledger, "CLAIMED", 0)
    place.ledger.commit(plain(1, outputs=named(place, first), output=str(place.output)), tried())
    later = plain(2, outputs=named(place, "beside", second), output=str(place.output))
    with pytest.raises(Problem, match=told) if told else nullcontext():
        place.ledger.commit(later, tried())
    claimed = {f"output/{name}" for name in ((first,) if told else (first, "beside", second))}
    assert {target for (target,) in found(place, "SELECT target FROM claims")} == claimed


@both_ledgers
@pytest.mark.parametrize("status", [None, Status.COMMITTED, Status.HELD, Status.DISCARDED, Status.PUBLISHED])
def test_only_what_is_published_is_accepted_once_more(place, status):
    (place.output / "a").touch()
    entry = plain(1, outputs=named(place, "a", "b"), output=str(place.output), stage="")
    if status:
        place.ledger.commit(entry._replace(outputs=()), tried())
        write(place, "UPDATE deliveries SET status = ?", status.value)
    again = lambda: place.ledger.reopen(entry, tried("republished"), missing=entry.outputs[1:])  # noqa: E731
    if status is not Status.PUBLISHED:
        with pytest.raises(Problem) as told:
            again()
        assert told.value.code is Code.BUSY
        return
    assert again() == place.ledger.find("ID1")
    row = place.ledger.find("ID1")
    assert (row.status, row.outputs, row.attempts[-1].outcome) == (Status.COMMITTED, entry.outputs, "republished")
    assert [target for (target,) in found(place, "SELECT target FROM claims")] == ["output/b"]


@both_ledgers
def test_what_is_accepted_once_more_has_the_folder_of_this_time(place):
    deliver(place, Sent())
    before = place.ledger.find(Sent().id)
    now = before._replace(stage=str(place.stage.root / "another"))
    assert place.ledger.reopen(now, tried("republished"), missing=()).stage == now.stage
    place.ledger.published([before], AT)
    assert place.ledger.find(Sent().id).status is Status.COMMITTED, "the mark of the time before"
    assert place.ledger.uses_stage(Path(now.stage))


@both_ledgers
@pytest.mark.parametrize(("known", "added"), [(None, True), ("held", True), ("committed", False), ("published", False)])
def test_a_restored_ledger_takes_in_what_it_does_not_know_as_accepted(place, known, added):
    restored = plain(1, status=Status.PUBLISHED, published_at=AT)
    if known:
        place.ledger.commit(plain(1), tried("first"))
        write(place, "UPDATE deliveries SET status = ?", known)
    assert place.ledger.complete(restored, tried("restored")) is added
    outcomes = [each.outcome for each in place.ledger.find("ID1").attempts]
    assert outcomes == ["first"] * bool(known) + ["restored"] * added


@both_ledgers
def test_a_restored_ledger_takes_in_no_second_content_of_a_version(place):
    place.ledger.commit(plain(1), tried())
    with pytest.raises(VersionTakenError) as taken:
        place.ledger.complete(plain(2, source_id="S1"), tried())
    assert taken.value.free == 2
    assert place.ledger.find("ID2") is None


# marks and attempts -----------------------------------------------------------------------------------------------


def test_a_row_is_waited_for_and_a_mark_or_an_attempt_is_not(place, durable):
    place.ledger.commit(plain(1), tried())
    place.ledger.quarantine(plain(2, status=Status.HELD, version=None), tried())
    place.ledger.discard(place.ledger.find("ID2"), tried())
    place.ledger.settle()
    assert durable == [True] * 4
    durable.clear()
    place.ledger.published([plain(1)], AT)
    place.ledger.attempted("ID1", tried("duplicate"))
    assert durable == [False, False]


@both_ledgers
def test_marks_are_written_in_one_order_whoever_writes_them(place, monkeypatch):
    marked: list[str] = []
    monkeypatch.setattr(queries, "publish", lambda _, published, at: marked.extend(each.id for each in published))
    place.ledger.published([plain(2), plain(1), plain(3)], AT)
    assert marked == ["ID1", "ID2", "ID3"]


@both_ledgers
def test_what_is_published_has_the_moment_and_only_if_it_was_committed(place):
    for number in (1, 2):
        place.ledger.commit(plain(number), tried())
    write(place, "UPDATE deliveries SET status = 'discarded' WHERE id = 'ID2'")
    place.ledger.published([plain(1), plain(2)], LATER)
    rows = [place.ledger.find(f"ID{number}") for number in (1, 2)]
    assert [(row.status, row.published_at) for row in rows] == [(Status.PUBLISHED, LATER), (Status.DISCARDED, None)]


@both_ledgers
def test_an_attempt_at_what_nobody_knows_is_nothing(place):
    place.ledger.attempted("ID1", tried("duplicate"))
    assert place.ledger.find("ID1") is None


# quarantine -------------------------------------------------------------------------------------------------------


@both_ledgers
def test_what_is_kept_has_no_version_and_no_folder_of_the_stage_and_is_laid_there_last(place):
    laid: list[Any] = []
    with suppress(ZeroDivisionError):
        place.ledger.quarantine(plain(1, status=Status.HELD), tried("held"), lambda: 1 / 0)
    assert place.ledger.find("ID1") is None, "an operation that fails has changed nothing"
    kept = place.ledger.quarantine(plain(1, status=Status.HELD), tried("held"), lambda: laid.append("laid"))
    assert (kept.version, kept.stage, laid) == (None, "", ["laid"])
    assert place.ledger.find("ID1") == kept


@both_ledgers
@pytest.mark.parametrize(("once", "same", "count"), [(True, True, 1), (True, False, 2), (False, True, 2)])
def test_an_attempt_is_noted_once_where_that_is_asked_for(place, once, same, count):
    entry, laid = plain(1, status=Status.HELD, version=None), []
    place.ledger.quarantine(entry, tried("held"))
    again = tried("held", 0 if same else 1)
    kept = place.ledger.quarantine(entry, again, lambda: laid.append("laid"), once=once)
    assert (kept.attempt_count, len(laid)) == (count, count - 1)
    assert place.ledger.find("ID1") == kept


@both_ledgers
@pytest.mark.parametrize(
    ("status", "becomes"),
    [(each, Status.DISCARDED if each in (Status.HELD, Status.REFUSED) else each) for each in Status],
)
def test_only_what_is_kept_becomes_discarded_and_its_folder_goes_in_each_case(place, status, becomes):
    place.ledger.commit(plain(1), tried())
    write(place, "UPDATE deliveries SET status = ?", status.value)
    entry, taken = place.ledger.find("ID1"), []
    assert place.ledger.discard(entry, tried("discarded"), lambda: taken.append("taken"))
    assert (place.ledger.find("ID1").status, taken) == (becomes, ["taken"])
    assert place.ledger.discard(plain(2), tried("discarded"), lambda: taken.append("taken"))
    assert (place.ledger.find("ID2"), taken) == (None, ["taken"] * 2)


@both_ledgers
def test_work_that_nobody_disturbs_is_given_what_is_known(place):
    assert place.ledger.alone(plain(1), lambda known: (known, "done")) == (None, "done")
    place.ledger.commit(plain(1), tried())
    assert place.ledger.alone(plain(1), lambda known: known.id) == "ID1"


# forgetting -------------------------------------------------------------------------------------------------------


@both_ledgers
def test_what_came_again_while_it_was_to_be_forgotten_is_kept_with_its_digests(place):
    """Between the look that reads for seconds and the transaction that forgets."""
    refuse(place, Sent())
    write(place, "INSERT INTO digests (digest, id) VALUES ('d', ?)", Sent().id)
    assert place.ledger.discard(place.ledger.find(Sent().id), tried("discarded"))
    rowids = place.ledger._read(lambda connection: queries.prunable(connection, "referrals", LATER))
    assert len(rowids) == 1
    refuse(place, Sent())
    prune = lambda: place.ledger._write(lambda each: place.ledger._own.prune(each, rowids, LATER))  # noqa: E731
    assert prune() == 0
    assert place.ledger.find(Sent().id).status is Status.REFUSED
    assert found(place, "SELECT digest FROM digests") == [("d",)]
    assert place.ledger.discard(place.ledger.find(Sent().id), tried("discarded"))
    assert prune() == 1
    assert found(place, "SELECT digest FROM digests") == []


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_rows_are_forgotten_in_pieces_and_all_of_them(place, monkeypatch, count):
    monkeypatch.setattr(ledger, "PRUNED_AT_ONCE", 2)
    pieces: list[int] = []
    prune = place.ledger._own.prune

    def noted(connection: Any, rowids: Any, before: datetime) -> int:
        pieces.append(len(rowids))
        return prune(connection, rowids, before)

    monkeypatch.setattr(place.ledger._own, "prune", noted)
    for number in range(count):
        place.ledger.commit(plain(number, received_at=AT), tried())
        place.ledger.published([plain(number)], AT)
    assert (place.ledger.prunable("referrals", LATER), place.ledger.prune("referrals", LATER)) == (count, count)
    assert pieces == [2] * (count // 2) + [1] * (count % 2)
    assert Path(f"{place.ledger.path}-wal").stat().st_size == 0, "older states of what was forgotten"


# what is read -----------------------------------------------------------------------------------------------------


@both_ledgers
def test_damaged_rows_are_told_among_the_latest_and_among_all_that_are_not_published(place, monkeypatch):
    monkeypatch.setattr(ledger_reader, "LOOKED_AT", 2)
    for number in range(6):
        place.ledger.commit(plain(number), tried())
    place.ledger.published([plain(number) for number in (0, 1, 3, 5)], AT)
    write(place, "UPDATE deliveries SET parts = 'torn' WHERE id <> 'ID4'")
    assert sorted(each.id for each in place.ledger.damaged()) == ["ID2", "ID5"]
    assert {type(each) for each in place.ledger.damaged()} == {DamagedRow}
    with pytest.raises(DamagedRow):
        place.ledger.find("ID5")


def test_a_row_whose_text_no_disk_has_kept_whole_is_told_beside_the_others(place):
    for number in range(2):
        place.ledger.commit(plain(number), tried())
    write(place, "UPDATE deliveries SET peer = CAST(x'ff' AS TEXT) WHERE id = 'ID0'")
    found = place.ledger.search(oldest_first=True)
    assert [(each.id, type(each) is DamagedRow) for each in found] == [("ID0", True), ("ID1", False)]


@both_ledgers
def test_a_row_in_a_state_that_nobody_knows_is_left_out_of_what_is_counted(place):
    for number in range(3):
        place.ledger.commit(plain(number), tried())
    write(place, "UPDATE deliveries SET status = 'gone' WHERE id = 'ID0'")
    write(place, "UPDATE deliveries SET status = 'committed', committed_at = 'torn' WHERE id = 'ID1'")
    assert place.ledger.counts()["referrals", Status.COMMITTED] == 2
    standing = place.ledger.standing()["referrals"]
    assert standing.counts == {Status.COMMITTED: 2}


@both_ledgers
def test_a_process_of_which_nothing_is_published_has_no_count_of_that(place):
    place.ledger.commit(plain(1), tried())
    assert place.ledger.counts() == {("referrals", Status.COMMITTED): 1}


@both_ledgers
def test_the_version_before_what_was_never_accepted_is_none(place):
    place.ledger.commit(plain(1), tried())
    assert place.ledger.before_version(plain(2)._replace(source_id="S1", version=None)) is None
    assert place.ledger.before_version(plain(2)._replace(source_id="S1", version=2)).id == "ID1"


def test_a_ledger_of_one_host_knows_its_file_and_does_each_task_itself(place):
    assert (place.ledger.owner, place.ledger.hosts) == ("", None)
    assert (place.ledger.path, place.ledger.folders) == (place.data / "ledger.db", [place.data])
    with place.ledger.once("housekeeping") as ours:
        assert ours is True
    left: list[str] = []
    place.ledger.hosts = SimpleNamespace(
        incarnation=lambda: "4f", once=lambda task: nullcontext(task == "x"), leave=lambda: left.append("left")
    )
    assert place.ledger.owner == "4f"
    with place.ledger.once("housekeeping") as ours:
        assert ours is False
    place.ledger.close()
    assert left == ["left"]
    place.ledger.require_in_place()


def test_a_ledger_on_a_server_takes_no_space_here(postgres):
    opened = Ledger(postgres.url())
    assert (opened.path, opened.folders) == (None, [])


# names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("root", ["", "/further"])
def test_folders_are_claimed_below_the_output_of_each_file(root):
    base = root or "/out"
    output = Output(Kind.RECORD, "s", "p", f"{base}/x/y/a", 1, "", root)
    claims = Claims.of(ENTRY._replace(outputs=(output,), output="/out"), NO_ROOTS)
    assert sorted(claims.folders) == [f"{base}/x", f"{base}/x/y"]
    assert claims.paths == [f"{base}/x/y/a"]


def test_names_are_claimed_as_rows_tell_them_and_looked_for_where_they_are():
    roots = Roots(output=Path("/srv/out"), data=Path("/srv/data"))
    output = Output(Kind.RECORD, "s", "p", "/srv/out/x/a", 1, "")
    claims = Claims.of(ENTRY._replace(outputs=(output,), output="/srv/out"), roots)
    assert (claims.targets, claims.folders) == (["output/x/a"], ["output/x"])
    assert claims.paths == ["/srv/out/x/a"]


def test_the_folders_between_a_root_and_a_file_are_told_as_rows_tell_them():
    roots = Roots(output=Path("/srv/out"))
    assert roots.between("/srv/out", "/srv/out/x/y") == ["output/x/y", "output/x"]
    assert roots.between("/srv/out", "/srv/out") == []
    assert roots.between("/srv/elsewhere", "/srv/elsewhere/x") == ["/srv/elsewhere/x"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("free", None),
        ("gone/free", None),
        ("file", "already holds a file"),
        ("link", "already holds a file"),
        ("file/below", "already holds a file"),
        ("x" * 300, "look for a name in the output folder"),
    ],
)
def test_a_name_is_free_where_nothing_is_and_nothing_is_in_the_way(tmp_path, name, told):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("nowhere")
    claims = Claims("ID1", [], [], [f"{tmp_path}/other", f"{tmp_path}/{name}"])
    if told is None:
        queries.require_free(claims)
        return
    with pytest.raises(Problem, match=told) as found:
        queries.require_free(claims)
    assert "x" * 300 not in found.value.detail


def test_attempts_have_a_place_in_no_answer_of_the_latest(place):
    place.ledger.commit(plain(1), Attempt(AT, "", "accepted"))
    assert place.ledger.latest("referrals", "S1").attempts == ()
