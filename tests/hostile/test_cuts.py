"""How the bytes of a request are cut into packets never changes the answer."""

import socket
import time
from contextlib import closing

import pytest

from .cases import TABLE
from .cases.building import Case, delivery, json_part, metadata, section
from .talking import answers

SMALL = 1_000  # bytes: rows up to here are sent byte by byte
GROUPS = ("Request line, URL and headers", "Where the body ends", "The boundary", "The head of a part")
ROWS = [
    pytest.param(case, id=case.input)
    for group in GROUPS
    for case in TABLE[group]
    if len(case.raw) < SMALL and not case.half_close and case.status != 200
]
TINY = delivery(section("file", b"II*\0", "image/tiff"), json_part(metadata("cut")))


def in_pieces(service, raw: bytes, *cuts: int):
    ends = [*cuts, len(raw)]
    with closing(service.connect(timeout=60)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        start = 0
        for end in ends:
            try:
                connection.sendall(raw[start:end])
            except (BrokenPipeError, ConnectionResetError):
                break  # refused already
            start = end
            time.sleep(0.0005)  # long enough for the piece to arrive by itself, as a rule
        answer = next(answers(connection))
        return answer.status, answer.json.get("code"), answer.json.get("detail")


@pytest.mark.parametrize("case", ROWS)
def test_a_refusal_is_the_same_byte_by_byte(hostile, case: Case):
    assert in_pieces(hostile, case.raw, *range(1, len(case.raw)))[:2] == (case.status, case.code or None)


def test_every_cut_of_a_delivery_gets_the_same_answer(hostile):
    whole = in_pieces(hostile, TINY)
    assert whole[0] == 200
    for cut in range(1, len(TINY)):
        assert in_pieces(hostile, TINY, cut) == whole
