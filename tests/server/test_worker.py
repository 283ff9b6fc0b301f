"""A connection comes back to the main loop from its thread, whatever has happened there."""

from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from receiver.server.worker import Worker


class Queue:
    """What the main loop is to do."""

    def __init__(self) -> None:
        self.left: list[Any] = []

    def defer(self, what: str, conn: Any) -> None:
        self.left.append((what, conn.kept))


def serve(handle: Any) -> Queue:
    """Handle a connection that was kept until now."""
    worker = SimpleNamespace(handle=handle, finish_request="go on", method_queue=Queue())
    with suppress(SystemExit):
        Worker._serve(worker, SimpleNamespace(kept=True))
    return worker.method_queue


@pytest.mark.parametrize("kept", [True, False])
def test_the_main_loop_goes_on_as_the_thread_says(kept: bool) -> None:
    assert serve(lambda _: kept).left == [("go on", kept)]


def test_a_connection_whose_thread_fails_is_closed() -> None:
    def fail(_: object) -> None:
        raise SystemExit

    assert serve(fail).left == [("go on", False)]
