"""The ledger in SQLite: its tables, its rows, its queries and the connections of a process to it."""
