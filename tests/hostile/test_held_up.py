"""Bodies that stall and answers that nobody reads hold no other delivery up, and each is taken whole in the end."""

import resource
import socket
import time
from contextlib import ExitStack, closing, contextmanager

import pytest

from receiver.core import limits
from tests.support.running import Service

from .cases.building import body, delivery, file, head, json_part, metadata, multipart_type, whole
from .conftest import SITE
from .talking import answers, exchange

STALLED = 2_000  # connections
READERS = 60
MEASURED = 40  # deliveries
MOMENT = 0.5  # seconds, which a disk may pause; who was held up waited for 13 and more
PAGE = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
ALIVE = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def slowest(service: Service, requests: list[bytes]) -> float:
    """Return how long nine in ten of the deliveries took at most, each on a connection of its own; in seconds."""
    times = []
    for raw in requests:
        begun = time.monotonic()
        assert service.request(raw.replace(b"Host:", b"Connection: close\r\nHost:", 1)).status == 200
        times.append(time.monotonic() - begun)
    return sorted(times)[len(times) * 9 // 10]


def normal(name: str) -> list[bytes]:
    return [delivery(*whole(f"{name}-{number}")) for number in range(MEASURED)]


@contextmanager
def open_files(count: int):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(count, hard)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def has_answer(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        connection.recv(1)
    except BlockingIOError:
        return False
    return True


@pytest.mark.parametrize("beginning", [b"", b"--"], ids=["nothing of it", "a little of it"])
def test_2000_bodies_that_stall_hold_nobody_up(hostile, beginning):
    alone = slowest(hostile, normal(f"alone-{len(beginning)}"))
    with open_files(3 * STALLED), ExitStack() as stack:
        begun = time.monotonic()
        stalled = [stack.enter_context(closing(hostile.connect())) for _ in range(STALLED)]
        for connection in stalled:
            connection.sendall(head(multipart_type(), "Content-Length: 20000") + beginning)
        beside = slowest(hostile, normal(f"beside-{len(beginning)}"))
        answered = sum(has_answer(connection) for connection in stalled)
        took = time.monotonic() - begun
    print(f"{1000 * alone:.1f} ms alone, {1000 * beside:.1f} ms beside {STALLED} bodies that stall")
    assert answered == 0 or took > limits.BODY_SECONDS  # none was refused to make room for others
    assert beside < max(2 * alone, MOMENT)


def test_60_that_read_no_answer_hold_nobody_up(hostile):
    alone = slowest(hostile, normal("read"))
    with ExitStack() as stack:
        for _ in range(READERS):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
            connection.connect(("127.0.0.1", hostile.port))
            connection.sendall(20 * PAGE)
        beside = slowest(hostile, normal("unread"))
        assert slowest(hostile, [ALIVE] * MEASURED) < MOMENT
    print(f"{1000 * alone:.1f} ms alone, {1000 * beside:.1f} ms beside {READERS} that do not read")
    assert beside < max(2 * alone, MOMENT)


def test_who_reads_slowly_gets_every_answer_whole_and_in_order(hostile):
    requests = [PAGE, delivery(*whole("slowly")), PAGE, b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", PAGE]
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
        connection.settimeout(60)
        connection.connect(("127.0.0.1", hostile.port))
        connection.sendall(b"".join(requests))
        received = answers(connection)
        found = [next(received) for _ in requests]
    assert [answer.status for answer in found] == [200, 200, 200, 404, 200]
    assert all(answer.body.endswith(b"\n") for answer in found)


def chunked(content: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (content[:70], content[70:])) + b"0\r\n\r\n"


LARGE = body(file(b"II*\0" + bytes(2 * limits.AHEAD)), json_part(metadata("parked-large")))
SENT = {
    "small": (f"Content-Length: {len(body(*whole('parked')))}", body(*whole("parked"))),
    "chunked": ("Transfer-Encoding: chunked", chunked(body(*whole("parked-chunked")))),
    "large": (f"Content-Length: {len(LARGE)}", LARGE),
    "large and chunked": ("Transfer-Encoding: chunked", chunked(LARGE.replace(b"parked-large", b"parked-huge"))),
}


@pytest.mark.parametrize("share", [0, 0.1, 0.9])
@pytest.mark.parametrize("kind", SENT)
def test_a_body_that_comes_after_a_pause_is_taken_whole_and_so_is_what_follows(hostile, kind, share):
    header, content = SENT[kind]
    cut = int(len(content) * share)
    with closing(hostile.connect()) as connection:
        received = answers(connection)
        connection.sendall(head(multipart_type(), header) + content[:cut])
        time.sleep(10 * limits.MOMENT)  # no event tells that the service has gone on to others
        connection.sendall(content[cut:] + ALIVE)
        assert [next(received).status for _ in range(2)] == [200, 200]


def test_more_bodies_than_are_worked_on_at_once_may_all_come_late_and_each_is_taken(hostile):
    raw = [delivery(*whole(f"late-{number}")) for number in range(4 * limits.AT_WORK)]
    with ExitStack() as stack:
        late = [stack.enter_context(closing(hostile.connect())) for _ in raw]
        for connection, content in zip(late, raw, strict=True):
            connection.sendall(content[:-10])
        for connection, content in zip(late, raw, strict=True):
            connection.sendall(content[-10:])
        received = [next(answers(connection)) for connection in late]
    assert {(answer.status, answer.json["duplicate"]) for answer in received} == {(200, False)}


def test_a_head_that_is_condemned_is_refused_while_its_body_stalls(hostile):
    length = "Content-Length: 20000"
    refused = [head(multipart_type(), length, token="wrong"), head("Content-Type: image/tiff", length)]
    assert [exchange(hostile, raw)[0].status for raw in refused] == [401, 415]


def test_a_sender_who_hangs_up_within_a_body_is_told_of_a_truncated_one(hostile):
    raw = head(multipart_type(), "Content-Length: 20000") + b"--"
    with closing(hostile.connect()) as connection:
        connection.sendall(raw)
        time.sleep(10 * limits.MOMENT)
        connection.shutdown(socket.SHUT_WR)
        answer = next(answers(connection))
    assert (answer.status, answer.json["code"]) == (400, "truncated-body")


def test_who_comes_to_a_full_worker_does_not_wait_for_those_that_send_nothing(tmp_path):
    options = ("--workers", "1", "--threads", "4", "--worker-connections", "40")
    service = Service(tmp_path / "data", SITE, options=options).start()
    try:
        with ExitStack() as stack:
            for sent in 60 * [b"", b"POST", head(multipart_type(), "Content-Length: 20000")]:
                stack.enter_context(closing(service.connect())).sendall(sent)
            begun = time.monotonic()
            for number in range(5):
                assert service.request(delivery(*whole(f"full-{number}"))).status == 200
            assert time.monotonic() - begun < limits.HEAD_SECONDS / 2
    finally:
        service.stop()
