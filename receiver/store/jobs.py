"""Actions on many deliveries, with trial and outcome of each; restarts lose none."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from receiver.store import durable
from receiver.store.database import Connections

LIST = 50  # jobs that are listed, the newest first
QUIET = timedelta(minutes=3)  # without a sign of whoever works on it: the longest document takes half of that
KEPT = timedelta(days=90)  # what became of each is in the trail of the deliveries themselves


class State(StrEnum):
    """How far a job has come."""

    TRYING = "trying"  # the dry run goes on
    TRIED = "tried"  # it waits for somebody to say yes
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"


GOING = (State.TRYING, State.RUNNING)


@dataclass(frozen=True, slots=True)
class Job:
    """One action on many deliveries."""

    id: str
    person: str
    action: str  # replay, release, discard
    filters: str  # as people read them
    reason: str
    state: State
    began: datetime  # aware, UTC
    alive: datetime  # the last sign of whoever works on it

    def is_abandoned(self, now: datetime) -> bool:
        """Return whether whoever worked on it has gone."""
        return self.state in GOING and now - self.alive > QUIET


@dataclass(frozen=True, slots=True)
class Item:
    """One delivery of a job."""

    delivery: str
    seen: int  # its attempts when the job was made
    tried: str  # what the dry run says; "" before it
    outcome: str  # "" before it


class Jobs:
    """The jobs of one ledger."""

    def __init__(self, connections: Connections) -> None:
        self._read = connections.read
        self._write = connections.write

    def begin(self, person: str, action: str, filters: str, reason: str, items: Iterable[tuple[str, int]]) -> str:
        """Note a job, and return its id. Raises Problem."""
        id_, now = durable.new_name(), datetime.now(UTC)

        def operation(connection: Any) -> None:
            old = "SELECT id FROM jobs WHERE began < ?"
            connection.execute(f"DELETE FROM job_items WHERE job IN ({old})", (_stamp(now - KEPT),))  # noqa: S608 (our own)
            connection.execute("DELETE FROM jobs WHERE began < ?", (_stamp(now - KEPT),))
            row = (id_, person, action, filters, reason, State.TRYING.value, _stamp(now), _stamp(now))
            connection.execute("INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
            rows = [(id_, number, delivery, seen) for number, (delivery, seen) in enumerate(items)]
            connection.executemany("INSERT INTO job_items VALUES (?, ?, ?, ?, '', '')", rows)

        self._write(operation)
        return id_

    def find(self, id_: str) -> Job | None:
        """Return a job. Raises Problem."""
        return next(iter(self._jobs("WHERE id = ?", id_)), None)

    def latest(self) -> list[Job]:
        """Return the newest jobs. Raises Problem."""
        return self._jobs("ORDER BY began DESC LIMIT ?", LIST)

    def items(self, id_: str) -> list[Item]:
        """Return the deliveries of a job, in their order. Raises Problem."""
        sql = "SELECT delivery, seen, tried, outcome FROM job_items WHERE job = ? ORDER BY number"
        found: list[Any] = self._read(lambda connection: connection.execute(sql, (id_,)).fetchall())
        return [Item(*row) for row in found]

    def move(self, id_: str, before: Iterable[State], after: State) -> bool:
        """Change the state of a job; False if it is in none of those before.

        Raises Problem.
        """
        states = [state.value for state in before]

        def operation(connection: Any) -> bool:
            marks = ", ".join("?" * len(states))
            sql = f"UPDATE jobs SET state = ?, alive = ? WHERE id = ? AND state IN ({marks}) RETURNING id"  # noqa: S608
            return bool(connection.execute(sql, (after.value, _stamp(datetime.now(UTC)), id_, *states)).fetchall())

        return self._write(operation)

    def adopt(self, job: Job) -> bool:
        """Take over a job whose worker has gone; False if somebody else has.

        Raises Problem.
        """

        def operation(connection: Any) -> bool:
            row = (_stamp(datetime.now(UTC)), job.id, _stamp(job.alive))
            return bool(
                connection.execute("UPDATE jobs SET alive = ? WHERE id = ? AND alive = ? RETURNING id", row).fetchall()
            )

        return self._write(operation)

    def note(self, id_: str, delivery: str, column: str, text: str) -> bool:
        """Note one delivery's outcome, `tried` or `outcome`; False if the job stopped.

        Durable with the next commit. Raises Problem.
        """

        def operation(connection: Any) -> bool:
            sql = f"UPDATE job_items SET {column} = ? WHERE job = ? AND delivery = ?"  # noqa: S608 (our own names)
            connection.execute(sql, (text, id_, delivery))
            connection.execute("UPDATE jobs SET alive = ? WHERE id = ?", (_stamp(datetime.now(UTC)), id_))
            return connection.execute("SELECT state FROM jobs WHERE id = ?", (id_,)).get in GOING

        return self._write(operation, durable=False)

    def _jobs(self, where: str, *values: Any) -> list[Job]:
        sql = f"SELECT id, person, action, filters, reason, state, began, alive FROM jobs {where}"  # noqa: S608 (our own)
        found: list[Any] = self._read(lambda connection: connection.execute(sql, values).fetchall())
        return [_job(*row) for row in found]


def _job(id_: str, person: str, action: str, filters: str, reason: str, state: str, began: str, alive: str) -> Job:
    moments = datetime.fromisoformat(began), datetime.fromisoformat(alive)
    return Job(id_, person, action, filters, reason, State(state), *moments)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
