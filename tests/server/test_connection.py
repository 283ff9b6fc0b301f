"""Whether a small body is there with its head: who is late does not hold up whose delivery is whole."""

import socket
from contextlib import closing

import pytest
from gunicorn.config import Config

from receiver.core import limits
from receiver.server.connection import Connection
from receiver.server.pace import Ending, Places

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n"


@pytest.fixture
def made():
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        yield Connection(Config(), ours, ("127.0.0.1", 1), ("127.0.0.1", 2), ending=Ending(), places=Places(1)), theirs


@pytest.mark.parametrize(
    ("header", "read", "unread", "missing"),
    [
        (b"Content-Length: 10", 4, 3, 3),
        (b"content-length:10", 4, 0, 6),
        (b"Content-Length: \t10 \t", 0, 0, 10),
        (b"Content-Length: 10", 4, 6, 0),
        (b"Content-Length: 10", 10, 0, 0),
        (b"Content-Length: 10", 10, 7, -7),  # the next request
        (b"Content-Length: %d" % limits.AHEAD, 0, 0, limits.AHEAD),
        (b"Content-Length: %d" % (limits.AHEAD + 1), 0, 0, 0),  # a large one is read as it comes
        (b"Transfer-Encoding: chunked", 4, 3, 0),
        (b"X: Content-Length: 10", 0, 0, 0),
    ],
)
def test_what_is_missing_of_a_small_body_is_known_from_its_head(made, header, read, unread, missing):
    conn, theirs = made
    theirs.sendall(b"x" * unread)
    conn.head += HEAD % header + b"x" * read
    assert conn.missing_of_body() == missing
    conn.hand_over()
    assert conn.delivers


def test_what_is_no_delivery_has_no_body_that_is_waited_for(made):
    conn, _ = made
    conn.head += HEAD.replace(b"POST", b"GET") % b"Content-Length: 10"
    assert conn.missing_of_body() == 0
    conn.hand_over()
    assert not conn.delivers


def test_a_length_in_the_body_is_no_header(made):
    conn, _ = made
    conn.head += HEAD % b"X: y" + b"\r\nContent-Length: 10\r\n"
    assert conn.missing_of_body() == 0


def test_requests_are_counted_and_the_one_whose_body_was_awaited_comes_again(made):
    conn, _ = made
    conn.unreader.unread(b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n")
    first = conn.next_request()
    conn.awaited = first
    assert conn.next_request() is first
    second = conn.next_request()
    assert [(each.path, each.req_number) for each in (first, second)] == [("/1", 1), ("/2", 2)]


def test_a_head_is_taken_in_as_it_comes_until_its_sender_ends(made):
    conn, theirs = made
    assert conn.receive_head() is False
    for piece in (b"GET ", b"/"):
        theirs.sendall(piece)
        assert conn.receive_head() is False
    assert conn.head == b"GET /"
    theirs.close()
    assert conn.receive_head() is True
    conn.sock.close()
    assert conn.receive_head() is True
    assert conn.head == b""


def test_a_connection_is_at_rest_while_nothing_is_on_its_way(made):
    conn, _ = made
    assert conn.is_at_rest() is True
    conn.outgoing.rest = b"x"
    assert conn.is_at_rest() is False
    conn.outgoing.rest, conn.awaited = b"", object()
    assert conn.is_at_rest() is False


def test_a_thread_waits_for_the_next_head_and_nobody_else_does(made):
    conn, theirs = made
    assert conn.sock.getblocking()
    assert conn.receive_head() is False
    theirs.sendall(b"GET ")
    assert conn.receive_head(wait=True) is False
    assert conn.head == b"GET "
