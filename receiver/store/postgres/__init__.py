"""The ledger on a PostgreSQL server: several hosts, each with many processes."""

from receiver.store.database import Database
from receiver.store.postgres import queries, schema
from receiver.store.postgres.connections import Connections
from receiver.store.postgres.hosts import Hosts


def database(url: str) -> Database:
    """Return the database that a URL such as `postgresql://receiver@db.example.org/receiver` names."""
    connections = Connections(url)
    return Database(None, connections, queries, Hosts(connections))


def create(url: str) -> None:
    """Create the ledger's tables, or bring them up to date. Raises Problem."""
    schema.create(url)
