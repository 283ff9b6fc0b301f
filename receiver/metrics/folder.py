"""The folder through which the workers of one service share what they count."""

import os
from pathlib import Path

from prometheus_client.multiprocess import mark_process_dead

from receiver.store import folders

FOLDER = "metrics"
VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # the library's own name for it
UPGRADING = "GUNICORN_PID"  # set by a gunicorn that runs already and starts its successor beside it (USR2)
README = """\
What the workers of the running service count, for /metrics. Emptied at each start; may be removed while it is stopped.
"""


def prepare(data: Path) -> Path:
    """Own the folder, name it to all workers, and return it. Raises Problem.

    A start empties it: counters begin at zero, as Prometheus expects of one. An upgrade beside the living goes on
    counting where those are.
    """
    folder = data.absolute() / FOLDER
    folders.own(folder, README)
    if not os.environ.get(UPGRADING):
        for path in folder.glob("*.db"):
            folders.remove(path)
    os.environ[VARIABLE] = str(folder)
    return folder


def shared() -> Path | None:
    """Return the folder, where workers share one."""
    named = Path(os.environ.get(VARIABLE) or os.devnull)
    return named if named.is_dir() else None


def forget(pid: int) -> None:
    """Take what a worker had in flight out of the sums; what it has counted stays in them."""
    if shared():
        mark_process_dead(pid)  # type: ignore[no-untyped-call]
