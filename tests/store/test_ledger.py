"""The ledger: what it keeps, what it refuses, and how long it waits."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import apsw
import pytest

from receiver.core.delivery import Status
from receiver.core.problems import Code, Problem, Violation
from receiver.store import ledger, publish, rows
from receiver.store.entry import FIRST_ATTEMPTS, LAST_ATTEMPTS, Attempt, Entry, PartLine
from receiver.store.postgres import schema as postgres_schema
from receiver.store.sqlite import schema, writers
from receiver.store.sqlite.presence import Presence
from tests.support.place import AT, PEER, Place, Sent, deliver, entry_of, refuse

SENT = Sent()


def plain(number: int, **more) -> Entry:
    entry = Entry(f"ID{number}", "referrals", f"S{number}", 1, AT + timedelta(hours=number), PEER, "c0ffee")
    return entry._replace(**more)


def tried(outcome: str = "accepted", seconds: int = 0) -> Attempt:
    return Attempt(AT + timedelta(seconds=seconds), PEER, outcome)


@pytest.mark.both_ledgers
def test_an_entry_comes_back_as_it_was_written(place):
    violations = (Violation("fields/mrn", "pattern", "must be digits", "a.json#/x"), Violation("x", "y", "z"))
    parts = (PartLine("file", "image/tiff", "document", 7, "ab"),)
    entry = plain(1, status=Status.HELD, version=None, code=Code.CONFIDENCE_LOW, violations=violations, parts=parts)
    written = place.ledger.quarantine(entry, tried("held"))
    assert place.ledger.find("ID1") == written == entry._replace(attempts=(tried("held"),), attempt_count=1)
    deliver(place, replace(SENT, keep=True))
    found = place.ledger.find(SENT.id)
    assert rows.entry(rows.row(found, place.ledger.roots), place.ledger.roots) == found
    assert found.published_at >= found.committed_at
    assert found.received_at == AT


@pytest.mark.both_ledgers
def test_who_has_the_ledger_open_goes_on_when_a_newer_release_adds_to_its_tables(place, monkeypatch):
    """Workers of before go on beside those of a newer release, until all are replaced."""
    for number in range(6):  # psycopg prepares a statement at the sixth time
        deliver(place, Sent(f"S{number}"))
    refuse(place, Sent("R1"))
    for module in (schema, postgres_schema):
        step = "ALTER TABLE deliveries ADD COLUMN ward TEXT NOT NULL DEFAULT ''"
        monkeypatch.setattr(module, "STEPS", (*module.STEPS, step))
    Place.at(place.data.parent, place.url).ledger.close()
    assert not deliver(place, Sent("S6")).duplicate
    assert deliver(place, Sent("S0")).duplicate
    refuse(place, Sent("R2"))
    assert len(place.ledger.search()) == 9
    assert place.recover().failed == {}


@pytest.mark.both_ledgers
def test_an_unknown_delivery_is_not_found(place):
    assert place.ledger.find("ID1") is None
    assert place.ledger.latest("referrals", "S1") is None
    assert place.ledger.before("ID1", "referrals", "S1") == (None, None)
    assert place.ledger.next_version("referrals", "S1") == 1


def test_neither_the_senders_file_names_nor_unsafe_words_reach_the_ledger(place, tmp_path):
    part = SENT.parts(tmp_path)[0]
    assert part.filename == "Jane Invented.tif"
    strange = part._replace(name="Jane Invented", type="jane/invented", label="part 1")
    assert PartLine.of(strange) == PartLine("part 1", "", "document", part.size, part.sha256)
    deliver(place, replace(SENT, keep=True))
    refuse(place, Sent("S2"))
    place.ledger.close()
    for path in place.data.glob("ledger.db*"):
        assert b"Invented" not in path.read_bytes()


def test_the_shell_of_sqlite_can_read_it(place):
    deliver(place, SENT)
    place.ledger.connections.flush()
    query = "SELECT status, version, documents ->> '$[0].path' FROM deliveries"
    assert shell(place, query) == f"published|1|{SENT.id}.tif\n"


def shell(place, query: str) -> str:
    """Ask in another process, with the shell that comes with apsw."""
    command = [sys.executable, "-m", "apsw", str(place.ledger.path), query]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.both_ledgers
def test_versions_count_what_was_accepted(place):
    refuse(place, Sent("S1", b"refused"))
    assert place.ledger.next_version("referrals", "S1") == 1
    assert deliver(place, Sent("S1", b"one")).version == 1
    assert deliver(place, Sent("S1", b"two")).version == 2
    assert place.ledger.next_version("other", "S1") == 1
    assert place.ledger.latest("referrals", "S1").id == Sent("S1", b"two").id


@pytest.mark.both_ledgers
def test_what_was_accepted_before_is_this_very_delivery_and_the_latest_of_its_source_id(place):
    one, two, three = (Sent("S1", content) for content in (b"one", b"two", b"three"))
    deliver(place, one)
    deliver(place, two)
    refuse(place, three)
    before = lambda sent: [entry and entry.id for entry in place.ledger.before(sent.id, "referrals", "S1")]  # noqa: E731
    assert before(one) == [one.id, two.id]
    assert before(two) == [two.id, two.id]
    assert before(three) == [None, two.id], "a refusal is no acceptance"
    refuse(place, Sent("S2"))
    assert place.ledger.before(Sent("S2").id, "referrals", "S2") == (None, None)


@pytest.mark.both_ledgers
def test_a_version_that_was_taken_meanwhile_is_told(place):
    place.ledger.commit(plain(1), tried())
    with pytest.raises(ledger.VersionTakenError) as taken:
        place.ledger.commit(plain(2, source_id="S1"), tried())
    assert taken.value.free == 2


@pytest.mark.both_ledgers
def test_a_refusal_never_blocks_the_retry(place):
    for status in (Status.REFUSED, Status.HELD):
        refuse(place, SENT, status, Code.TEMPLATE_FAILED)
    assert not deliver(place, SENT).duplicate
    entry = place.ledger.find(SENT.id)
    assert (entry.status, entry.code, entry.version) == (Status.PUBLISHED, None, 1)
    assert [attempt.outcome for attempt in entry.attempts] == ["refused", "held", "accepted"]
    assert [attempt.code for attempt in entry.attempts] == [Code.TEMPLATE_FAILED, Code.TEMPLATE_FAILED, ""]


@pytest.mark.both_ledgers
def test_of_many_attempts_the_first_and_the_last_are_kept(place):
    place.ledger.commit(plain(1), tried())
    for second in range(1, 40):
        place.ledger.attempted("ID1", tried("duplicate", second))
    entry = place.ledger.find("ID1")
    assert entry.attempt_count == 40
    seconds = [(attempt.at - AT).seconds for attempt in entry.attempts]
    assert seconds == [*range(FIRST_ATTEMPTS), *range(40 - LAST_ATTEMPTS, 40)]
    place.ledger.quarantine(plain(2, status=Status.HELD, version=None), tried("held"))
    for second in range(1, 40):
        place.ledger.quarantine(plain(2, status=Status.HELD, version=None), tried("held", second))
    kept = place.ledger.find("ID2")
    assert [(attempt.at - AT).seconds for attempt in kept.attempts] == seconds, "both ways of adding one agree"
    assert kept.attempt_count == 40


@pytest.mark.both_ledgers
def test_searching_filters_and_shows_the_newest_first(place):
    for number in range(5):
        place.ledger.commit(plain(number, process="a" if number % 2 else "b"), tried())
    place.ledger.published([plain(4)], AT)
    found = lambda **filters: [entry.id for entry in place.ledger.search(**filters)]  # noqa: E731
    assert found() == ["ID4", "ID3", "ID2", "ID1", "ID0"]
    assert found(limit=2) == ["ID4", "ID3"]
    assert found(process="a") == ["ID3", "ID1"]
    assert found(status=Status.PUBLISHED) == ["ID4"]
    assert found(source_id="S2") == ["ID2"]
    assert found(since=AT + timedelta(hours=1), until=AT + timedelta(hours=3)) == ["ID2", "ID1"]
    assert place.ledger.counts() == {
        ("a", Status.COMMITTED): 2,
        ("b", Status.COMMITTED): 2,
        ("b", Status.PUBLISHED): 1,
    }


def test_no_question_reads_the_whole_table(place, monkeypatch):
    """With a million rows, that would take seconds."""
    asked = []
    connect = schema.connect

    def listening(path):
        connection = connect(path)
        connection.exec_trace = lambda _, statement, __: asked.append(statement) or True
        return connection

    monkeypatch.setattr(schema, "connect", listening)
    place.ledger.find("ID1")
    place.ledger.latest("referrals", "S1")
    place.ledger.next_version("referrals", "S1")
    place.ledger.starting("ID", 5)
    place.ledger.unfinished()
    place.ledger.uses_stage(place.stage.root / "one")
    place.ledger.counts()
    for filters in ({}, {"source_id": "S1"}, {"since": AT}, *({"status": status} for status in Status)):
        place.ledger.search(**filters)
    for filters in ({}, {"until": AT}, {"status": Status.PUBLISHED}, {"source_id": "S1"}, {"status": Status.HELD}):
        place.ledger.search(process="referrals", **filters)
    place.ledger.last_arrival("referrals")
    place.ledger.arrivals("referrals", AT, AT, 1)
    place.ledger.prunable("referrals", AT)
    asked = [statement for statement in asked if statement.lower().startswith("select")]
    assert len(asked) == 9 + 3 + len(Status) + 5 + 3
    by_status = by_time = 0
    with apsw.Connection(str(place.ledger.path)) as connection:
        for statement in asked:
            nothing = (None,) * statement.count("?")
            plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", nothing).fetchall()
            whole = [step for *_, step in plan if step.startswith("SCAN deliveries") and "INDEX" not in step]
            assert whole == [], statement
            by_status += "INDEX unpublished" in str(plan) or "INDEX kept" in str(plan)
            by_time += "INDEX arrivals (process=?" in str(plan)
    assert by_status == 3 + len(Status) - 1 + 1
    assert by_time == 3 + 3
    connection.close()


@pytest.mark.both_ledgers
def test_pruning_forgets_old_entries_but_none_that_is_not_published(place, monkeypatch):
    monkeypatch.setattr("receiver.store.ledger.PRUNED_AT_ONCE", 2)
    for number in range(8):
        place.ledger.commit(plain(number), tried())
    place.ledger.published([plain(number) for number in range(1, 8)], AT)
    assert place.ledger.prune("referrals", AT + timedelta(hours=6)) == 5
    assert [entry.id for entry in place.ledger.search()] == ["ID7", "ID6", "ID0"]
    assert place.ledger.prune("other", datetime.now(UTC)) == 0


def test_a_mark_is_visible_at_once_to_another_process(place):
    place.ledger.commit(plain(1), tried())
    place.ledger.published([plain(1)], AT)
    assert shell(place, "SELECT status FROM deliveries") == "published\n"


def test_an_operation_that_fails_hurts_none_of_those_it_shares_a_transaction_with(place):
    place.ledger.commit(plain(0), tried())
    shared = threading.Barrier(12)

    def attempt(number: int) -> str:
        shared.wait()
        try:
            place.ledger.commit(plain(number, source_id="S0" if number % 2 else f"S{number}"), tried())
        except ledger.VersionTakenError:
            return "taken"
        return "accepted"

    with foreign_lock(place), ThreadPoolExecutor(12) as pool:
        answers = pool.map(attempt, range(1, 13))
        time.sleep(0.2)  # by now they all wait for the same transaction
        release_foreign_lock(place)
        assert list(answers) == ["taken", "accepted"] * 6
    assert len(place.ledger.search()) == 7


class foreign_lock:  # noqa: N801
    """A person with the shell of SQLite who has begun to write."""

    def __init__(self, place: Place) -> None:
        self.connection = place.foreign = apsw.Connection(str(place.ledger.path))

    def __enter__(self) -> None:
        self.connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, *_: object) -> None:
        self.connection.close()


def release_foreign_lock(place: Place) -> None:
    place.foreign.execute("ROLLBACK")


def test_a_ledger_that_somebody_locks_is_a_problem_within_a_second_and_reading_goes_on(place):
    deliver(place, SENT)
    place.ledger.connections.flush()
    with foreign_lock(place), ThreadPoolExecutor(8) as pool:

        def attempt(number: int) -> tuple[Code, float]:
            time.sleep(number / 8)
            started = time.monotonic()
            with pytest.raises(Problem) as problem:
                deliver(place, Sent(f"S{number + 2}"))
            return problem.value.code, time.monotonic() - started

        outcomes = list(pool.map(attempt, range(8)))
        assert place.ledger.find(SENT.id).status is Status.PUBLISHED
    assert {code for code, _ in outcomes} == {Code.STORAGE_FAILED}
    assert sorted(seconds for _, seconds in outcomes)[len(outcomes) // 2] < 1  # a busy machine may hold up one of them
    assert place.staged() == set()
    assert not deliver(place, Sent("S2")).duplicate


def test_a_writer_that_hangs_in_another_process_is_not_waited_for(place):
    deliver(place, SENT)
    with schema.locked(place.ledger.path):
        took = []
        for _ in range(3):
            started = time.monotonic()
            with pytest.raises(Problem):
                place.ledger.commit(plain(2), tried())
            took.append(time.monotonic() - started)
        assert min(took) < 1  # a busy machine may hold up one of them
    place.ledger.commit(plain(2), tried())


def test_a_commit_that_failed_does_not_come_back(place):
    """Its pages may lie in the WAL; what SQLite forgot must not be found by the next one who opens it."""
    connection = schema.connect(place.ledger.path)
    group = writers.Writers(place.ledger.path, Presence(place.ledger.path))
    group.run(lambda connection: connection.execute("CREATE TABLE sure (x)") and None)
    group._doubtful = True
    group.run(lambda connection: None)
    assert not group._doubtful
    assert connection.pragma("wal_checkpoint")[0] == 0
    assert connection.execute("SELECT count(*) FROM sure").get == 0
    group.close()
    connection.close()


def test_a_forked_child_opens_its_own_connections(place):
    place.ledger.commit(plain(1), tried())
    child = os.fork()
    if child == 0:
        try:
            place.ledger.commit(plain(2), tried())
            own = place.ledger.connections._present().pid == os.getpid()
            os._exit(0 if own and place.ledger.find("ID1") else 1)
        except BaseException:  # noqa: BLE001 (a fork must never return into the test)
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    place.ledger.commit(plain(3), tried())
    assert len(place.ledger.search()) == 3


def test_a_ledger_of_a_newer_program_is_refused(place):
    with apsw.Connection(str(place.ledger.path)) as connection:
        connection.pragma("user_version", len(schema.STEPS) + 1)
    connection.close()
    with pytest.raises(Problem, match="newer program"):
        ledger.create(f"sqlite:{place.ledger.path}")


def test_an_older_ledger_is_brought_up_to_date_in_place(place, monkeypatch):
    place.ledger.commit(plain(1), tried())
    place.ledger.close()
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, "ALTER TABLE deliveries ADD COLUMN note TEXT"))
    for _ in range(2):
        ledger.create(f"sqlite:{place.ledger.path}")
    with apsw.Connection(str(place.ledger.path)) as connection:
        assert connection.execute("SELECT id, note FROM deliveries").fetchall() == [("ID1", None)]
        assert connection.pragma("user_version") == len(schema.STEPS)
    connection.close()


def test_what_is_no_ledger_is_refused(tmp_path):
    (tmp_path / "ledger.db").write_text("a letter, not a database, and long enough to be looked at\n" * 20)
    with pytest.raises(Problem):
        ledger.create(f"sqlite:{tmp_path / 'ledger.db'}")
    for url in ("mysql:x", "sqlite:", "var/ledger.db"):
        with pytest.raises(Problem, match="sqlite:PATH"):
            ledger.create(url)


def test_workers_that_create_it_at_the_same_time_do_not_disturb_each_other(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: ledger.create(f"sqlite:{tmp_path / 'var' / 'ledger.db'}"), range(8)))


@pytest.mark.both_ledgers
def test_an_older_clock_changes_nothing_but_times(place):
    deliver(place, Sent("S1", b"one"))
    with place.stage.open() as staged:
        entry = entry_of(place, staged, Sent("S1", b"two"), 2)._replace(received_at=AT - timedelta(days=1))
        publish.commit(place.ledger, staged, entry)
        publish.publish(place.ledger, staged, entry)
    assert place.ledger.latest("referrals", "S1").version == 2


@pytest.mark.both_ledgers
def test_claims_are_empty_while_nothing_is_on_its_way_and_say_no_more_than_the_rows(place):
    asked = "SELECT target, id FROM claims ORDER BY target"
    claims = lambda: place.ledger._read(lambda connection: connection.execute(asked).fetchall())  # noqa: E731
    with place.stage.open() as staged:
        entry = entry_of(place, staged, SENT, 1)
        publish.commit(place.ledger, staged, entry)
        outputs = place.ledger.find(SENT.id).outputs
        assert claims() == sorted((f"output/{output.path}", SENT.id) for output in outputs)
        publish.publish(place.ledger, staged, entry)
    deliver(place, Sent("S2", keep=True))
    refuse(place, Sent("S3"))
    assert claims() == []
