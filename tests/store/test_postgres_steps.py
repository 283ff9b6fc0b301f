"""What this program asks of PostgreSQL and makes of its answers, step by step, without a server."""

import hashlib
import os
import threading
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from psycopg import errors
from psycopg.pq import TransactionStatus

from receiver.core.delivery import Kind, Output
from receiver.core.problems import Code, Problem
from receiver.store.database import CommitUnknownError, Host
from receiver.store.postgres import connections, hosts, queries, schema, session
from receiver.store.postgres.session import PARAMETERS, Rows, Session
from receiver.store.rows import NO_ROOTS
from tests.store.test_small_parts import AT, ENTRY

LOST = psycopg.OperationalError("lost")
FAILED = Problem(Code.STORAGE_FAILED, "no")


class Connection:
    """One that writes down what it is asked, and fails at one of these."""

    def __init__(self, fails: str = "", error: Exception = LOST, done: str = "COMMIT") -> None:
        self.asked: list[str] = []
        self.fails, self.error, self.done = fails, error, done
        self.broken = False
        self.info = SimpleNamespace(transaction_status=TransactionStatus.IDLE)

    def execute(self, sql: Any, _values: Any = ()) -> Any:
        text = sql.decode() if isinstance(sql, bytes) else sql
        self.asked.append(text)
        if text == self.fails:
            raise self.error
        return SimpleNamespace(statusmessage=self.done, fetchone=lambda: (1, 2), rowcount=3, fetchall=list)


class Pool:
    """A few connections, in turn."""

    def __init__(self, *every: Connection) -> None:
        self.free, self.done = list(every), list[Any]()

    def getconn(self) -> Connection:
        return self.free.pop(0)

    def putconn(self, connection: Connection) -> None:
        self.done.append(connection)

    def check(self) -> None:
        self.done.append("checked")

    def close(self) -> None:
        self.done.append("closed")


def over(*every: Connection) -> tuple[connections.Connections, Pool]:
    """Return the ledger's connections over these."""
    made, pool = connections.Connections("postgresql://db/x", NO_ROOTS), Pool(*every)
    made._opened = (os.getpid(), pool)
    return made, pool


def raising(error: BaseException) -> Any:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


# a transaction ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("durable", [True, False])
def test_an_operation_is_run_between_begin_and_commit_and_waits_for_the_disk_if_it_must(durable):
    connection = Connection()
    made, pool = over(connection)
    assert made.write(lambda each: each.execute("work").get, durable=durable) == 1
    begin = "BEGIN" if durable else "BEGIN; SET LOCAL synchronous_commit = off"
    assert connection.asked == [begin, "work", "COMMIT"]
    assert pool.done == [connection]


def test_what_is_postponed_is_written_at_once_and_durably():
    """Nobody would write again what a stopped server forgets, while the process that owns it lives."""
    connection = Connection()
    made, _ = over(connection)
    made.postpone(lambda each: each.execute("mark"))
    made.flush()
    assert connection.asked == ["BEGIN", "mark", "COMMIT"]


@pytest.mark.parametrize("fails", ["", "ROLLBACK"])
@pytest.mark.parametrize("error", [KeyError(), FAILED, errors.UniqueViolation("Jane Invented")])
def test_an_operation_that_fails_is_rolled_back_and_told_without_the_servers_words(fails, error):
    connection = Connection(fails)
    made, pool = over(connection)
    with pytest.raises(Problem if isinstance(error, psycopg.Error) else type(error)) as told:
        made.write(raising(error))
    assert "Jane" not in str(told.value)
    assert connection.asked == ["BEGIN", "ROLLBACK"]
    assert pool.done == [connection]


@pytest.mark.parametrize(
    ("error", "status", "done", "kind"),
    [
        (errors.DiskFull(), TransactionStatus.IDLE, "COMMIT", Problem),
        (errors.DiskFull(), TransactionStatus.UNKNOWN, "COMMIT", CommitUnknownError),
        (errors.DiskFull(), TransactionStatus.INTRANS, "COMMIT", CommitUnknownError),
        (None, TransactionStatus.IDLE, "ROLLBACK", Problem),
        (None, TransactionStatus.IDLE, "COMMIT", None),
    ],
)
def test_a_commit_is_certain_refused_or_of_nobody_knows_what(error, status, done, kind):
    connection = Connection("COMMIT" if error else "", error, done)
    connection.info.transaction_status = status
    with pytest.raises(kind) if kind else nullcontext() as told:
        connections._commit(connection)
    if kind:
        assert type(told.value) is kind
        assert told.value.code is (Code.DISK_FULL if error else Code.STORAGE_FAILED)


# sessions that are lost -------------------------------------------------------------------------------------------


def test_what_met_a_lost_session_is_done_once_more_on_another():
    lost, other = Connection("work"), Connection()
    lost.broken = True
    made, pool = over(lost, other)
    assert made.read(lambda each: each.execute("work").get) == 1
    assert (lost.asked, other.asked) == (["work"], ["work"])
    assert pool.done == [lost, "checked", other]


def test_what_fails_on_a_session_that_is_there_or_twice_is_told():
    there = Connection("work")
    made, pool = over(there, Connection())
    with pytest.raises(Problem, match="OperationalError"):
        made.read(lambda each: each.execute("work"))
    assert pool.done == [there]
    lost = [Connection("work"), Connection("work")]
    for each in lost:
        each.broken = True
    made, pool = over(*lost)
    with pytest.raises(Problem, match="OperationalError"):
        made.read(lambda each: each.execute("work"))
    assert pool.done == [lost[0], "checked", lost[1]]


@pytest.mark.parametrize("fails", ["", "ROLLBACK"])
def test_a_transaction_that_writes_nothing_is_given_back_however_it_ends(fails):
    connection = Connection(fails)
    made, pool = over(connection)
    with made.transaction() as kept:
        kept.execute("lock")
    assert connection.asked == ["BEGIN", "lock", "ROLLBACK"]
    assert pool.done == [connection]


def refused(made: connections.Connections) -> None:
    with made.session() as kept:
        assert kept.roots is NO_ROOTS
        raise errors.UndefinedTable


def test_a_session_tells_the_roots_and_what_the_server_refuses_in_words():
    made, pool = over(Connection())
    with pytest.raises(Problem, match="the first start creates it"):
        refused(made)
    assert len(pool.done) == 1


@pytest.mark.parametrize("standby", [True, False])
def test_a_server_that_takes_nothing_in_is_no_place_for_a_ledger(standby):
    made, _ = over(Connection())
    made.read = lambda query: query(SimpleNamespace(execute=lambda _: SimpleNamespace(get=standby)))
    with pytest.raises(Problem, match="its server is a standby") if standby else nullcontext():
        made.require_in_place()


def test_a_pool_belongs_to_its_process(monkeypatch):
    opened: list[str] = []
    made, parents = over(Connection())
    assert made._pool() is parents
    monkeypatch.setattr(connections, "_open", lambda url: opened.append(url) or Pool())
    made._opened = (os.getpid() + 1, parents)
    ours = made._pool()
    assert made._pool() is ours is not parents
    assert (opened, made._foreign) == (["postgresql://db/x"], [parents])
    made.close()
    assert (ours.done, made._opened) == (["closed"], None)
    made.close()
    assert made._pool() is not ours, "the next use opens it again"
    made._opened = (os.getpid() + 1, parents)
    made.close()
    assert (parents.done, made._opened) == ([], None), "it is the parent's to close"


def test_sessions_are_opened_when_they_are_needed_and_waited_for_less_than_a_second(monkeypatch):
    monkeypatch.setattr(connections, "ConnectionPool", lambda url, **given: (url, given))
    url, given = connections._open("postgresql://db/x")
    assert (url, given.pop("name")) == ("postgresql://db/x", "ledger")
    assert given == {
        "connection_class": session.Connection,
        "kwargs": {**PARAMETERS, "autocommit": True},
        "configure": session.configure,
        "min_size": 0,
        "max_size": connections.MOST,
        "max_idle": connections.IDLE,
        "timeout": connections.WAIT,
        "reconnect_timeout": connections.RETRY,
        "open": True,
    }


# one session ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (errors.DiskFull, Code.DISK_FULL, "its disk is full"),
        (errors.UndefinedTable, Code.STORAGE_FAILED, "the first start creates it"),
        (errors.UndefinedColumn, Code.STORAGE_FAILED, "upgrade this host too"),
        (errors.ReadOnlySqlTransaction, Code.STORAGE_FAILED, "its server is a standby"),
        (errors.UniqueViolation, Code.STORAGE_FAILED, "(UniqueViolation)"),
    ],
)
def test_a_refusal_of_the_server_is_told_in_our_own_words(error, code, words):
    with pytest.raises(Problem) as told, session.ledger_errors():
        raise error("Jane Invented")
    assert told.value.code is code
    assert words in told.value.detail
    assert "Jane" not in told.value.detail
    assert told.value.__suppress_context__
    with pytest.raises(KeyError), session.ledger_errors():
        raise KeyError


def test_what_a_statement_returned_is_told():
    found = Rows(Connection().execute("x"))
    assert (found.get, found.changed, found.fetchall()) == (1, 3, [])
    assert Rows(SimpleNamespace(fetchone=lambda: None)).get is None
    assert list(Rows([(1,), (2,)])) == [(1,), (2,)]


def test_a_statement_of_both_databases_is_told_as_psycopg_has_it():
    assert session._own_sql("a LIKE 'x%' AND b = ?") == b"a LIKE 'x%%' AND b = %s"


@pytest.mark.parametrize("timeout", [None, 3.0])
def test_a_server_that_does_not_answer_in_time_is_given_up(monkeypatch, timeout):
    asked: list[Any] = []
    ended: list[str] = []

    def wait(_self: Any, gen: Any, interval: float, limit: float) -> None:
        asked.append((gen, interval, limit))
        raise errors._WaitTimeout

    monkeypatch.setattr(psycopg.Connection, "wait", wait)
    monkeypatch.setattr(psycopg.Connection, "__del__", lambda _: None)
    connection = session.Connection.__new__(session.Connection)
    connection.pgconn = SimpleNamespace(finish=lambda: ended.append("finished"))
    with pytest.raises(errors._WaitTimeout):
        connection.wait("generator", timeout=timeout)
    assert asked == [("generator", session.LOOK, session.ANSWER if timeout is None else timeout)]
    assert ended == ["finished"]


@pytest.mark.parametrize(("encoding", "refused"), [("UTF8", False), ("LATIN1", True), ("", True)])
def test_a_database_is_in_one_encoding(encoding, refused):
    connection = SimpleNamespace(info=SimpleNamespace(parameter_status={"server_encoding": encoding}.get))
    with pytest.raises(Problem, match=f"encoded in {encoding}") if refused else nullcontext():
        schema._require_utf8(connection)


class Server:
    """A connection to a database whose tables are of some version, or not there."""

    def __init__(self, known: int | None) -> None:
        self.known, self.done = known, list[Any]()
        self.info = SimpleNamespace(parameter_status=lambda _: "UTF8")

    def execute(self, sql: Any, values: Any = ()) -> Any:
        self.done.append((" ".join((sql.decode() if isinstance(sql, bytes) else sql).split()[:2]), *values))
        return SimpleNamespace(fetchone=lambda: (self.known,))

    @contextmanager
    def transaction(self):
        self.done.append("begin")
        yield
        self.done.append("end")

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        self.done.append("closed")


@pytest.fixture
def three_steps(monkeypatch):
    monkeypatch.setattr(schema, "STEPS", ("step 1", "step 2", "step 3"))
    monkeypatch.setattr(schema, "RELATIVE", 2)
    monkeypatch.setattr(schema.rows, "make_relative", lambda made: made.execute(f"relative {made.roots}"))


BEFORE_STEPS = [
    "begin",
    ("SET LOCAL",),
    ("SELECT pg_advisory_xact_lock(%s)", schema.LOCK),
    ("SELECT set_config('lock_timeout',", schema.PATIENCE),
    ("CREATE TABLE",),
    ("SELECT max(number)",),
]


@pytest.mark.parametrize("known", [None, 0, 1, 2, 3])
def test_the_steps_that_are_missing_are_taken_in_one_transaction_and_noted(monkeypatch, three_steps, known):
    server = Server(known)
    monkeypatch.setattr(schema, "connect", lambda _: server)
    schema.create("postgresql://db/x", "roots")
    steps = [("step 1",), ("step 2",), ("relative roots",), ("step 3",)][[0, 1, 3, 4][known or 0] :]
    noted = [("DELETE FROM",), ("INSERT INTO", 3)] if steps else []
    assert server.done == [*BEFORE_STEPS, *steps, *noted, "end", "closed"]


def test_a_ledger_of_a_newer_program_is_left_as_it_is(monkeypatch, three_steps):
    server = Server(4)
    monkeypatch.setattr(schema, "connect", lambda _: server)
    with pytest.raises(Problem, match="has schema version 4, and this program knows none above 3"):
        schema.create("postgresql://db/x")
    assert server.done == [*BEFORE_STEPS, "closed"]


def test_what_the_server_refuses_and_another_encoding_are_told_before_a_table_is_made(monkeypatch):
    server = Server(None)
    monkeypatch.setattr(schema, "connect", lambda _: server)
    server.info = SimpleNamespace(parameter_status=lambda _: "LATIN1")
    with pytest.raises(Problem, match="encoded in LATIN1"):
        schema.create("postgresql://db/x")
    assert ("CREATE TABLE",) not in server.done
    monkeypatch.setattr(schema, "connect", raising(errors.DiskFull("secret")))
    with pytest.raises(Problem, match="its disk is full"):
        schema.create("postgresql://db/x")


def test_each_setting_is_made_and_a_commit_waits_for_the_disk():
    done: list[Any] = []
    session.configure(SimpleNamespace(execute=lambda sql, values=None: done.append(values or sql)))
    assert done[:-1] == list(session.SETTINGS.items())
    assert done[-1].startswith("SELECT set_config('synchronous_commit', 'on', false)")


def test_what_the_server_answers_in_time_is_returned_and_many_rows_are_one_statement(monkeypatch):
    monkeypatch.setattr(psycopg.Connection, "wait", lambda *_: "answer")
    monkeypatch.setattr(psycopg.Connection, "__del__", lambda _: None)
    assert session.Connection.__new__(session.Connection).wait("generator") == "answer"
    done: list[Any] = []
    cursor = SimpleNamespace(executemany=lambda *given: done.append(given))
    Session(SimpleNamespace(cursor=lambda: nullcontext(cursor)), NO_ROOTS).executemany("INSERT ?", [(1,), (2,)])
    assert done == [(b"INSERT %s", [(1,), (2,)])]


# locks ------------------------------------------------------------------------------------------------------------


class Asked:
    """A session that writes down what it is asked."""

    roots = NO_ROOTS

    def __init__(self, living: bool = True) -> None:
        self.seen, self.living = list[Any](), living

    def execute(self, sql: str, values: Any = ()) -> Any:
        self.seen.append((sql, values))
        return SimpleNamespace(fetchall=list, get=self.living)


def number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


def test_the_number_of_a_lock_is_one_that_the_server_takes():
    assert {queries.key(name) for name in ("a", "b\udc80")} == {
        number("a"),
        int.from_bytes(hashlib.sha256(b"b\xed\xb2\x80").digest()[:8], "big", signed=True),
    }


def test_a_delivery_its_source_and_its_names_are_locked_in_one_order_and_folders_are_shared():
    outputs = tuple(Output(Kind.RECORD, "s", "p", f"/out/{name}", 1, "") for name in ("x/a", "x", "b"))
    asked = Asked()
    queries.lock(asked, ENTRY._replace(outputs=outputs, output="/out", stage=""))
    ((_, (numbers, shared)),) = asked.seen
    names = [f"id {ENTRY.id}", f"source {ENTRY.process} {ENTRY.source_id}"]
    assert numbers == [*map(number, names), *sorted(map(number, ("/out/x/a", "/out/x", "/out/b")))]
    assert shared == [False] * 5, "a folder that is a file's name as well is shared with nobody"
    asked = Asked()
    queries.lock(asked, ENTRY._replace(outputs=outputs[:1], output="/out", stage=""))
    ((_, (numbers, shared)),) = asked.seen
    assert dict(zip(numbers[2:], shared[2:], strict=True)) == {number("/out/x/a"): False, number("/out/x"): True}
    assert shared[:2] == [False, False]


@pytest.mark.parametrize(("living", "stage"), [(True, "/data/stage/4f/a"), (False, "/data/stage/4f/a"), (False, "")])
def test_who_was_given_up_locks_nothing_that_has_a_folder(living, stage):
    asked = Asked(living)
    refused = stage and not living
    with pytest.raises(Problem, match="given this one up") if refused else nullcontext():
        queries.lock_kept(asked, ENTRY._replace(outputs=(), stage=stage))
    assert asked.seen[0] == (f"SET LOCAL lock_timeout = '{queries.MOVED}'", ())
    assert [values for _, values in asked.seen[2:]] == ([("4f",)] if stage else [])


# hosts ------------------------------------------------------------------------------------------------------------


class Ledger:
    """Connections that write down what is written, and answer what they are told to."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.seen = list(answers), list[Any]()

    def write(self, operation: Any, *, durable: bool = True) -> Any:
        answer = self.answers.pop(0) if self.answers else 1
        if isinstance(answer, Exception):
            raise answer
        told = SimpleNamespace(changed=answer, get=answer)
        return operation(
            SimpleNamespace(execute=lambda sql, values: self.seen.append((sql.split()[0], values, durable)) or told)
        )


class Ended:
    """An event that comes after some beats."""

    def __init__(self, beats: int) -> None:
        self.beats, self.waited = beats, list[float]()

    def wait(self, seconds: float) -> bool:
        self.waited.append(seconds)
        return len(self.waited) > self.beats


def test_a_process_gives_signs_of_life_until_it_ends_even_if_the_server_is_away_for_some():
    ledger, ended, given_up = Ledger(1, FAILED, 1), Ended(3), threading.Event()
    hosts._beat(ledger, "4f", ended, given_up)
    assert ended.waited == [hosts.BEAT] * 4
    assert ledger.seen == [("UPDATE", ("4f",), False)] * 2
    assert not given_up.is_set()


def test_a_process_whose_row_is_gone_knows_that_it_was_given_up():
    ledger, ended, given_up = Ledger(1, 0), Ended(9), threading.Event()
    hosts._beat(ledger, "4f", ended, given_up)
    assert given_up.is_set()
    assert len(ended.waited) == 2


@pytest.mark.parametrize("ours", [True, False])
def test_a_process_that_ends_takes_its_row_with_it_and_no_fork_does(ours):
    ledger, ended = Ledger(), threading.Event()
    hosts._leave(ledger, "4f", os.getpid() + (not ours), ended)
    assert ended.is_set() is ours
    assert ledger.seen == ([("DELETE", ("4f",), True)] if ours else [])
    hosts._leave(Ledger(FAILED), "4f", os.getpid(), ended)


@pytest.fixture
def started(monkeypatch) -> list[Any]:
    """The threads that would be started."""
    threads: list[Any] = []
    fake = lambda **given: SimpleNamespace(start=lambda: threads.append(given))  # noqa: E731
    monkeypatch.setattr(hosts.threading, "Thread", fake)
    return threads


def test_an_incarnation_has_a_row_and_a_heartbeat_until_it_is_given_up_or_left(started, monkeypatch):
    ledger = Ledger()
    made = hosts.Hosts(ledger)
    name = made.incarnation()
    assert made.incarnation() == name
    ((word, row, durable),) = ledger.seen
    assert (word, row[0], row[2], row[4], durable) == ("INSERT", name, os.getpid(), "", True)
    (thread,) = started
    assert (thread["target"], thread["daemon"], thread["name"]) == (hosts._beat, True, "heartbeat")
    assert thread["args"][:2] == (ledger, name)
    thread["args"][3].set()
    following = made.incarnation()
    assert following != name
    monkeypatch.setattr(hosts.os, "getpid", lambda: row[2] + 1)
    assert made.incarnation() != following, "a fork is a process of its own"
    ledger.seen.clear()
    made.leave()
    made.leave()
    assert [word for word, *_ in ledger.seen] == ["DELETE"]


def test_who_leaves_does_so_at_once_and_threads_join_once(started, monkeypatch):
    ledger = Ledger()
    made = hosts.Hosts(ledger)
    join = hosts._Incarnation
    monkeypatch.setattr(hosts, "_Incarnation", lambda *given: made._joining.locked() and join(*given))
    made.incarnation()
    ours = made._incarnation
    made.leave()
    assert [word for word, *_ in ledger.seen] == ["INSERT", "DELETE"]
    assert ours.name


def test_the_others_are_listed_as_the_ledger_has_them():
    row = ("4f", "a.example", 7, "1.0", "c0ffee", AT, AT, 0.5)
    session_ = SimpleNamespace(execute=lambda _: [row])
    assert hosts.Hosts(SimpleNamespace(read=lambda query: query(session_))).listed() == [Host(*row)]


def test_a_fork_leaves_the_row_of_its_parent(started, monkeypatch):
    ledger = Ledger()
    made = hosts.Hosts(ledger)
    made.incarnation()
    ours, pid = made._incarnation, os.getpid()
    monkeypatch.setattr(hosts.os, "getpid", lambda: pid + 1)
    made.leave()
    assert [word for word, *_ in ledger.seen] == ["INSERT"]
    monkeypatch.undo()
    ours.leave()


def test_the_others_are_told_what_a_process_serves_and_nobody_waits_for_that(started):
    ledger = Ledger()
    made = hosts.Hosts(ledger)
    made.serve("c0ffee")
    assert ledger.seen[1:] == [("UPDATE", ("c0ffee", made.incarnation()), False)]
    made._incarnation.given_up.set()
    made.incarnation()
    assert [row[4] for word, row, _ in ledger.seen if word == "INSERT"] == ["c0ffee"] * 2
    made.leave()


def test_silent_ones_are_given_up_for_good_and_counted():
    ledger = Ledger(2)
    assert hosts.Hosts(ledger).give_up_silent() == 2
    assert ledger.seen == [("DELETE", (hosts.SILENT, hosts.SILENT), True)]


@pytest.mark.parametrize("there", [True, False])
def test_whether_a_process_lives_is_asked_after_silent_ones_were_given_up(monkeypatch, there):
    asked: list[str] = []
    made = hosts.Hosts(SimpleNamespace(read=lambda _: asked.append("read") or int(there)))
    monkeypatch.setattr(made, "give_up_silent", lambda: asked.append("given up"))
    assert made.lives("4f") is there
    assert asked == ["given up", "read"]


@pytest.mark.parametrize("mine", [True, False])
def test_a_task_is_given_back_by_the_one_who_has_it(mine):
    asked: list[Any] = []

    @contextmanager
    def kept():
        yield SimpleNamespace(
            execute=lambda sql, values: asked.append((sql.partition("(")[0], values)) or SimpleNamespace(get=mine)
        )

    with hosts.Hosts(SimpleNamespace(session=kept)).once("housekeeping") as had:
        assert had is mine
        assert len(asked) == 1
    lock = (number("task housekeeping"),)
    given_back = [("SELECT pg_advisory_unlock", lock)] if mine else []
    assert asked == [("SELECT pg_try_advisory_lock", lock), *given_back]


def test_a_session_of_ours_has_its_settings(monkeypatch):
    done: list[Any] = []
    monkeypatch.setattr(session, "configure", lambda each: done.append("configured"))
    connection = SimpleNamespace(execute=done.append)
    monkeypatch.setattr(
        psycopg.Connection, "connect", lambda url, **given: done.append((url, given)) or connection, raising=False
    )
    assert session.connect("postgresql://db/x") is connection
    assert done == [
        ("postgresql://db/x", {**PARAMETERS, "autocommit": True}),
        "configured",
        "SET statement_timeout = 0",
    ]
    assert isinstance(Session(connection, NO_ROOTS).roots, type(NO_ROOTS))
