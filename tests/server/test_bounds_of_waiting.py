"""What waits is bounded together: where there is too much, the slowest makes room."""

import selectors
import socket
import threading
from types import SimpleNamespace

import pytest

from receiver.core import limits
from receiver.server.answer import Outgoing
from receiver.server.pace import Places
from receiver.server.waiting import Answers, Bodies, Lingering


@pytest.fixture
def connections():
    pairs = []

    def connect():
        ours, theirs = socket.socketpair()
        pairs.append((ours, theirs))
        return Connection(ours, theirs.close)

    yield connect
    for ours, theirs in pairs:
        ours.close()
        theirs.close()


class Connection:
    """A connection that is only waited for."""

    def __init__(self, sock, end=None):
        self.sock = sock
        self.end = end  # the sender hangs up
        self.outgoing = Outgoing(sock)


class Ahead:
    """A body of which so many bytes have arrived, and which is awaited until a moment."""

    def __init__(self, size, until):
        self.held = bytearray(size)
        self.over = False
        self.pause = self.until = lambda: until
        self.resume = lambda: None
        self.receive = lambda: True  # at the end of what the sender sends, too
        self.is_enough = lambda: False


def test_the_slowest_of_all_bodies_is_awaited_no_longer_where_they_take_too_much_memory(connections, monkeypatch):
    monkeypatch.setattr(limits, "AHEAD_OF_ALL", 250)
    begun = []
    with selectors.DefaultSelector() as poller:
        bodies = Bodies(poller, begun.append, pytest.fail)
        waiting = [connections() for _ in range(3)]
        for conn, until in zip(waiting, (20, 10, 30), strict=True):
            conn.awaited = SimpleNamespace(ahead=Ahead(100, until))
            bodies.add(conn)
        assert begun == [waiting[1]]
        assert [conn.awaited.ahead.over for conn in waiting] == [False, True, False]


def test_the_oldest_answer_is_given_up_where_they_take_too_much_memory(connections, monkeypatch):
    monkeypatch.setattr(limits, "LEAVING", 250)
    closed = []
    with selectors.DefaultSelector() as poller:
        leaving = Answers(poller, pytest.fail, closed.append)
        waiting = [connections() for _ in range(3)]
        for conn in waiting:
            conn.outgoing.rest = bytes(100)
            leaving.add(conn)
        assert closed == waiting[:1]
        leaving.drop()
        assert closed == waiting[:2]


def test_an_answer_goes_on_where_it_stopped():
    sent, answer = [], bytes(range(256)) * 10_000
    with selectors.DefaultSelector() as poller:
        leaving = Answers(poller, sent.append, pytest.fail)
        ours, theirs = socket.socketpair()
        with ours, theirs:
            conn = Connection(ours)
            conn.outgoing.sendall(answer)
            assert conn.outgoing.rest
            leaving.add(conn)
            received = b""
            while len(received) < len(answer):
                received += theirs.recv(65_536)
                for key, _ in poller.select(0):
                    key.data(key.fileobj)
        assert received == answer
        assert sent == [conn]


def test_the_slowest_body_gives_its_place_in_a_thread_to_who_comes():
    given_up = threading.Event()
    slow, slower, new = Body(pytest.fail), Body(given_up.set), Body(pytest.fail)
    places = Places(2)
    places.take(slow, 20.0)
    places.take(slower, 10.0)
    places.take(new, 30.0)
    assert given_up.is_set()
    places.leave(slower)
    places.leave(slow)
    places.take(slow, 40.0)


class Body:
    def __init__(self, give_up):
        self.give_up = give_up


def test_the_main_loop_does_not_wait_for_who_has_been_answered():
    class Silent:
        def recv(self, _size, flags):
            asked.append(flags)
            raise BlockingIOError

    asked: list[int] = []
    with selectors.DefaultSelector() as poller:
        Lingering(poller, pytest.fail)._go_on(Connection(Silent()))
    assert asked == [socket.MSG_DONTWAIT]
