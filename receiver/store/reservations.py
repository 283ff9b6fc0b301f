"""Who has which held delivery open, so that two people do not get the same one."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from receiver.store.database import Connections

LASTS = timedelta(minutes=5)  # somebody who looks at one fax for longer may have gone; the row itself decides then

_RESERVE = (
    "INSERT INTO reservations (delivery, person, at) VALUES (?, ?, ?) ON CONFLICT (delivery) DO UPDATE "
    "SET at = excluded.at WHERE reservations.person = excluded.person RETURNING delivery"
)


class Reservations:
    """The reserved deliveries of one ledger."""

    def __init__(self, connections: Connections) -> None:
        self._write = connections.write

    def first(self, ids: Iterable[str], person: str, now: datetime) -> str | None:
        """Reserve the first of these deliveries that nobody else has, and return its id.

        Raises Problem.
        """

        def operation(connection: Any) -> str | None:
            old = (now - LASTS).astimezone(UTC).isoformat(timespec="seconds")
            connection.execute("DELETE FROM reservations WHERE at < ?", (old,))
            taken = dict(connection.execute("SELECT delivery, person FROM reservations").fetchall())
            at = now.astimezone(UTC).isoformat(timespec="seconds")
            free = (id_ for id_ in ids if taken.get(id_, person) == person)
            return next((id_ for id_ in free if connection.execute(_RESERVE, (id_, person, at)).fetchall()), None)

        return self._write(operation)
