"""Connections to PostgreSQL that are cut at every statement of a delivery, and a server that is stopped at once."""

import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from receiver.core.delivery import Status
from receiver.core.problems import Problem
from receiver.store.postgres import hosts, session
from tests.store.test_hosts import sent_until_accepted, taken
from tests.support import postgres as servers
from tests.support.fault_proxy import HOW, Proxy
from tests.support.place import Place, Sent, deliver

MOST = 40  # statements of one delivery
STOPS = 4
PATIENCE = 30  # seconds: a server that is busy misses a session that has ended after a moment


@pytest.fixture
def proxy(postgres):
    made = Proxy(postgres.folder)
    yield made
    made.close()


@pytest.mark.parametrize("how", HOW)
def test_a_connection_cut_at_any_statement_neither_loses_nor_doubles_a_delivery(
    tmp_path, postgres, proxy, monkeypatch, how
):
    monkeypatch.setattr(hosts, "BEAT", 3600)  # its statements are not those of a delivery
    place = Place.at(tmp_path, proxy.url(postgres.new_url()))
    deliver(place, Sent("warm"))
    taken(place)
    answers: Counter[str] = Counter()
    for statement in range(MOST):
        sent = Sent(f"S{statement}")
        proxy.arm(statement, how)
        try:
            answers["duplicate" if deliver(place, sent).duplicate else "published"] += 1
        except Problem as problem:
            answers[problem.code] += 1
        cut = proxy.disarm()
        sent_until_accepted(place, sent)
        assert taken(place) == sorted(sent.files()), statement
        assert place.ledger.find(sent.id).status is Status.PUBLISHED
        if not cut:
            break
    else:
        pytest.fail("a delivery has more statements than that")
    assert statement >= 8
    assert set(answers) <= {"published", "duplicate", "storage-failed"}
    place.recover()
    assert place.staged() == set()
    assert place.ledger.connections.read(lambda connection: connection.execute("SELECT count(*) FROM claims").get) == 0
    place.ledger.close()


def test_a_server_that_is_stopped_at_once_again_and_again_neither_loses_nor_doubles(tmp_path):
    with servers.running() as server:
        place = Place.at(tmp_path, server.new_url())
        done: list[str] = []

        def send(number: int) -> None:
            sent_until_accepted(place, Sent(f"S{number}"))
            done.append(f"S{number}")

        with ThreadPoolExecutor(4) as pool:
            sending = [pool.submit(send, number) for number in range(25 * STOPS)]
            for stop in range(1, STOPS):
                while len(done) < 20 * stop and not all(each.done() for each in sending):
                    time.sleep(0.005)
                server.stop()
                server.start()
            for each in sending:
                each.result()
        assert sorted(done) == sorted(f"S{number}" for number in range(25 * STOPS))
        deadline = time.monotonic() + PATIENCE
        while place.ledger.unfinished() and time.monotonic() < deadline:
            place.recover()  # not what a session still keeps that the server has not missed yet: the next time then
        found = Counter((entry.source_id, entry.version, entry.status) for entry in place.ledger.search(limit=1000))
        assert found == Counter((name, 1, Status.PUBLISHED) for name in done)
        assert place.outputs() == {file for name in done for file in Sent(name).files()}
        place.ledger.close()


@pytest.fixture
def own_server(monkeypatch):
    monkeypatch.setattr(session, "ANSWER", 1.0)
    with servers.running() as server:
        yield server


def test_a_server_that_hangs_is_a_problem_soon_and_well_again_by_itself(tmp_path, own_server):
    place = Place.at(tmp_path, own_server.new_url())
    deliver(place, Sent("S0"))
    own_server.signal(signal.SIGSTOP)
    try:
        started = time.monotonic()
        with pytest.raises(Problem):
            deliver(place, Sent("S1"))
        assert time.monotonic() - started < 30
    finally:
        own_server.signal(signal.SIGCONT)
    sent_until_accepted(place, Sent("S1"))
    assert place.outputs() == {*Sent("S0").files(), *Sent("S1").files()}
    place.ledger.close()


def test_nothing_is_answered_before_a_second_server_has_it_if_one_is_to_have_it(tmp_path, own_server):
    place = Place.at(tmp_path, own_server.new_url())
    own_server.set("synchronous_standby_names = 'nobody'")
    with pytest.raises(Problem):
        deliver(place, Sent("S1"))
    assert place.outputs() == set()
    own_server.set("synchronous_standby_names = ''")
    sent_until_accepted(place, Sent("S1"))
    assert taken(place) == sorted(Sent("S1").files())
    place.ledger.close()
