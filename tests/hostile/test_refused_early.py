"""A delivery that its head condemns: the sender gets the answer, however much of the body is on its way."""

import http.client
import socket
import struct
import time

import pytest

from tests.support.leftovers import left_in
from tests.support.running import TOKEN

from .cases.building import BOUNDARY

LARGE = 60_000_000  # bytes: far more than all buffers between the two hold
KIND = f"multipart/form-data; boundary={BOUNDARY}"


@pytest.mark.parametrize(
    ("path", "token", "kind", "status"),
    [("scans", "wrong", KIND, 401), ("nothing", TOKEN, KIND, 404), ("scans", TOKEN, "image/tiff", 415)],
)
def test_an_ordinary_client_that_sends_all_before_it_reads_gets_the_answer(hostile, path, token, kind, status):
    connection = http.client.HTTPConnection("127.0.0.1", hostile.port, timeout=20)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
    connection.request("POST", f"/api/nextstep/delivery/{path}", bytes(LARGE), headers)
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("Connection")) == (status, "close")
    assert answer.read()
    connection.close()


def test_a_client_that_gives_up_in_the_middle_leaves_nothing(hostile):
    connection = http.client.HTTPConnection("127.0.0.1", hostile.port, timeout=20)
    connection.putrequest("POST", "/api/nextstep/delivery/scans")
    for name, value in {"Authorization": f"Bearer {TOKEN}", "Content-Type": KIND, "Content-Length": str(LARGE)}.items():
        connection.putheader(name, value)
    connection.endheaders(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"\r\n\r\n'.encode() + bytes(10**5)
    )
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset, no end
    connection.close()
    assert hostile.request(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").status == 200
    deadline = time.monotonic() + 60
    while left := left_in(hostile.data / "stage"):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)
