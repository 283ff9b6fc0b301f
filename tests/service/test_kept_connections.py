"""Connections that are kept open: their requests are taken one by one, and nobody else is kept waiting for them."""

import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.support.running import Service, read_answer

ASKED = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
PAUSE = 0.3  # seconds: longer than a thread stays with its connection


@pytest.fixture(scope="module")
def single(tmp_path_factory) -> Iterator[Service]:
    """A service with a single thread."""
    options = ("--workers", "1", "--threads", "1")
    running = Service(tmp_path_factory.mktemp("kept") / "data", options=options).start()
    yield running
    running.stop()


def test_requests_of_a_connection_are_taken_whenever_they_come(single):
    with closing(single.connect()) as connection:
        for pieces in (
            [ASKED],
            [ASKED],
            [b"", ASKED],
            [ASKED[:9], ASKED[9:]],
            [b"", ASKED[:9], ASKED[9:]],
            [ASKED + ASKED[:9], ASKED[9:] + ASKED, ASKED],
        ):
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(PAUSE if len(pieces) > 1 else 0)
            assert statuses(connection, b"".join(pieces).count(ASKED)) == {200}


def statuses(connection: socket.socket, count: int) -> set[int]:
    """Read as many answers, of which several may have come at once."""
    received = b""
    while received.count(b"HTTP/1.1 ") < count or not received.endswith(b"}\n"):
        piece = connection.recv(65536)
        assert piece, received
        received += piece
    return {int(status) for status in re.findall(rb"HTTP/1.1 (\d+)", received)}


def test_a_sender_who_never_pauses_keeps_no_thread_to_itself(single):
    others = threading.Event()
    taken = []

    def never_pause() -> None:
        with closing(single.connect()) as connection:
            while not others.is_set():
                connection.sendall(ASKED)
                taken.append(read_answer(connection).status)

    busy = threading.Thread(target=never_pause)
    busy.start()
    try:
        for _ in range(5):
            with closing(single.connect(timeout=60)) as connection:
                connection.sendall(ASKED)
                assert read_answer(connection).status == 200
    finally:
        others.set()
        busy.join()
    assert set(taken) == {200}


def test_a_connection_whose_thread_stays_with_it_does_not_hold_up_a_stop(single):
    with closing(single.connect()) as connection:
        connection.sendall(ASKED)
        assert read_answer(connection).status == 200
        single.process.send_signal(signal.SIGTERM)
        assert single.process.wait(60) == 0
        assert connection.recv(1) == b""
