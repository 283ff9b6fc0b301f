"""Users, sessions and the audit trail of the console, in the ledger's database.

Of a session only a digest is kept: whoever reads the database cannot take one over.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from receiver.store.database import Connections

IDLE = timedelta(minutes=20)  # without a request a session ends: a desk that somebody has left
LONGEST = timedelta(hours=10)  # and in any case after a working day
FAILURES = 5  # logins that may fail in a row before the name has to wait
FROM_ONE = 20  # and before an address has to: behind a proxy many people have the same
WAIT = timedelta(seconds=30)  # for each failure beyond them
SHOWN = 500  # rows of the audit trail at once
SECRET = 32  # bytes of a session's id: as many as its digest has


class Role(StrEnum):
    """What a user may do; each may do what those before it may."""

    AUDITOR = "auditor"  # the trail, without values
    OPERATOR = "operator"  # values, replays, discards
    OWNER = "owner"  # processes

    def includes(self, other: "Role") -> bool:
        """Return whether this role may do what the other may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True)
class User:
    """One person."""

    name: str
    role: Role
    hash: str  # of the password, by argon2


@dataclass(frozen=True, slots=True)
class Look:
    """One row of the audit trail."""

    at: str  # ISO 8601, UTC
    person: str
    event: str  # login, logout, login-failed, view, replay, discard, user …
    delivery: str  # the id; "" if it is of none
    note: str  # never a field's value


class Accounts:
    """The users of one ledger."""

    def __init__(self, connections: Connections) -> None:
        self._read = connections.read
        self._write = connections.write

    # users

    def user(self, name: str) -> User | None:
        """Return a user by name. Raises Problem."""
        found = self._rows("SELECT name, role, hash FROM users WHERE name = ?", name)
        return next((_user(*row) for row in found), None)

    def users(self) -> list[User]:
        """Return all users. Raises Problem."""
        return [_user(*row) for row in self._rows("SELECT name, role, hash FROM users ORDER BY name")]

    def put(self, user: User) -> None:
        """Add a user, or change password or role: all sessions of that name end.

        Raises Problem.
        """

        def operation(connection: Any) -> None:
            connection.execute(
                "INSERT INTO users (name, role, hash) VALUES (?, ?, ?) "
                "ON CONFLICT (name) DO UPDATE SET role = excluded.role, hash = excluded.hash",
                (user.name, user.role.value, user.hash),
            )
            connection.execute("DELETE FROM sessions WHERE name = ?", (user.name,))

        self._write(operation)

    def remove(self, name: str) -> bool:
        """Remove a user and end its sessions; return whether there was one.

        Raises Problem.
        """

        def operation(connection: Any) -> bool:
            connection.execute("DELETE FROM sessions WHERE name = ?", (name,))
            return bool(connection.execute("DELETE FROM users WHERE name = ? RETURNING name", (name,)).fetchall())

        return self._write(operation)

    # logins

    def wait(self, name: str, address: str, now: datetime) -> timedelta:
        """Return how long a name or an address has to wait after failures.

        Raises Problem.
        """
        since = _stamp(now - timedelta(hours=1))
        waits = [timedelta(0)]
        for column, value, most in (("person", name, FAILURES), ("note", address, FROM_ONE)):
            found = self._rows(
                f"SELECT event, at FROM audit WHERE {column} = ? AND at > ? "  # noqa: S608 (our own names)
                "AND event IN ('login', 'login-failed') ORDER BY rowid DESC LIMIT 50",
                value,
                since,
            )
            failed = next((number for number, row in enumerate(found) if row[0] == "login"), len(found))
            if failed >= most:
                waits.append(datetime.fromisoformat(found[0][1]) + WAIT * (failed - most + 1) - now)
        return max(waits)

    def begin(self, user: User, now: datetime) -> str:
        """Begin a session and return its id, which is nowhere else. Raises Problem."""
        id_ = secrets.token_urlsafe(SECRET)

        def operation(connection: Any) -> None:
            connection.execute("DELETE FROM sessions WHERE began < ?", (_stamp(now - LONGEST),))
            row = (_digest(id_), user.name, _stamp(now), _stamp(now))
            connection.execute("INSERT INTO sessions (id, name, began, seen) VALUES (?, ?, ?, ?)", row)

        self._write(operation)
        return id_

    def session(self, id_: str, now: datetime) -> User | None:
        """Return whose session it is; None if it has ended. Raises Problem."""
        digest = _digest(id_)
        found = self._rows("SELECT name, began, seen FROM sessions WHERE id = ?", digest)
        if not found:
            return None
        ((name, began, seen),) = found
        if now - datetime.fromisoformat(began) > LONGEST or now - datetime.fromisoformat(seen) > IDLE:
            return None
        if now - datetime.fromisoformat(seen) > timedelta(minutes=1):
            self._execute("UPDATE sessions SET seen = ? WHERE id = ?", _stamp(now), digest)
        return self.user(name)

    def end(self, id_: str) -> None:
        """End a session. Raises Problem."""
        self._execute("DELETE FROM sessions WHERE id = ?", _digest(id_))

    # the audit trail

    def note(self, person: str, event: str, delivery: str = "", note: str = "") -> None:
        """Add a row to the audit trail; durable on return. Raises Problem."""
        row = (_stamp(datetime.now(UTC)), person, event, delivery, note)
        self._execute("INSERT INTO audit (at, person, event, delivery, note) VALUES (?, ?, ?, ?, ?)", *row)

    def looks(self, *, person: str = "", delivery: str = "", limit: int = SHOWN) -> list[Look]:
        """Return the newest rows of the audit trail. Raises Problem."""
        found = self._rows(
            "SELECT at, person, event, delivery, note FROM audit WHERE (? = '' OR person = ?) "
            "AND (? = '' OR delivery = ?) ORDER BY rowid DESC LIMIT ?",
            *(person, person, delivery, delivery, limit),
        )
        return [Look(*row) for row in found]

    def _rows(self, sql: str, *values: Any) -> Sequence[Any]:
        return self._read(lambda connection: connection.execute(sql, values).fetchall())

    def _execute(self, sql: str, *values: Any) -> None:
        self._write(lambda connection: connection.execute(sql, values))


def _user(name: str, role: str, hash: str) -> User:  # noqa: A002 (the field's name)
    return User(name, Role(role), hash)


def _digest(id_: str) -> str:
    return hashlib.sha256(id_.encode()).hexdigest()


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
