"""The end of a chunked body is found where its reader finds it, however it is cut; what is cut off is not read."""

import math
import socket
from contextlib import closing

import pytest
from gunicorn.http.body import ChunkedReader, LengthReader
from gunicorn.http.errors import ParseException
from gunicorn.http.unreader import IterUnreader, SocketUnreader
from hypothesis import given
from hypothesis import strategies as st

from receiver.core import limits
from receiver.core.problems import Code, Problem
from receiver.server.answer import Outgoing
from receiver.server.pace import Ending, PacedSocket, Places
from receiver.server.request import RECEIVED, Ahead, Chunks

WHOLE = b"5\r\nhello\r\n1;name=value\r\n\n\r\n0\r\nTrailer: x\r\n\r\n"


def arrived(content: bytes) -> int | None:
    """Return after how many bytes a body is taken for whole or malformed; None where never."""
    chunks = Chunks()
    held = bytearray()
    for byte in content:
        held.append(byte)
        if chunks.have_ended(held):
            return len(held)
    return None


class Request:
    limit_request_field_size = 8190
    max_buffer_headers = 65_536

    def parse_headers(self, data, from_trailer=False):
        return []


class ExhaustedError(Exception):
    """The reader asks for more than has arrived."""


def byte_by_byte(content: bytes):
    for byte in content:
        yield bytes([byte])
    raise ExhaustedError


def read(content: bytes) -> str:
    """Return what its reader says of a body."""
    try:
        reader = ChunkedReader(Request(), IterUnreader(byte_by_byte(content)))
        while reader.read(10):
            pass
    except ExhaustedError:
        return "more"
    except (ParseException, OSError):
        return "malformed"
    return "whole"


def test_what_has_arrived_stays_so():
    chunks = Chunks()
    assert [chunks.have_ended(bytearray(WHOLE)) for _ in range(2)] == [True, True]


@pytest.mark.parametrize("more", [b"", b"POST / HTTP/1.1\r\n\r\n"])
def test_a_whole_body_has_arrived_with_its_last_byte(more):
    assert arrived(WHOLE + more) == len(WHOLE)
    assert arrived(b"0\r\n\r\n" + more) == 5


@pytest.mark.parametrize(
    "content",
    [
        b"-5\r\n",
        b"x\r\n",
        b"\r\n",
        b"0x5\r\n",
        b"1_0\r\n",
        b"+5\r\n",
        b"5;x\n\r\n",
        b"5\r\nhellohello",
        b"0\r\nA: b\nC: d\r\n",
    ],
)
def test_what_is_malformed_is_not_waited_for(content):
    assert arrived(content) is not None
    assert read(content) == "malformed"


def test_a_size_or_trailers_that_never_end_are_not_collected():
    assert arrived(b"5;" + b"x" * 9_000) == 8_191
    assert arrived(b"0\r\n" + b"x" * 70_000) is not None


@given(
    st.lists(
        st.sampled_from([b"5\r\nhello\r\n", b"0\r\n", b"\r\n", b"\n", b"a", b"A: b", b"1", b";x", b"\r"]), max_size=8
    )
)
def test_nobody_waits_where_the_reader_would_not(pieces):
    """Whatever the reader can judge as it stands is handed to it; the other way round, it waits a little longer."""
    content = b"".join(pieces)
    assert read(content) == "more" or arrived(content) is not None


@pytest.fixture
def sender():
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        yield ours, theirs


def ahead_of(ours: socket.socket, length: int | None) -> Ahead:
    unreader = SocketUnreader(PacedSocket(ours, Outgoing(ours), Ending(), Places(1)))
    return Ahead(unreader, None if length is None else LengthReader(unreader, length))


def test_a_whole_body_is_read_though_its_sender_ends(sender):
    ours, theirs = sender
    theirs.sendall(b"x" * 10)
    theirs.shutdown(socket.SHUT_WR)
    ahead = ahead_of(ours, 10)
    assert ahead.arrives(0)
    assert (ahead.cut_off, ahead._unreader.read()) == (False, b"x" * 10)


def test_what_came_with_the_head_is_where_the_body_begins_and_what_follows_it_stays(sender):
    ours, theirs = sender
    theirs.sendall(b"goes on, and another request")
    ahead = ahead_of(ours, len(b"begins, goes on"))
    ahead._unreader.unread(b"begins, ")
    assert ahead.arrives(0)
    assert ahead._unreader.read() == b"begins, goes on"


def test_of_a_large_body_only_the_beginning_is_collected(sender, monkeypatch):
    monkeypatch.setattr(limits, "AHEAD", 10)
    ours, theirs = sender
    theirs.sendall(b"x" * 20)
    ahead = ahead_of(ours, 30)
    assert ahead.arrives(0)
    assert ahead._unreader.read() == b"x" * 10


def test_of_a_body_of_no_known_length_as_much_is_asked_for_as_may_be_on_its_way(sender):
    ahead = ahead_of(sender[0], None)
    asked: list[int] = []
    ahead._paced.receive = asked.append
    assert not ahead.receive()
    assert asked == [RECEIVED]


def test_a_chunked_body_is_whole_once_its_last_chunk_is_there(sender):
    ours, theirs = sender
    ahead = ahead_of(ours, None)
    theirs.sendall(b"1\r\nx\r\n")
    assert not ahead.arrives(0)
    theirs.sendall(b"0\r\n\r\n")
    assert ahead.arrives(0)
    assert ahead._unreader.read() == b"1\r\nx\r\n0\r\n\r\n"


def test_a_body_is_awaited_while_its_sender_may_go_on(sender):
    ours, theirs = sender
    theirs.sendall(b"x" * 9)
    ahead = ahead_of(ours, 10)
    assert (ahead.arrives(0), ahead.cut_off) == (False, False)


@pytest.mark.parametrize("goes", [lambda theirs: theirs.shutdown(socket.SHUT_WR), socket.socket.close])
def test_a_body_that_is_cut_off_is_refused_unread_and_says_how_far_it_came(sender, goes):
    ours, theirs = sender
    theirs.sendall(b"x" * 1_200)
    goes(theirs)
    ahead = ahead_of(ours, 1_201)
    with pytest.raises(Problem, match=r"1,200 bytes of it had come") as refusal:
        ahead.arrives(math.inf)
    assert (refusal.value.code, ahead.cut_off) == (Code.TRUNCATED_BODY, True)


def test_a_body_whose_connection_is_reset_is_refused_too(sender):
    ours, _ = sender
    ahead = ahead_of(ours, 10)
    ahead._paced.receive = reset
    with pytest.raises(Problem, match="0 bytes") as refusal:
        ahead.arrives(math.inf)
    assert (refusal.value.code, ahead.cut_off) == (Code.TRUNCATED_BODY, True)


def reset(_size: int) -> bytes:
    raise ConnectionResetError
