"""The ledger on PostgreSQL, where it differs: sessions that are lost, servers that stop, locks, versions."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest

from receiver.core import settings
from receiver.core.problems import Problem
from receiver.store import database, ledger
from receiver.store.database import CommitUnknownError
from receiver.store.postgres import connections, queries, schema, session
from tests.store.test_ledger import plain, tried
from tests.support import postgres as servers
from tests.support.place import AT, Place, Sent, deliver

END_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'receiver'"
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture
def url(postgres) -> str:
    return postgres.new_url()


@pytest.fixture
def place(tmp_path, url):
    made = Place.at(tmp_path, url)
    made.url = url
    yield made
    made.ledger.close()


def asked(url: str, query: str) -> list[tuple]:
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(query)
        return found.fetchall() if found.description else []


def test_without_its_modules_the_url_is_refused_with_the_command_that_installs_them(monkeypatch):
    for module in (database, settings):
        monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(Problem, match=r"pip install 'receiver\[postgres\]'"):
        ledger.Ledger("postgresql://db.example.org/receiver")
    with pytest.raises(settings.SettingsError, match=r"pip install 'receiver\[postgres\]'"):
        settings.Settings.from_environment({"RECEIVER_LEDGER": "postgresql://db.example.org/receiver"})


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("postgresql://receiver:s3cret@db/x", "postgresql://receiver@db/x"),
        ("postgresql://db/x?user=r&password=s3cret", "postgresql://db/x?user=r&"),
        ("postgresql://receiver:a/b@c@db/x", "postgresql://receiver@db/x"),
        ("postgresql://db/x", "postgresql://db/x"),
    ],
)
def test_settings_show_no_password(written, shown):
    lines = {line.variable: line.value for line in settings.describe({"RECEIVER_LEDGER": written})}
    assert lines["RECEIVER_LEDGER"] == shown


def test_a_step_may_take_longer_than_a_question(url, monkeypatch):
    ledger.create(url)
    monkeypatch.setattr(session, "ANSWER", 0.1)
    monkeypatch.setitem(session.SETTINGS, "statement_timeout", "100ms")
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, "SELECT pg_sleep(0.5)"))
    ledger.create(url)
    assert asked(url, "SELECT number FROM ledger_version") == [(len(schema.STEPS),)]


def test_who_comes_second_waits_until_the_tables_are_brought_up_to_date(url, monkeypatch):
    ledger.create(url)
    monkeypatch.setitem(session.SETTINGS, "lock_timeout", "50ms")
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, "SELECT pg_sleep(0.5); CREATE TABLE added (id INTEGER)"))
    with ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(ledger.create, url) for _ in range(2)]:
            each.result()
    assert asked(url, "SELECT count(*) FROM added") == [(0,)]


def test_who_knows_an_older_meaning_is_refused_whole_and_told_what_to_do(place):
    asked(place.url, "ALTER TABLE deliveries RENAME COLUMN status TO state")
    with pytest.raises(Problem, match="a newer release has changed the ledger's tables: upgrade this host too"):
        deliver(place, Sent("S1"))
    assert place.outputs() == set()
    asked(place.url, "ALTER TABLE deliveries RENAME COLUMN state TO status")
    assert not deliver(place, Sent("S1")).duplicate


def test_a_ledger_of_a_newer_program_is_refused(url):
    ledger.create(url)
    asked(url, f"UPDATE ledger_version SET number = {len(schema.STEPS) + 1}")
    with pytest.raises(Problem, match="newer program"):
        ledger.create(url)


def test_an_older_ledger_is_brought_up_to_date_in_place(place, monkeypatch):
    place.ledger.commit(plain(1), tried())
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, "ALTER TABLE deliveries ADD COLUMN remark TEXT"))
    for _ in range(2):
        ledger.create(place.url)
    assert asked(place.url, "SELECT id, remark FROM deliveries") == [("ID1", None)]
    assert asked(place.url, "SELECT number FROM ledger_version") == [(len(schema.STEPS),)]


def test_hosts_that_create_it_at_the_same_time_do_not_disturb_each_other(url):
    threads = [threading.Thread(target=ledger.create, args=(url,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked(url, "SELECT number FROM ledger_version") == [(len(schema.STEPS),)]


def test_a_database_in_another_encoding_is_refused(postgres):
    asked(postgres.url(), "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(Problem, match="encoded in LATIN1"):
        ledger.create(postgres.url("latin"))


def test_before_the_first_start_there_is_no_ledger(url):
    opened = ledger.Ledger(url)
    with pytest.raises(Problem, match="the first start creates it"):
        opened.search()
    opened.close()


def test_sessions_that_the_server_ended_cost_nobody_an_answer(place):
    """As after a restart of the server, or where a proxy closes what is idle."""
    deliver(place, Sent("S0"))
    for number in range(1, 4):
        asked(place.url, END_SESSIONS)
        assert not deliver(place, Sent(f"S{number}")).duplicate
        assert place.ledger.find(Sent(f"S{number}").id) is not None


def test_a_server_that_is_stopped_is_a_problem_soon_and_well_again_by_itself(tmp_path):
    with servers.running() as server:
        place = Place.at(tmp_path, server.new_url())
        deliver(place, Sent("S1"))
        server.stop()
        started = time.monotonic()
        with pytest.raises(Problem):
            deliver(place, Sent("S2"))
        assert time.monotonic() - started < 20
        server.start()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                assert not deliver(place, Sent("S3")).duplicate
                break
            except Problem:
                time.sleep(0.05)
        assert place.ledger.find(Sent("S1").id) is not None
        assert place.ledger.find(Sent("S3").id) is not None
        place.ledger.close()


def test_a_lock_that_somebody_holds_is_waited_for_and_no_longer(place):
    with psycopg.connect(place.url) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", (queries.key("id ID1"),))
        with pytest.raises(Problem, match="LockNotAvailable"):
            place.ledger.commit(plain(1), tried())
        place.ledger.commit(plain(2), tried())
    place.ledger.commit(plain(1), tried())


def test_a_commit_whose_answer_is_lost_is_settled_by_looking_for_its_row(place, monkeypatch):
    commit = connections._commit
    lost = []

    def committed_without_an_answer(*arguments):
        commit(*arguments)
        if not lost:
            lost.append(True)
            raise CommitUnknownError("storage-failed", "no answer")

    monkeypatch.setattr(connections, "_commit", committed_without_an_answer)
    receipt = deliver(place, Sent("S1"))
    assert lost
    assert not receipt.duplicate
    assert place.outputs() == set(Sent("S1").files())


def test_a_forked_child_opens_its_own_sessions(place):
    place.ledger.commit(plain(1), tried())
    child = os.fork()
    if child == 0:
        try:
            place.ledger.commit(plain(2), tried())
            os._exit(0 if place.ledger.connections._opened[0] == os.getpid() and place.ledger.find("ID1") else 1)
        except BaseException:  # noqa: BLE001 (a fork must never return into the test)
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    place.ledger.commit(plain(3), tried())
    assert len(place.ledger.search()) == 3


def test_texts_are_ordered_byte_by_byte_whatever_the_database_says(place):
    for number, name in enumerate(("b", "a", "B", "Ä")):
        place.ledger.commit(plain(number, id=name, received_at=AT + timedelta(hours=number)), tried())
    assert [entry.id for entry in place.ledger.starting("", 9)] == ["B", "a", "b", "Ä"]


def test_a_mark_does_not_wait_for_the_disk_and_a_row_does_whatever_the_server_says(place, postgres):
    seen = place.ledger.connections
    asked(place.url, "ALTER ROLE postgres SET synchronous_commit = off")
    try:
        seen.close()
        assert seen.write(lambda session: session.execute("SHOW synchronous_commit").get) == "on"
        unsynced = seen.write(lambda session: session.execute("SHOW synchronous_commit").get, durable=False)
        assert unsynced == "off"
    finally:
        asked(place.url, "ALTER ROLE postgres RESET synchronous_commit")
