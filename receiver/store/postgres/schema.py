"""The ledger's tables on PostgreSQL: created once, upgraded in place.

Rows are those of SQLite, text for text. Texts are compared byte by byte (`COLLATE "C"`), as SQLite does and as times in
ISO 8601 need it: the rules of a language would put them in another order, and change with the operating system.

Hosts are upgraded one after the other, so older ones work on the tables that a newer one has brought up to date. A step
may add what they do not know: every statement names its columns, and a new column has a default. Where old and new
cannot go on side by side, the step renames what has another meaning now. Then every statement of the older ones is
refused whole, they answer 503 until they are upgraded too, and nothing is written in two meanings.
"""

import psycopg

from receiver.core.problems import Code, Problem
from receiver.store import rows
from receiver.store.postgres.session import Session, connect, ledger_errors
from receiver.store.rows import NO_ROOTS, Roots

LOCK = (
    0x7265636569766572  # of whoever creates the tables: "receiver" in ASCII, so that no other program has it by chance
)

PATIENCE = "10s"  # that a step waits for a table: longer than any transaction of a living host (session.SETTINGS)

# Step n leads from version n to n + 1. A step that has been released is never changed. Column by column the tables are
# those of `sqlite/schema.py`, which says what each one is.
STEPS = (
    """
    CREATE TABLE deliveries (
        rowid BIGINT GENERATED ALWAYS AS IDENTITY,
        id TEXT COLLATE "C" PRIMARY KEY,
        process TEXT COLLATE "C" NOT NULL,
        source_id TEXT COLLATE "C" NOT NULL,
        version INTEGER,
        status TEXT COLLATE "C" NOT NULL,
        received_at TEXT COLLATE "C" NOT NULL,
        committed_at TEXT COLLATE "C",
        published_at TEXT COLLATE "C",
        peer TEXT NOT NULL,
        configuration TEXT NOT NULL,
        parts TEXT NOT NULL,
        documents TEXT NOT NULL,
        records TEXT NOT NULL,
        marker TEXT NOT NULL,
        originals TEXT NOT NULL,
        output TEXT NOT NULL,
        stage TEXT COLLATE "C" NOT NULL,
        code TEXT,
        violations TEXT NOT NULL,
        attempts TEXT NOT NULL,
        attempt_count INTEGER NOT NULL
    );
    CREATE UNIQUE INDEX versions ON deliveries (source_id, process, version);
    CREATE UNIQUE INDEX order_of_acceptance ON deliveries (rowid);
    CREATE INDEX times ON deliveries (received_at);
    CREATE INDEX arrivals ON deliveries (process, received_at);
    CREATE INDEX kept ON deliveries (process, status, received_at) WHERE status IN ('held', 'refused');
    CREATE INDEX unpublished ON deliveries (status, stage, process) WHERE status <> 'published';
    CREATE TABLE claims (
        target TEXT COLLATE "C" PRIMARY KEY,
        id TEXT COLLATE "C" NOT NULL
    );
    CREATE TABLE users (
        name TEXT COLLATE "C" PRIMARY KEY,
        role TEXT NOT NULL,
        hash TEXT NOT NULL
    );
    CREATE TABLE sessions (
        id TEXT COLLATE "C" PRIMARY KEY,
        name TEXT COLLATE "C" NOT NULL,
        began TEXT COLLATE "C" NOT NULL,
        seen TEXT COLLATE "C" NOT NULL
    );
    CREATE TABLE audit (
        rowid BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at TEXT COLLATE "C" NOT NULL,
        person TEXT COLLATE "C" NOT NULL,
        event TEXT COLLATE "C" NOT NULL,
        delivery TEXT COLLATE "C" NOT NULL,
        note TEXT COLLATE "C" NOT NULL
    );
    CREATE INDEX audit_person ON audit (person, at);
    CREATE INDEX audit_note ON audit (note, at) WHERE event IN ('login', 'login-failed');
    CREATE INDEX audit_delivery ON audit (delivery) WHERE delivery <> '';
    CREATE TABLE reservations (
        delivery TEXT COLLATE "C" PRIMARY KEY,
        person TEXT COLLATE "C" NOT NULL,
        at TEXT COLLATE "C" NOT NULL
    );
    CREATE TABLE hosts (                 -- processes that take deliveries in, as long as they live
        incarnation TEXT COLLATE "C" PRIMARY KEY,
        host TEXT NOT NULL,              -- name of the machine
        process INTEGER NOT NULL,        -- its number there
        release TEXT NOT NULL,           -- of this program
        site TEXT NOT NULL,              -- digest of what it serves
        started_at TIMESTAMPTZ NOT NULL DEFAULT now(),
        heartbeat_at TIMESTAMPTZ NOT NULL DEFAULT now()
    );
    """,
    """
    CREATE TABLE digests (
        digest TEXT COLLATE "C" NOT NULL,
        id TEXT COLLATE "C" NOT NULL,
        PRIMARY KEY (digest, id)
    );
    CREATE INDEX digests_id ON digests (id);
    CREATE TABLE jobs (
        id TEXT COLLATE "C" PRIMARY KEY,
        person TEXT NOT NULL,
        action TEXT NOT NULL,
        filters TEXT NOT NULL,
        reason TEXT NOT NULL,
        state TEXT NOT NULL,
        began TEXT COLLATE "C" NOT NULL,
        alive TEXT COLLATE "C" NOT NULL
    );
    CREATE TABLE job_items (
        job TEXT COLLATE "C" NOT NULL,
        number INTEGER NOT NULL,
        delivery TEXT COLLATE "C" NOT NULL,
        seen INTEGER NOT NULL,
        tried TEXT NOT NULL,
        outcome TEXT NOT NULL,
        PRIMARY KEY (job, delivery)
    );
    """,
    """
    CREATE TABLE batch_numbers (
        process TEXT COLLATE "C" NOT NULL,
        name TEXT COLLATE "C" NOT NULL,
        last INTEGER NOT NULL,
        PRIMARY KEY (process, name)
    );
    CREATE TABLE batches (
        process TEXT COLLATE "C" NOT NULL,
        name TEXT COLLATE "C" NOT NULL,
        number INTEGER NOT NULL,
        status TEXT COLLATE "C" NOT NULL,
        opened_at TEXT COLLATE "C" NOT NULL,
        closed_at TEXT COLLATE "C",
        published_at TEXT COLLATE "C",
        closed_by TEXT COLLATE "C" NOT NULL DEFAULT '',
        count INTEGER NOT NULL DEFAULT 0,
        size BIGINT NOT NULL DEFAULT 0,
        output TEXT NOT NULL DEFAULT '',
        stage TEXT COLLATE "C" NOT NULL DEFAULT '',
        file TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (process, name, number)
    );
    CREATE INDEX batches_unpublished ON batches (status, process, name, number) WHERE status <> 'published';
    CREATE TABLE batch_records (
        place BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        process TEXT COLLATE "C" NOT NULL,
        name TEXT COLLATE "C" NOT NULL,
        number INTEGER NOT NULL,
        delivery TEXT COLLATE "C" NOT NULL,
        size BIGINT NOT NULL,
        sha256 TEXT NOT NULL,
        content BYTEA,
        exported TEXT
    );
    CREATE INDEX batch_records_batch ON batch_records (process, name, number, place);
    CREATE INDEX batch_records_delivery ON batch_records (delivery);
    CREATE INDEX batch_records_kept ON batch_records (process, name, number) WHERE content IS NOT NULL;
    """,
    """
    ALTER TABLE deliveries RENAME COLUMN stage TO stage_folder;
    ALTER TABLE batches RENAME COLUMN stage TO stage_folder;
    """,
)
RELATIVE = 4  # the first version whose rows tell paths from the roots on


def create(url: str, roots: Roots = NO_ROOTS) -> None:
    """Create or upgrade the ledger's tables, also beside others who do.

    Raises Problem.
    """
    with ledger_errors(), connect(url) as connection, connection.transaction():
        connection.execute("SET LOCAL lock_timeout = 0")  # another host may be at it, for as long as a step takes
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        connection.execute("SELECT set_config('lock_timeout', %s, true)", (PATIENCE,))
        _require_utf8(connection)
        connection.execute("CREATE TABLE IF NOT EXISTS ledger_version (number INTEGER NOT NULL)")
        known = _version(connection)
        if known > len(STEPS):
            raise Problem(
                Code.STORAGE_FAILED,
                f"the ledger has schema version {known}, and this program knows none above {len(STEPS)}: "
                "start the newer program that wrote it",
            )
        for number, step in enumerate(STEPS[known:], start=known + 1):
            connection.execute(step)
            if number == RELATIVE:
                rows.make_relative(Session(connection, roots))
        if known < len(STEPS):
            connection.execute("DELETE FROM ledger_version")
            connection.execute("INSERT INTO ledger_version VALUES (%s)", (len(STEPS),))


def _require_utf8(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        detail = f"the ledger's database is encoded in {encoding}: create one with ENCODING 'UTF8'"
        raise Problem(Code.STORAGE_FAILED, detail)


def _version(connection: "psycopg.Connection[tuple[object, ...]]") -> int:
    found = Session(connection, NO_ROOTS).execute("SELECT max(number) FROM ledger_version").get
    return int(found or 0)
