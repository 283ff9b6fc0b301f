"""The workers of a running service, told apart by their sockets."""

from contextlib import ExitStack, closing, suppress
from pathlib import Path

from tests.support.running import Service, read_answer

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


def workers_that_serve(service: Service) -> list[int]:
    """Return both, once each of them has taken a connection in."""
    assert service.process
    children = Path(f"/proc/{service.process.pid}/task/{service.process.pid}/children")
    served: set[int] = set()
    while len(served) < 2:
        workers = list(map(int, children.read_text().split()))
        before = [sockets_of(worker) for worker in workers]
        with ExitStack() as opened:
            open_connections(service, opened, 1)
            served |= {each for each, count in zip(workers, before, strict=True) if sockets_of(each) > count}
    return sorted(served)


def open_connections(service: Service, opened: ExitStack, count: int) -> None:
    """Open connections one after the other, and have a first answer on each."""
    for _ in range(count):
        connection = opened.enter_context(closing(service.connect()))
        connection.sendall(REQUEST)
        assert read_answer(connection).status == 200


def sockets_of(process: int) -> int:
    found = 0
    for each in Path(f"/proc/{process}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found += str(each.readlink()).startswith("socket:")
    return found
