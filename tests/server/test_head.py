"""A head's lines are read by one expression as gunicorn reads them one by one, and refused alike."""

import types

import pytest
from gunicorn.config import Config
from gunicorn.http import message
from gunicorn.http.body import ChunkedReader, LengthReader
from gunicorn.http.errors import ParseException
from gunicorn.http.unreader import IterUnreader
from hypothesis import given
from hypothesis import strategies as st

from receiver.server.request import Request, Unreader

PROXY = ("127.0.0.1", 1)  # whom gunicorn believes unless it is told otherwise
STRANGER = ("192.0.2.1", 1)
CONFIG = Config()
CONFIG.set("limit_request_fields", 4)
CONFIG.set("limit_request_field_size", 60)
LINES = (
    b"Host: x",
    b"host:y",
    b"Content-Type: text/plain; a=b",
    b"X-Odd \t:1",
    b" folded",
    b"X-Empty:",
    b"X-Blank: \t a b \t ",
    b"X-Latin: \xe4\xff",
    b"X-Colons: a:b::c",
    b"X-Control: a\x00b",
    b"X-Tab: a\tb",
    b"X-Delete: \x7f",
    b"X-LF: a\nX-More: b",
    b"X-CR: a\rb",
    b"X_Under: 1",
    b"Script_Name: /a",
    b"X-Forwarded-Proto: https",
    b"X-Forwarded-Proto: http",
    b"X-Forwarded-Ssl: on",
    b"Expect: 100-Continue",
    b"Expect: much",
    b"!#$%&'*+-.^_`|~: token",
    b"N\xe4me: 1",
    b": nameless",
    b"none",
    b"",
    b"X-Long: " + b"x" * 50,
    b"X-Longer: " + b"x" * 50,
)


def read(kind: type[message.Request], lines: bytes, peer: tuple[str, int], *, from_trailer: bool) -> object:
    """Return what is read of lines, or how they are refused."""
    request = kind.__new__(kind)
    unreader = IterUnreader([])
    unreader.sock = types.SimpleNamespace(trusted=None)
    request.__dict__.update(cfg=CONFIG, peer_addr=peer, unreader=unreader, version=(1, 1), scheme="http")
    request.__dict__.update(limit_request_fields=4, limit_request_field_size=60)
    try:
        headers = request.parse_headers(lines, from_trailer=from_trailer)
    except ParseException as refusal:
        return type(refusal), str(refusal)
    return headers, request.scheme, request._expected_100_continue


@given(st.lists(st.sampled_from(LINES), max_size=6), st.sampled_from([PROXY, STRANGER]), st.booleans())
def test_lines_are_read_and_refused_as_gunicorn_does(lines, peer, from_trailer):
    ours, theirs = (
        read(kind, b"\r\n".join(lines), peer, from_trailer=from_trailer) for kind in (Request, message.Request)
    )
    assert ours == theirs


@pytest.mark.parametrize("peer", [PROXY, STRANGER])
@pytest.mark.parametrize("second", [b"A: b", b"Host: x", b"X-Forwarded-Proto: http", b"X-Forwarded-Proto: https"])
@pytest.mark.parametrize("first", LINES)
def test_two_lines_are_read_and_refused_as_gunicorn_does(first, second, peer):
    ours, theirs = (
        read(kind, first + b"\r\n" + second, peer, from_trailer=False) for kind in (Request, message.Request)
    )
    assert ours == theirs


@given(st.binary(max_size=70))
def test_any_bytes_are_read_and_refused_as_gunicorn_does(lines):
    assert read(Request, lines, PROXY, from_trailer=False) == read(message.Request, lines, PROXY, from_trailer=False)


@pytest.mark.parametrize("size", [60, 61])
def test_a_line_may_be_as_long_as_the_limit(size):
    line = b"X: " + b"x" * (size - 5)
    ours, theirs = (read(kind, line, PROXY, from_trailer=False) for kind in (Request, message.Request))
    assert ours == theirs
    assert isinstance(ours[0], list) == (size == 60)


@pytest.mark.parametrize("count", [4, 5])
def test_there_may_be_as_many_lines_as_the_limit(count):
    lines = b"\r\n".join([b"A: b"] * count)
    ours, theirs = (read(kind, lines, PROXY, from_trailer=False) for kind in (Request, message.Request))
    assert ours == theirs
    assert isinstance(ours[0], list) == (count == 4)


def test_plain_lines_are_read_without_gunicorn(monkeypatch):
    monkeypatch.setattr(message.Message, "parse_headers", None)
    lines = b"\r\n".join([b"Host: x", b"X-Blank: \t a b \t ", b"X_Under: 1", b"X-Empty:" + b" " * 10])
    assert (len(lines) + 2, lines.count(b"\n") + 1) == (60, 4)  # as much as may be
    assert read(Request, lines, STRANGER, from_trailer=False) == (
        [("HOST", "x"), ("X-BLANK", "a b"), ("X-EMPTY", "")],
        "http",
        False,
    )


def request(head: bytes) -> Request:
    unreader = IterUnreader([head + b"\r\n\r\n"])
    unreader.sock = types.SimpleNamespace(trusted=False, begin=lambda **_: None)
    return Request(Config(), unreader, STRANGER)


@pytest.mark.parametrize(
    ("head", "closes"),
    [
        (b"GET / HTTP/1.1\r\nHost: x", False),
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close", True),
        (b"GET / HTTP/1.0", True),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive", False),
        (b"CONNECT x:1 HTTP/1.1\r\nHost: x:1", True),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0", False),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1", True),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked", True),
    ],
)
def test_a_connection_ends_with_a_request_that_asks_for_it_or_whose_body_is_unread(head, closes):
    assert request(head).should_close() is closes


def test_a_body_that_was_read_lets_its_connection_go_on():
    for reader in (LengthReader(None, 0), ended := ChunkedReader(None, None)):
        ended.parser = None
        kept = request(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1")
        kept.body.reader = reader
        assert not kept.should_close()


def test_bytes_are_put_back_before_those_that_are_there():
    unreader = Unreader(None)
    assert unreader.take_buffered() == b""
    unreader.unread(whole := b"second")
    assert unreader.buf.getvalue() is whole
    unreader.unread(b"first, ")
    assert (unreader.read(), unreader.take_buffered()) == (b"first, second", b"")
