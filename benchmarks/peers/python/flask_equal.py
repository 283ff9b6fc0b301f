"""The fast receiver in Flask with the promises of ours: a token, SHA-256 of the parts, and each delivery once.

One row a delivery in SQLite, which is durable before a file gets its name: `synchronous=FULL`, and the id, which comes
from the content, is the key. What it does not have is recovery, quarantine, and values escaped by their place.
"""

import fcntl
import hashlib
import hmac
import json
import os
import sqlite3
import threading
from datetime import UTC, datetime

import flask_tuned as tuned
import jsonschema
from common import OUTPUT, publish
from flask import Flask, request
from lxml import etree

TOKEN = f"Bearer {os.environ['PEER_TOKEN']}".encode()
LEDGER = OUTPUT.parent / "ledger.db"
TABLE = """
CREATE TABLE IF NOT EXISTS deliveries (
    id TEXT PRIMARY KEY, process TEXT NOT NULL, source_id TEXT NOT NULL, received_at TEXT NOT NULL, files TEXT NOT NULL
) WITHOUT ROWID
"""

app = Flask(__name__)
of_thread = threading.local()


def ledger() -> sqlite3.Connection:
    """Return the connection of this thread."""
    if not hasattr(of_thread, "connection"):
        of_thread.connection = sqlite3.connect(LEDGER, timeout=10, isolation_level=None)
        of_thread.connection.execute("PRAGMA synchronous=FULL")
    return of_thread.connection


def create() -> None:
    """Create the ledger, one worker after the other: of two that switch to WAL at once SQLite refuses one unwaited."""
    with LEDGER.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ledger().execute("PRAGMA journal_mode=WAL")
        ledger().execute(TABLE)


create()


@app.post("/api/nextstep/delivery/<process>")
def deliver(process):
    if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), TOKEN):
        return {"error": "a token is asked for"}, 401
    digests = sorted((name, digest(part.stream)) for name, part in request.files.items())
    try:
        metadata = tuned.read_xml() if process == "reports" else tuned.read_json()
        fields = {field["name"]: field["value"] for field in metadata["fields"]}
        tuned.FIELDS[process].validate(fields)
    except (jsonschema.ValidationError, etree.DocumentInvalid) as error:
        return {"error": str(error)}, 422
    name = hashlib.sha256(json.dumps([process, metadata["sourceId"], digests]).encode()).hexdigest()[:20]
    if known := ledger().execute("SELECT files FROM deliveries WHERE id = ?", (name,)).fetchone():
        return receipt(name, known[0], duplicate=True)
    return accept(process, name, metadata, fields)


def accept(process, name, metadata, fields):
    now = datetime.now(UTC)
    names = {"id": name, "metadata": metadata, "fields": fields, "received": now.strftime("%Y%m%d%H%M%S")}
    staged = OUTPUT / f"{name}.tif.{threading.get_ident()}.part"
    request.files["file"].save(staged, buffer_size=1024 * 1024)
    templates = tuned.TEMPLATES[process].items()
    records = {OUTPUT / f"{name}.{kind}": each.render(names).encode() for kind, each in templates}
    files = json.dumps([f"{name}.tif", *(path.name for path in records)])
    row = (name, process, metadata["sourceId"], now.isoformat(), files)
    try:
        publish(records, staged, OUTPUT / f"{name}.tif", lambda: ledger().execute(INSERT, row))
    except sqlite3.IntegrityError:
        return receipt(name, files, duplicate=True)
    return receipt(name, files, duplicate=False)


INSERT = "INSERT INTO deliveries (id, process, source_id, received_at, files) VALUES (?, ?, ?, ?, ?)"


def receipt(name: str, files: str, *, duplicate: bool) -> dict:
    return {"id": name, "status": "published", "files": json.loads(files), "duplicate": duplicate}


def digest(stream) -> str:
    """Return the digest of a part, and go back to its beginning."""
    found = hashlib.sha256()
    while chunk := stream.read(1024 * 1024):
        found.update(chunk)
    stream.seek(0)
    return found.hexdigest()
