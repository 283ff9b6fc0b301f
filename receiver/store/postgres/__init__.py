"""The ledger on a PostgreSQL server: several hosts, each with many processes."""

from receiver.store.database import Database
from receiver.store.postgres import queries, schema
from receiver.store.postgres.connections import Connections
from receiver.store.postgres.hosts import Hosts
from receiver.store.rows import Roots


def database(url: str, roots: Roots) -> Database:
    """Return the database of a URL: `postgresql://receiver@db.example.org/receiver`."""
    connections = Connections(url, roots)
    return Database(None, connections, queries, Hosts(connections))


def create(url: str, roots: Roots) -> None:
    """Create the ledger's tables, or bring them up to date. Raises Problem."""
    schema.create(url, roots)
