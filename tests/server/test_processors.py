"""Each worker of a running service has a processor of its own, as far as there are enough."""

import os
from contextlib import ExitStack, suppress
from pathlib import Path

from receiver.core.processors import ALLOWED
from tests.support.both_workers import open_connections, workers_that_serve
from tests.support.running import Service


def test_the_threads_of_a_worker_that_take_deliveries_lie_on_one_processor(tmp_path: Path) -> None:
    service = Service(tmp_path / "data").start()
    try:
        with ExitStack() as opened:
            open_connections(service, opened, 8)
            found = [_processors(worker) for worker in workers_that_serve(service)]
    finally:
        service.stop()
    bound = [[each for each in those if len(each) == 1] for those in found]
    assert all(len({*map(tuple, those)}) == 1 for those in bound)
    assert len({those[0][0] for those in bound}) == min(2, len(ALLOWED))
    assert all(len(those) >= 2 for those in bound)  # the main loop, and one that answers


def _processors(process: int) -> list[list[int]]:
    """Return those of each thread, the main one's first."""
    found = []
    for thread in sorted(int(each.name) for each in Path(f"/proc/{process}/task").iterdir()):
        with suppress(ProcessLookupError):  # it has ended meanwhile
            found.append(sorted(os.sched_getaffinity(thread)))
    return found
