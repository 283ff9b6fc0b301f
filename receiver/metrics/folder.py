"""The folder through which the workers of one service share what they count."""

from pathlib import Path

from prometheus_client.multiprocess import mark_process_dead

from receiver.store import folders

FOLDER = "metrics"
README = """\
What the workers of the running service count, for /metrics. Emptied at each start; may be removed while it is stopped.
"""


def of(data: Path) -> Path:
    """Return the folder."""
    return data.absolute() / FOLDER


def prepare(data: Path, *, first: bool) -> None:
    """Own the folder. Raises Problem.

    The first process of a service empties it: counters begin at zero, as Prometheus expects of a start. Whoever comes
    beside the living, also an upgrade, goes on counting where those are.
    """
    folders.own(of(data), README)
    if first:
        for path in of(data).glob("*.db"):
            folders.remove(path)


def forget(data: Path, pid: int) -> None:
    """Take what a worker had in flight out of the sums; what it has counted stays in them."""
    mark_process_dead(pid, str(of(data)))  # type: ignore[no-untyped-call]
