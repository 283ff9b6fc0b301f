"""`Expect: 100-continue`: the sender is asked for the body only when the service wants it (RFC 9110 §10.1.1)."""

import select
from contextlib import closing

import pytest

from .cases.building import body, head, multipart_type, whole
from .talking import answers

EXPECT = "Expect: 100-continue"


def asked(length: int, kind: str = "", **to) -> bytes:
    return head(kind or multipart_type(), f"Content-Length: {length}", EXPECT, **to)


def test_a_sender_who_may_deliver_is_asked_for_the_body(hostile):
    content = body(*whole("continue-1"))
    with closing(hostile.connect()) as connection:
        received = answers(connection)
        connection.sendall(asked(len(content)))
        assert next(received).status == 100
        connection.sendall(content)
        assert next(received).status == 200


def test_nobody_is_asked_who_has_begun_to_send(hostile):
    content = body(*whole("continue-2"))
    with closing(hostile.connect()) as connection:
        connection.sendall(asked(len(content)) + content)
        assert next(answers(connection)).status == 200


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (asked(10**6, token="wrong"), 401),
        (asked(10**6, path="/api/nextstep/delivery/nothing"), 404),
        (asked(10**12), 413),
        (asked(10**6, "Content-Type: image/tiff"), 415),
    ],
)
def test_a_sender_who_may_not_is_refused_at_once_and_the_connection_ends(hostile, request_head, status):
    with closing(hostile.connect()) as connection:
        connection.sendall(request_head)
        assert [answer.status for answer in answers(connection)] == [status]


def test_http_1_0_knows_no_interim_answer(hostile):
    content = body(*whole("continue-3"))
    with closing(hostile.connect()) as connection:
        connection.sendall(asked(len(content)).replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert select.select([connection], [], [], 0.3)[0] == []
        connection.sendall(content)
        assert [answer.status for answer in answers(connection)] == [200]
