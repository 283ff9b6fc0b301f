"""A child process that dies, without a goodbye, just before its n-th step on the disk or in the ledger."""

import os
import traceback
from collections.abc import Callable
from itertools import count
from typing import Any

from receiver.store import durable
from receiver.store.postgres import connections, session
from receiver.store.sqlite import schema, writers

DIED = 77
FAILED = 78
ON_DISK = ("open", "fsync", "mkdir", "unlink", "rmdir", "link", "rename", "write")


def run(work: Callable[[], object], dies_at: int, before: Callable[[], object] = lambda: None) -> bool:
    """Do `work` in a fork that dies before step `dies_at`, from 0; True where it came to its end before.

    What is done `before` in the same fork has no steps to die at.
    """
    child = os.fork()
    if child == 0:
        try:
            start = _steps(dies_at)
            before()
            start()
            work()
            os._exit(0)
        except BaseException:  # noqa: BLE001 (a fork must never return into the test)
            traceback.print_exc()
            os._exit(FAILED)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, DIED)
    return code == 0


def _steps(dies_at: int) -> Callable[[], None]:
    """Have each step counted from the call of what is returned."""
    steps = count()
    started = []

    def step(*_: object) -> bool:
        if started and next(steps) == dies_at:
            os._exit(DIED)
        return True

    def stepping(function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **named: Any) -> Any:
            step()
            return function(*arguments, **named)

        return wrapped

    writers.POSTPONED = 3_600  # seconds: on a busy machine the mark of a delivery would step in anywhere
    for name in ON_DISK:
        setattr(os, name, stepping(getattr(os, name)))
    durable.rename_new = stepping(durable.rename_new)
    connect = schema.connect

    def connect_stepping(path: Any) -> Any:
        connection = connect(path)
        connection.exec_trace = step
        return connection

    schema.connect = connect_stepping
    session.Session.execute = stepping(session.Session.execute)
    connections._commit = stepping(connections._commit)
    return lambda: started.append(True)
