"""Who a request comes from, and where it ends: nothing that a sender writes decides that."""

import socket

import pytest

from tests.support.running import Service


def answered(service: Service, raw: bytes, source: str = "127.0.0.1") -> bytes:
    """Send bytes from an address of this host, and return all that is answered until the connection ends."""
    with socket.create_connection(("127.0.0.1", service.port), 20, source_address=(source, 0)) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.mark.parametrize(("source", "told"), [("127.0.0.1", "203.0.113.9"), ("127.0.0.2", "127.0.0.2")])
def test_only_a_trusted_proxy_says_who_the_sender_is(service, source, told):
    head = "POST /api/nextstep/delivery/referrals HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n"
    answered(service, f"{head}X-Forwarded-For: 203.0.113.9\r\nConnection: close\r\n\r\n".encode(), source)
    assert f"peer={told}" in service.log.read_text().splitlines()[-1]


def test_the_rest_of_a_body_that_is_refused_early_is_no_request(service):
    head = "POST /api/nextstep/delivery/referrals HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    hidden = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    told = answered(service, f"{head}{len(hidden):x}\r\n{hidden}\r\n0\r\n\r\n".encode())
    assert (told.count(b"HTTP/1.1 "), told[:12]) == (1, b"HTTP/1.1 401")
