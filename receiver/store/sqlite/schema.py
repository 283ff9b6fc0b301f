"""The ledger's tables: created once, before any fork, and upgraded in place."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import apsw

from receiver.core.problems import Code, Problem
from receiver.store import durable, folders, rows
from receiver.store.durable import storage
from receiver.store.rows import NO_ROOTS, Roots
from receiver.store.sqlite.presence import require_none_else

LOCK_SUFFIX = ".lock"
BUSY = 800  # milliseconds that a foreign lock is waited for: a sender is answered within a second
LOOK = 5.0  # seconds at a start to look for damage: enough for some gigabytes; what lies beyond is met when it is used
STEPS_BETWEEN = 10_000  # of SQLite's machine, between two looks at the clock: less than a millisecond
CHECKPOINT_PAGES = 1000  # of 4 KB; SQLite's own default: a checkpoint then takes some milliseconds

# Step n leads from version n to n + 1. A step that has been released is never changed.
STEPS = (
    """
    CREATE TABLE deliveries (
        id TEXT NOT NULL UNIQUE,       -- content-addressed: the same delivery has the same one
        process TEXT NOT NULL,
        source_id TEXT NOT NULL,       -- the platform's own name of the document
        version INTEGER,               -- 1 for the first content under this source_id; NULL until accepted
        status TEXT NOT NULL,          -- committed (accepted, being published), published, held, refused, discarded
        received_at TEXT NOT NULL,     -- ISO 8601, UTC
        committed_at TEXT,
        published_at TEXT,
        peer TEXT NOT NULL,            -- the sender's address
        configuration TEXT NOT NULL,   -- digest of the configuration that judged it
        parts TEXT NOT NULL,           -- JSON: name, type, role, size, sha256 of each
        documents TEXT NOT NULL,       -- JSON: path, target, staged, size, sha256 of each
        records TEXT NOT NULL,         -- JSON, as documents
        marker TEXT NOT NULL,          -- JSON, as documents
        originals TEXT NOT NULL,       -- JSON, as documents: the folder that keeps the parts
        output TEXT NOT NULL,          -- the process's output folder
        stage TEXT NOT NULL,           -- the folder of its files until they are published
        code TEXT,                     -- why it was held or refused
        violations TEXT NOT NULL,      -- JSON: where, rule, message, schema of each
        attempts TEXT NOT NULL,        -- JSON: at, peer, outcome, code, note of the first and the last ones
        attempt_count INTEGER NOT NULL -- how often it was sent, replayed or discarded
    );
    CREATE UNIQUE INDEX versions ON deliveries (source_id, process, version);
    CREATE INDEX times ON deliveries (received_at);
    CREATE INDEX unpublished ON deliveries (status, stage, process) WHERE status <> 'published';
    CREATE TABLE claims (              -- names promised to accepted deliveries and not yet taken
        target TEXT PRIMARY KEY,
        id TEXT NOT NULL
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE users (               -- of the console
        name TEXT PRIMARY KEY,
        role TEXT NOT NULL,            -- auditor, operator, owner
        hash TEXT NOT NULL             -- of the password, by argon2
    ) WITHOUT ROWID;
    CREATE TABLE sessions (
        id TEXT PRIMARY KEY,           -- SHA-256 of what the browser holds
        name TEXT NOT NULL,
        began TEXT NOT NULL,           -- ISO 8601, UTC
        seen TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE audit (               -- who looked at what, and did what; never a field's value
        at TEXT NOT NULL,              -- ISO 8601, UTC
        person TEXT NOT NULL,
        event TEXT NOT NULL,
        delivery TEXT NOT NULL,
        note TEXT NOT NULL
    );
    CREATE INDEX audit_person ON audit (person, at);
    CREATE INDEX audit_note ON audit (note, at) WHERE event IN ('login', 'login-failed');
    CREATE INDEX audit_delivery ON audit (delivery) WHERE delivery <> '';
    """,
    """
    CREATE INDEX kept ON deliveries (status, received_at, process) WHERE status IN ('held', 'refused');
    CREATE TABLE reservations (        -- held deliveries that somebody has before them in the console
        delivery TEXT PRIMARY KEY,
        person TEXT NOT NULL,
        at TEXT NOT NULL
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE digests (             -- keyed digests of values that deliveries are found by
        digest TEXT NOT NULL,          -- HMAC-SHA-256, hexadecimal
        id TEXT NOT NULL,              -- of the delivery
        PRIMARY KEY (digest, id)
    ) WITHOUT ROWID;
    CREATE INDEX digests_id ON digests (id);
    """,
    """
    CREATE TABLE jobs (                -- of the console: one action on many deliveries
        id TEXT PRIMARY KEY,
        person TEXT NOT NULL,
        action TEXT NOT NULL,          -- replay, release, discard
        filters TEXT NOT NULL,
        reason TEXT NOT NULL,
        state TEXT NOT NULL,           -- trying, tried, running, done, stopped
        began TEXT NOT NULL,           -- ISO 8601, UTC
        alive TEXT NOT NULL            -- the last sign of whoever works on it
    ) WITHOUT ROWID;
    CREATE TABLE job_items (
        job TEXT NOT NULL,
        number INTEGER NOT NULL,
        delivery TEXT NOT NULL,
        seen INTEGER NOT NULL,         -- its attempts when the job was begun
        tried TEXT NOT NULL,           -- what the dry run says
        outcome TEXT NOT NULL,
        PRIMARY KEY (job, delivery)
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE batch_numbers (       -- whoever adds to a batch, or closes one, locks the row of its name
        process TEXT NOT NULL,
        name TEXT NOT NULL,
        last INTEGER NOT NULL,         -- the number that was given last
        PRIMARY KEY (process, name)
    ) WITHOUT ROWID;
    CREATE TABLE batches (             -- files that collect records of many deliveries
        process TEXT NOT NULL,
        name TEXT NOT NULL,
        number INTEGER NOT NULL,       -- from 1 on, without gaps
        status TEXT NOT NULL,          -- open, closed (its records are settled), committed, published
        opened_at TEXT NOT NULL,       -- ISO 8601, UTC
        closed_at TEXT,
        published_at TEXT,
        closed_by TEXT NOT NULL DEFAULT '',  -- a delivery, "time", or who did it by hand
        count INTEGER NOT NULL DEFAULT 0,    -- records
        size INTEGER NOT NULL DEFAULT 0,     -- bytes of them
        output TEXT NOT NULL DEFAULT '',
        stage TEXT NOT NULL DEFAULT '',      -- the folder of its file until it is published
        file TEXT NOT NULL DEFAULT '',       -- JSON, as documents
        PRIMARY KEY (process, name, number)
    ) WITHOUT ROWID;
    CREATE INDEX batches_unpublished ON batches (status, process, name, number) WHERE status <> 'published';
    CREATE TABLE batch_records (
        place INTEGER PRIMARY KEY,     -- their order is that of acceptance
        process TEXT NOT NULL,
        name TEXT NOT NULL,
        number INTEGER NOT NULL,
        delivery TEXT NOT NULL,
        size INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        content BLOB,                  -- NULL once the batch is published
        exported TEXT                  -- JSON: what header and trailer may read; NULL once it is published
    );
    CREATE INDEX batch_records_batch ON batch_records (process, name, number, place);
    CREATE INDEX batch_records_delivery ON batch_records (delivery);
    CREATE INDEX batch_records_kept ON batch_records (process, name, number) WHERE content IS NOT NULL;
    """,
    """
    DROP INDEX times;
    CREATE INDEX times ON deliveries (received_at, process);  -- rows of other processes are passed over unread
    """,
    """
    CREATE INDEX arrivals ON deliveries (process, received_at) WHERE process <> '';  -- partial, so that SQLite, which
    -- knows nothing of how many rows are alike, takes it for no query but those that repeat the condition
    """,
    # Paths are told from the roots on. A program of before would take them for paths that do not exist, and what left
    # the stage for published: without the column that it knows it neither reads nor writes.
    """
    ALTER TABLE deliveries RENAME COLUMN stage TO stage_folder;
    ALTER TABLE batches RENAME COLUMN stage TO stage_folder;
    """,
)
RELATIVE = 9  # the first version whose rows tell paths from the roots on


class Connection(apsw.Connection):
    """A connection that knows where the roots of the paths in its rows are."""

    roots: Roots = NO_ROOTS


class Damaged(Problem):
    """A ledger that is not what SQLite wrote any more."""

    def __init__(self) -> None:
        super().__init__(
            Code.STORAGE_FAILED, "the ledger is damaged: stop the service, restore a backup of it and start"
        )


def path_of(url: str) -> Path:
    """Return the absolute path of a URL such as `sqlite:var/ledger.db`.

    Raises Problem.
    """
    scheme, _, path = url.partition(":")
    if scheme != "sqlite" or not path:
        raise Problem(Code.STORAGE_FAILED, "the ledger is written as sqlite:PATH, such as sqlite:var/ledger.db")
    return Path(path).resolve()


def create(path: Path, roots: Roots = NO_ROOTS) -> None:
    """Create the ledger or bring it up to date. Raises Problem.

    Called before workers are forked, and leaves no connection behind: none may cross a fork.
    """
    with storage(f"create the ledger's folder {path.parent}"):
        path.parent.mkdir(mode=folders.FOLDER_MODE, parents=True, exist_ok=True)
    with locked(path), ledger_errors():
        require_none_else(path)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, durable.FILE_MODE))
        connection = connect(path)
        connection.roots = roots
        try:
            connection.pragma("journal_mode", "wal")
            require_sound(connection)
            _upgrade(connection)
        finally:
            connection.close()
    durable.sync_folder(path.parent)


def require_sound(connection: apsw.Connection) -> None:
    """Look whether every page of the ledger is in order, as far as LOOK reaches.

    Raises Problem.
    """
    deadline = time.monotonic() + LOOK
    connection.set_progress_handler(lambda: time.monotonic() > deadline, STEPS_BETWEEN)
    try:
        sound = connection.execute("PRAGMA quick_check(1)").get == "ok"
    except apsw.InterruptError:
        sound = True  # as far as could be seen
    finally:
        connection.set_progress_handler(None)
    if not sound:
        raise Damaged


def require_up_to_date(connection: apsw.Connection) -> None:
    """Raise Problem for a ledger of an older program."""
    version = connection.pragma("user_version")
    if version < len(STEPS):
        raise Problem(
            Code.STORAGE_FAILED,
            f"the ledger has schema version {version}, and this program needs {len(STEPS)}: "
            "start the service, which brings it up to date",
        )


def _upgrade(connection: Connection) -> None:
    version = connection.pragma("user_version")
    if version > len(STEPS):
        raise Problem(
            Code.STORAGE_FAILED,
            f"the ledger has schema version {version}, and this program knows none above {len(STEPS)}: "
            "start the newer program that wrote it",
        )
    for number, step in enumerate(STEPS[version:], start=version + 1):
        with connection:
            connection.execute(step)
            if number == RELATIVE:
                rows.make_relative(connection)
            connection.pragma("user_version", number)


def connect(path: Path) -> Connection:
    """Open the ledger, which must exist. Raises apsw.Error."""
    connection = Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    connection.set_busy_timeout(BUSY)
    connection.transaction_mode = "IMMEDIATE"
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, True)  # else each sorted query is planned anew
    connection.pragma("synchronous", "full")
    connection.pragma("secure_delete", "on")  # what retention lets go names patients, and is not to stay in freed pages
    connection.wal_autocheckpoint(CHECKPOINT_PAGES)
    return connection


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock that orders the ledger's writers, waiting for it."""
    with storage("lock the ledger"):
        lock = os.open(f"{path}{LOCK_SUFFIX}", os.O_RDWR | os.O_CREAT, durable.FILE_MODE)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError:
            os.close(lock)
            raise
    try:
        yield
    finally:
        os.close(lock)


class ledger_errors:  # noqa: N801 (used as a statement: `with ledger_errors():`)
    """Turn what SQLite refuses inside into a Problem."""

    __slots__ = ()

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, apsw.Error):
            raise problem_of(error) from None


def problem_of(error: apsw.Error) -> Problem:
    """Return the Problem that SQLite's refusal is."""
    if isinstance(error, apsw.CorruptError | apsw.NotADBError):
        return Damaged()
    if isinstance(error, apsw.FullError):
        return Problem(Code.DISK_FULL, "could not write to the ledger (its disk is full)")
    return Problem(Code.STORAGE_FAILED, f"could not use the ledger ({type(error).__name__})")
