"""A copy of the ledger, taken while the service runs: one file, of one moment."""

from contextlib import closing
from pathlib import Path

from receiver.core.problems import Code, Problem
from receiver.store import durable, folders, queries
from receiver.store.durable import storage
from receiver.store.entry import DamagedRow
from receiver.store.sqlite import schema
from receiver.store.sqlite.presence import Presence, patiently

PAGES = 1000  # of 4 KB, copied at once: senders wait for none of it, since readers and writers do not meet in WAL mode
ROWS = 1000  # read at once to prove the copy: some megabytes


def backup(ledger: Path, target: Path) -> None:
    """Copy the ledger to a new file `target`, verified and durable on return.

    Raises Problem.
    """
    halfway = target.with_name(f".{target.name}.{durable.new_name()}")
    try:
        with closing(patiently(lambda: Presence(ledger))):
            with storage("create the copy of the ledger"):
                halfway.touch(durable.FILE_MODE)
            with schema.ledger_errors():
                _copy(ledger, halfway)
        with storage("name the copy of the ledger"):
            durable.move_new(halfway, target)
        durable.sync_folder(target.parent)
    finally:
        folders.remove(halfway)


def _copy(ledger: Path, target: Path) -> None:
    """Copy page by page, and prove the copy. Raises apsw.Error, Problem."""
    with closing(schema.connect(ledger)) as source, closing(schema.Connection(str(target))) as copy:
        with copy.backup("main", source, "main") as run:
            while not run.done:
                run.step(PAGES)
        copy.pragma("journal_mode", "delete")  # all in the one file, with nothing beside it
        _require_whole(copy)


def _require_whole(copy: schema.Connection) -> None:
    """Raise Problem unless each page and row of a copy is readable, as in the ledger."""
    if copy.execute("PRAGMA integrity_check(1)").get != "ok":
        raise Problem(Code.STORAGE_FAILED, "the copy of the ledger is damaged, so the ledger may be, too")
    last = copy.execute("SELECT ifnull(max(rowid), 0) FROM deliveries").get
    for start in range(0, last, ROWS):
        found = queries.select(copy, "WHERE rowid > ? AND rowid <= ?", start, start + ROWS)
        for damaged in found:
            if isinstance(damaged, DamagedRow):
                raise damaged
