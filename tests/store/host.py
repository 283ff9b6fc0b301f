"""A host of its own: `python -m tests.store.host ROOT URL LOST POINT` delivers what it reads, and is lost at a point.

Each line of its input is a sourceId. It says what became of it, and `lost` before it is: LOST is how, KILL or STOP.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from receiver.core.problems import Problem
from receiver.store import durable, publish, queries
from receiver.store.postgres import connections, hosts, session
from receiver.store.stage import stage_for
from tests.support.place import Place, Sent, deliver

POINTS = ("before the commit", "after the commit", "after a file", "before the mark")
SILENT = 0.6  # seconds
BEAT = 0.1  # seconds


def hurry() -> None:
    """Let what takes seconds in life take less here."""
    hosts.SILENT, hosts.BEAT = SILENT, BEAT
    session.SETTINGS["idle_in_transaction_session_timeout"] = "500ms"


class Lost:
    """Is lost once, at one point."""

    def __init__(self, how: str, point: str) -> None:
        self.how, self.point = how, point

    def at(self, point: str) -> None:
        if point and point == self.point:
            self.point = ""
            print("lost", flush=True)
            os.kill(os.getpid(), getattr(signal, f"SIG{self.how}"))

    def around(self, function: Callable[..., Any], before: str = "", after: str = "") -> Callable[..., Any]:
        def wrapped(*arguments: Any, **named: Any) -> Any:
            self.at(before)
            result = function(*arguments, **named)
            self.at(after)
            return result

        return wrapped


def lost_before_commit(lost: Lost) -> None:
    """Be lost before the COMMIT of a delivery: others in between are of heartbeats."""
    put, commit, written = queries.put, connections._commit, []

    def putting(*arguments: Any) -> Any:
        written.append(True)
        return put(*arguments)

    def committing(*arguments: Any) -> None:
        if written:
            lost.at("before the commit")
        commit(*arguments)

    queries.put, connections._commit = putting, committing


def main() -> None:
    root, url, how, point = sys.argv[1:]
    hurry()
    place = Place.at(Path(root), url)
    lost = Lost(how, point)
    publish.release = lost.around(publish.release, before="after the commit", after="before the mark")
    durable.rename_new = lost.around(durable.rename_new, after="after a file")
    lost_before_commit(lost)
    print("ready", flush=True)
    for line in sys.stdin:
        if place.stage.owner != place.ledger.owner:  # it was given up, and begins anew
            place.stage = stage_for(place.data, place.output, owner=place.ledger.owner)
        try:
            receipt = deliver(place, Sent(line.strip()))
        except Problem as problem:
            print(problem.code, flush=True)
        else:
            print("duplicate" if receipt.duplicate else "published", flush=True)
    place.ledger.close()


if __name__ == "__main__":
    main()
