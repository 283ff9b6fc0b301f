"""A connection is given to a thread, and comes back to the main loop whatever has happened there."""

from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from receiver.core import limits
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


@pytest.mark.parametrize(
    ("with_threads", "missing", "late"),
    [
        (limits.AT_WORK - 1, 1, False),
        (limits.AT_WORK, 1, True),
        (limits.AT_WORK, 0, False),
        (limits.AT_WORK, -1, False),
    ],
)
def test_a_body_that_is_not_there_is_late_where_others_wait(with_threads: int, missing: int, late: bool) -> None:
    done: list[str] = []
    conn = SimpleNamespace(missing_of_body=lambda: missing, hand_over=lambda: done.append("handed over"))
    worker = SimpleNamespace(_with_threads=with_threads, _enter=lambda _: done.append("entered"))
    Worker._begin(worker, conn)
    assert (conn.late, done) == (late, ["handed over", "entered"])


@pytest.mark.parametrize(
    ("late", "awaited", "cut_off", "slow"),
    [(False, None, False, False), (True, None, False, True), (True, "body", False, False), (False, "body", True, True)],
)
def test_who_is_late_or_cut_off_is_taken_in_apart(late: bool, awaited: str | None, cut_off: bool, slow: bool) -> None:
    conn = SimpleNamespace(late=late, awaited=awaited, is_cut_off=lambda: cut_off)
    assert Worker._is_slow(SimpleNamespace(), conn) == slow
