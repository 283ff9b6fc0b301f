"""Who has which held delivery before them, so that two people at once do not get the same one."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import apsw

from receiver.store.sqlite.connections import Connections

LASTS = timedelta(minutes=5)  # somebody who looks at one fax for longer may have gone; the row itself decides then


class Reservations:
    """The reserved deliveries of one ledger."""

    def __init__(self, connections: Connections) -> None:
        self._write = connections.write

    def first(self, ids: Iterable[str], person: str, now: datetime) -> str | None:
        """Reserve the first of these deliveries that nobody else has, and return its id. Raises Problem."""

        def operation(connection: apsw.Connection) -> str | None:
            old = (now - LASTS).astimezone(UTC).isoformat(timespec="seconds")
            connection.execute("DELETE FROM reservations WHERE at < ?", (old,))
            found: list[Any] = connection.execute("SELECT delivery, person FROM reservations").fetchall()
            taken = dict(found)
            free = next((id_ for id_ in ids if taken.get(id_, person) == person), None)
            if free:
                row = (free, person, now.astimezone(UTC).isoformat(timespec="seconds"))
                connection.execute("INSERT OR REPLACE INTO reservations (delivery, person, at) VALUES (?, ?, ?)", row)
            return free

        return self._write(operation)
