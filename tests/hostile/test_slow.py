"""Slow senders: they wait by themselves, nobody waits for them, and they are told that they were too slow."""

import selectors
import socket
import statistics
import threading
import time
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from receiver.core import limits
from tests.support.leftovers import left_in
from tests.support.running import Answer, Service

from .cases.building import body, delivery, head, multipart_type, request, whole
from .talking import answers

SLOW = 200  # connections
PACE = 0.5  # seconds between two bytes of each
USUAL = 25  # deliveries measured
MOMENT = 0.5  # seconds, which a disk may pause; who is held up by one slow sender waits longer, and there are hundreds
LONGEST = limits.BODY_SECONDS + 60  # seconds until every slow sender is answered, on a busy machine


class Drip:
    """Connections that send what they have byte by byte, and note how each of them ended."""

    def __init__(self, service: Service, count: int, sent_at_once: bytes) -> None:
        self.ended: list[int] = []
        self.stack = ExitStack()
        self.open = [self.stack.enter_context(closing(service.connect())) for _ in range(count)]
        for connection in self.open:
            connection.sendall(sent_at_once)
            connection.setblocking(False)
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._drip)

    def __enter__(self) -> "Drip":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self.thread.join()
        self.stack.close()

    def wait(self, seconds: float) -> list[int]:
        """Return the statuses of all once each has ended, or what there is after so many seconds."""
        self.thread.join(seconds)
        return self.ended

    def _drip(self) -> None:
        with selectors.DefaultSelector() as selector:
            for connection in self.open:
                selector.register(connection, selectors.EVENT_READ)
            while selector.get_map() and not self.stopping.is_set():
                for key in list(selector.get_map().values()):
                    with suppress(OSError):
                        key.fileobj.send(b"x")  # type: ignore[union-attr]
                self._note(selector, time.monotonic() + PACE)

    def _note(self, selector: selectors.BaseSelector, until: float) -> None:
        while (left := until - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                received = key.fileobj.recv(4096)  # type: ignore[union-attr]
                self.ended.append(int(received.split()[1]) if received else 0)
                selector.unregister(key.fileobj)


def usual_time(service: Service, name: str) -> float:
    """Return the median seconds of a normal delivery on a new connection."""
    times = []
    for number in range(USUAL):
        raw = delivery(*whole(f"{name}-{number}")).replace(b"Host:", b"Connection: close\r\nHost:", 1)
        start = time.monotonic()
        assert service.request(raw).status == 200
        times.append(time.monotonic() - start)
    return statistics.median(times)


@dataclass
class Seen:
    """What became of everybody while all of them sent slowly at once."""

    before: float  # seconds of a normal delivery
    during: float
    after: float
    heads: list[int]  # statuses, 0 where the connection ended without an answer
    bodies: list[int]
    idle: bytes
    stalled: Answer
    left: list[Path]  # in the stage


@pytest.fixture(scope="module")
def seen(hostile):
    content = body(*whole("stalled"))
    announced = head(multipart_type(), f"Content-Length: {len(content)}")
    before = usual_time(hostile, "before")
    with (
        Drip(hostile, SLOW, b"POST /api/nextstep/delivery/scans HTTP/1.1\r\nX: ") as heads,
        Drip(hostile, SLOW, announced + content[:200]) as bodies,
        closing(hostile.connect(timeout=LONGEST)) as idle,
        closing(hostile.connect(timeout=LONGEST)) as stalled,
    ):
        stalled.sendall(announced + content[:-10])
        time.sleep(0.5)
        during = usual_time(hostile, "during")
        ended = heads.wait(LONGEST), bodies.wait(LONGEST)
        last = idle.recv(1), next(answers(stalled))
    left = left_in(hostile.data / "stage")
    return Seen(before, during, usual_time(hostile, "after"), *ended, *last, left)


def test_slow_senders_hold_nobody_up(seen):
    alone = max(seen.before, seen.after)
    print(f"{1000 * alone:.1f} ms alone, {1000 * seen.during:.1f} ms beside {2 * SLOW} slow senders")
    assert seen.during < max(2 * alone, MOMENT)


def test_who_drips_headers_ends_with_408(seen):
    assert seen.heads == [408] * SLOW


def test_who_drips_a_body_ends_with_408(seen):
    assert seen.bodies == [408] * SLOW


def test_an_idle_connection_that_asks_nothing_is_closed_without_a_word(seen):
    assert seen.idle == b""


def test_a_body_that_stops_coming_ends_with_408_and_leaves_nothing(seen):
    assert (seen.stalled.status, seen.stalled.json["code"]) == (408, "too-slow")
    assert seen.left == []


def test_200_that_never_hang_up_hold_nobody_up(hostile):
    before = usual_time(hostile, "before-linger")
    with ExitStack() as stack:
        refused = [stack.enter_context(closing(hostile.connect())) for _ in range(SLOW)]
        for connection in refused:
            connection.sendall(request(b"x", token="wrong")[:-1])
        during = usual_time(hostile, "during-linger")
    print(f"never hang up: {1000 * before:.1f} ms alone, {1000 * during:.1f} ms beside them")
    assert during < max(2 * before, MOMENT)


def test_a_sender_who_is_slow_but_steady_is_heard_out(hostile):
    content = body(*whole("steady"))
    with closing(hostile.connect()) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(head(multipart_type(), f"Content-Length: {len(content)}"))
        for start in range(0, len(content), 200):
            connection.sendall(content[start : start + 200])
            time.sleep(0.05)
        assert next(answers(connection)).status == 200
