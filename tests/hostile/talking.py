"""Talks to the service over a raw socket, and reads every answer to its last byte."""

import socket
from collections.abc import Generator
from contextlib import closing, suppress

from tests.support.running import Answer, Service


def exchange(service: Service, raw: bytes, *, half_close: bool = False, count: int = 1) -> list[Answer]:
    """Send the bytes as they are and read `count` answers; where the last one ends the connection, its end too."""
    with closing(service.connect(timeout=60)) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(raw)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
        received = answers(connection)
        found = [next(received) for _ in range(count)]
        if found[-1].headers["connection"] == "close":
            with suppress(OSError):  # the service has closed it already
                connection.shutdown(socket.SHUT_WR)
            assert list(received) == []
        return found


def answers(connection: socket.socket) -> Generator[Answer, None, None]:
    """Yield answers until the connection ends; an interim answer is one of them. A reset is an error."""
    with connection.makefile("rb") as stream:
        while line := stream.readline():
            status = int(line.split()[1])
            headers = {}
            while (header := stream.readline().decode("latin-1").strip()) != "":
                name, _, value = header.partition(":")
                headers[name.lower()] = value.strip()
            yield Answer(status, headers, stream.read(int(headers.get("content-length", 0))))
