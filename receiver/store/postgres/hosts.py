"""The processes on a shared disk, by incarnation, while they send heartbeats.

A file lock does not exclude the processes of other hosts, so the ledger says whose folders of the stage are whose. Each
process has a row while it lives, and fills folders below `stage/<incarnation>/`. One that is silent for too long is
given up: its row goes, and with it the right to commit, since every commit needs the row (`queries.lock`). From then on
whoever comes first finishes what it has accepted. If it was only stopped and wakes, it can do no harm: what it still
moves was not moved by another, for a file leaves its place once; and it begins anew under another incarnation.

Only the server's clock is asked: hosts do not agree on the time.
"""

import os
import socket
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version

from receiver.core.problems import Problem
from receiver.store import durable
from receiver.store.database import Host
from receiver.store.postgres.connections import Connections
from receiver.store.postgres.queries import key
from receiver.store.postgres.session import Session

BEAT = 2.0  # seconds between two signs of life: six may be lost
SILENT = 15  # seconds without one until a process is given up: longer than a pause of a virtual machine that is moved

# A server that was away itself has heard of nobody, and gives everybody the time to be heard of.
_GIVE_UP = """
    DELETE FROM hosts WHERE incarnation IN (
        SELECT incarnation FROM hosts
        WHERE heartbeat_at < clock_timestamp() - make_interval(secs => ?)
        AND pg_postmaster_start_time() < clock_timestamp() - make_interval(secs => ?)
        FOR UPDATE SKIP LOCKED
    )
"""


class Hosts:
    """The processes that share one ledger, this one among them."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._joining = threading.Lock()
        self._incarnation: _Incarnation | None = None
        self._site = ""

    def incarnation(self) -> str:
        """Return the incarnation of this process, which begins with the first call.

        Raises Problem.
        """
        with self._joining:
            if self._incarnation is None or not self._incarnation.lives():
                self._incarnation = _Incarnation(self._connections, self._site)
            return self._incarnation.name

    def serve(self, site: str) -> None:
        """Tell the others the digest of the site that this process serves.

        Raises Problem.
        """
        self._site = site
        incarnation = self.incarnation()
        self._connections.write(
            lambda session: session.execute("UPDATE hosts SET site = ? WHERE incarnation = ?", (site, incarnation)),
            durable=False,
        )

    def lives(self, incarnation: str) -> bool:
        """Return whether a process was not given up. Raises Problem."""
        self.give_up_silent()
        asked = "SELECT EXISTS (SELECT 1 FROM hosts WHERE incarnation = ?)"
        return bool(self._connections.read(lambda session: session.execute(asked, (incarnation,)).get))

    def give_up_silent(self) -> int:
        """Give up those that are silent for too long, and return how many.

        Raises Problem.
        """

        def operation(session: Session) -> int:
            return session.execute(_GIVE_UP, (SILENT, SILENT)).changed

        return self._connections.write(operation)

    def listed(self) -> list[Host]:
        """Return all that were not given up, the oldest first. Raises Problem."""

        def query(session: Session) -> list[Host]:
            found = session.execute(
                "SELECT incarnation, host, process, release, site, started_at, heartbeat_at, "
                "extract(epoch FROM clock_timestamp() - heartbeat_at)::float FROM hosts ORDER BY started_at"
            )
            return [Host(*row) for row in found]

        return self._connections.read(query)

    @contextmanager
    def finishing(self, ids: Sequence[str]) -> Iterator[set[str]]:
        """Keep those deliveries, or batches, that no other process is finishing now.

        They are kept for as long as the server hears of us.

        Raises Problem.
        """
        asked = "SELECT id FROM unnest(?::text[], ?::bigint[]) AS wanted (id, key) WHERE pg_try_advisory_xact_lock(key)"
        keys = [key(f"finish {id_}") for id_ in ids]
        with self._connections.transaction() as session:
            yield {id_ for (id_,) in session.execute(asked, (list(ids), keys))}

    @contextmanager
    def once(self, task: str) -> Iterator[bool]:
        """Hold the lock of a task that one host does for all; yield False if taken.

        It falls with the session: a task goes on safely beside another one who then begins it.

        Raises Problem.
        """
        with self._connections.session() as session:
            mine = bool(session.execute("SELECT pg_try_advisory_lock(?)", (key(f"task {task}"),)).get)
            try:
                yield mine
            finally:
                if mine:
                    session.execute("SELECT pg_advisory_unlock(?)", (key(f"task {task}"),))

    def leave(self) -> None:
        """End this process's incarnation, if any: others may finish what it leaves."""
        ours, self._incarnation = self._incarnation, None
        if ours:  # in a fork this does nothing
            ours.leave()


class _Incarnation:
    """One incarnation of this process: a row in the ledger, and a heartbeat thread."""

    def __init__(self, connections: Connections, site: str) -> None:
        """Join the others. Raises Problem."""
        self.pid = os.getpid()
        self.name = durable.new_name()
        self.given_up = threading.Event()
        self._ended = threading.Event()
        row = (self.name, socket.gethostname(), self.pid, version("receiver"), site)
        connections.write(
            lambda session: session.execute(
                "INSERT INTO hosts (incarnation, host, process, release, site) VALUES (?, ?, ?, ?, ?)", row
            )
        )
        self.leave = weakref.finalize(self, _leave, connections, self.name, self.pid, self._ended)
        beating = (connections, self.name, self._ended, self.given_up)
        threading.Thread(target=_beat, args=beating, name="heartbeat", daemon=True).start()

    def lives(self) -> bool:
        """Return whether it is still this process's: no fork of it, and not given up."""
        return self.pid == os.getpid() and not self.given_up.is_set()


def _beat(connections: Connections, incarnation: str, ended: threading.Event, given_up: threading.Event) -> None:
    beat = "UPDATE hosts SET heartbeat_at = clock_timestamp() WHERE incarnation = ?"
    while not ended.wait(BEAT):
        with suppress(Problem):  # the server is away: it will hear of us again
            if not connections.write(lambda session: session.execute(beat, (incarnation,)).changed, durable=False):
                given_up.set()
                return


def _leave(connections: Connections, incarnation: str, pid: int, ended: threading.Event) -> None:
    if pid != os.getpid():
        return
    ended.set()
    with suppress(Problem):
        connections.write(lambda session: session.execute("DELETE FROM hosts WHERE incarnation = ?", (incarnation,)))
