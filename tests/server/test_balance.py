"""The next connection goes to the worker with the fewest: by counts that they share, and by a real service."""

import os
import signal
from contextlib import ExitStack
from pathlib import Path

import pytest

from receiver.server import balance
from receiver.server.balance import PLACES, Balance
from tests.support.both_workers import open_connections, sockets_of, workers_that_serve
from tests.support.running import Service

OPENED = 24
PATIENT = """
from receiver.server.configuration import *
from receiver.server import balance as module
module.MOMENT = 0.1  # however busy the machine is
"""


def test_each_worker_has_a_place_of_its_own_and_one_that_leaves_gives_it_up() -> None:
    shared = Balance()
    assert [shared.join() for _ in range(PLACES)] == list(range(PLACES))
    assert shared.join() is None
    shared.tell(None, 5)
    shared.leave(None)
    shared.leave(7)
    assert shared.join() == 7


@pytest.mark.parametrize(
    ("ours", "theirs", "waits"),
    [(0, [0], False), (1, [0], False), (2, [0], True), (9, [8, 9], False), (9, [9, 7], True), (2, [], False)],
)
def test_the_next_connection_is_left_to_one_that_has_fewer(
    monkeypatch: pytest.MonkeyPatch, ours: int, theirs: list[int], waits: bool
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(balance.time, "sleep", pauses.append)
    shared = Balance()
    for count in [*theirs, ours] if theirs else []:
        shared.tell(shared.join(), count)
    shared.give_way(ours)
    assert pauses == [balance.MOMENT] * waits


def test_who_has_left_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(balance.time, "sleep", lambda _: pytest.fail("waited"))
    shared = Balance()
    shared.join()
    shared.tell(shared.join(), 9)
    shared.leave(0)
    shared.give_way(9)


def test_the_counts_are_those_of_all_processes() -> None:
    shared = Balance()
    ours = shared.join()
    shared.tell(ours, 3)
    child = os.fork()
    if child == 0:
        shared.tell(ours, 4)
        os._exit(0)
    os.waitpid(child, 0)
    assert shared._counts[0] == 4


def test_a_worker_that_hangs_holds_nobody_up_and_has_its_share_once_it_goes_on(tmp_path: Path) -> None:
    options = tmp_path / "patient.py"
    options.write_text(PATIENT)
    service = Service(tmp_path / "data", options=("-c", str(options))).start()
    try:
        hanging, _ = workers_that_serve(service)
        with ExitStack() as opened:
            os.kill(hanging, signal.SIGSTOP)
            try:
                open_connections(service, opened, OPENED)
                before = sockets_of(hanging)
            finally:
                os.kill(hanging, signal.SIGCONT)
            open_connections(service, opened, OPENED)
            assert sockets_of(hanging) - before >= OPENED - 4  # as many may have been closed by then
    finally:
        service.stop()
