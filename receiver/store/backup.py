"""A copy of the ledger, taken while the service goes on: one whole file, as of one moment."""

import os
from contextlib import closing
from pathlib import Path

import apsw

from receiver.problems import Code, Problem
from receiver.store import durable, schema
from receiver.store.failure import storage
from receiver.store.presence import Presence, patiently

PAGES = 1000  # of 4 KB, copied at once: senders wait for none of it, since readers and writers do not meet in WAL mode


def backup(ledger: Path, target: Path) -> None:
    """Copy the ledger to `target`, which must not exist; durable on return. Raises Problem."""
    with closing(patiently(lambda: Presence(ledger))):
        with storage("create the copy of the ledger"):
            os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, durable.FILE_MODE))
        with schema.ledger_errors():
            whole = _copied(ledger, target)
    if not whole:
        raise Problem(Code.STORAGE_FAILED, "the copy of the ledger is damaged, so the ledger may be, too")
    durable.sync_folder(target.resolve().parent)


def _copied(ledger: Path, target: Path) -> bool:
    """Copy page by page, and tell whether the copy is sound. Raises apsw.Error."""
    source, copy = schema.connect(ledger), apsw.Connection(str(target), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        with copy.backup("main", source, "main") as run:
            while not run.done:
                run.step(PAGES)
        copy.pragma("journal_mode", "delete")  # all in the one file, with nothing beside it
        return bool(copy.pragma("quick_check") == "ok")
    finally:
        copy.close()
        source.close()
