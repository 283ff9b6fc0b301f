"""The ledger in a SQLite file: one host, many processes."""

from receiver.store.database import Database
from receiver.store.rows import Roots
from receiver.store.sqlite import queries, schema
from receiver.store.sqlite.connections import Connections


def database(url: str, roots: Roots) -> Database:
    """Return the database that a URL such as `sqlite:var/ledger.db` names.

    Raises Problem.
    """
    path = schema.path_of(url)
    return Database(path, Connections(path, roots), queries)


def create(url: str, roots: Roots) -> None:
    """Create the ledger's tables, or bring them up to date. Raises Problem."""
    schema.create(schema.path_of(url), roots)
