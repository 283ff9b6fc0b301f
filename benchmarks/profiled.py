"""The service as gunicorn serves it, with its steps watched: the configuration that `make profile` starts it with."""

import concurrent.futures.thread
import hashlib
import os
import threading
import time
from pathlib import Path
from typing import Any

import flask
from gunicorn.http import wsgi

from benchmarks import spans
from receiver import log
from receiver.delivery import context as context
from receiver.delivery import form, parts, receive, render
from receiver.formats import checking as records
from receiver.schemas import json_schema, json_text
from receiver.server import connection, pace, worker
from receiver.server.configuration import *  # noqa: F403
from receiver.site.config import tokens
from receiver.store import durable, ledger, publish, quarantine, stage
from receiver.store.sqlite import writers
from receiver.templates import template
from receiver.web import deliveries, replies

workers = 1
WARM_UP = int(os.environ["PROFILE_WARM_UP"])  # deliveries before the account begins
COUNT = int(os.environ["PROFILE_COUNT"])  # deliveries that are accounted for
WRITTEN = Path(os.environ["WATCHED"])

SERVER, FLASK = "gunicorn: thread pool, WSGI", "WSGI: to the door"
FILES, SYNC, WRITE = "files: create, look, rename, remove", "fsync: files and folders", "write to the stage"
STEPS = (
    (spans.ROOT, concurrent.futures.thread._WorkItem, "run"),
    (SERVER, worker.Worker, "take_in"),
    ("head: await the next", connection.Connection, "goes_on"),
    ("head: read and parse", connection.Connection, "next_request"),
    ("head: WSGI environment", wsgi, "create"),
    (FLASK, flask.Flask, "__call__"),
    ("door: the view", deliveries, "_answer"),
    ("token, free space", tokens.Tokens, "find"),
    ("token, free space", context.Context, "stage_with_space"),
    ("body: receive", pace.PacedSocket, "recv"),
    ("body: split into sections", form, "sections"),
    ("body: split into sections", form._Body, "_ends"),
    ("body: heads of sections", form, "section"),
    ("path: intake", receive, "receive"),
    ("parts: match and stage", parts, "collect"),
    (WRITE, durable.NewFile, "write"),
    ("metadata: read into fields", receive, "read"),
    ("metadata: parse JSON", json_text, "loads"),
    ("schemas: judge", json_schema.JsonSchema, "violations"),
    ("records: names, rules", render, "as_published"),
    ("records: names, rules", render, "render"),
    ("records: render templates", template.Template, "render"),
    ("plan: outputs, entry", render, "plan"),
    ("stage: open and clear", stage.Stage, "_claim"),
    ("stage: open and clear", stage, "discard"),
    ("ledger: look up", ledger.Ledger, "find"),
    ("ledger: look up", ledger.Ledger, "latest"),
    ("ledger: note a duplicate", ledger.Ledger, "attempted"),
    ("ledger: write the row", ledger.Ledger, "commit"),
    ("ledger: COMMIT, with its fsync", writers.Writers, "_commit"),
    ("ledger: mark as published", ledger.Ledger, "published"),
    ("commit", publish, "commit"),
    ("publish", publish, "publish"),
    ("quarantine", quarantine, "discard"),
    (FILES, durable, "rename_new"),
    (WRITE, durable.NewFile, "start_writing"),
    ("answer: receipt", replies, "accepted"),
    ("answer: send", wsgi.Response, "write"),
    ("answer: send", wsgi.Response, "close"),
    ("log", log, "accepted"),
)
SYSTEM = {
    FILES: "open close mkdir rmdir unlink stat lstat fstat rename listdir scandir link statvfs utime",
    SYNC: "fsync fdatasync",
    WRITE: "write",
}


class _Hash:
    """SHA-256, watched: the library's own type cannot be."""

    def __init__(self, content: bytes = b"") -> None:
        self._inner = _sha256(content)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


_sha256 = hashlib.sha256
_Hash.update = spans.charged("hash", lambda self, chunk: self._inner.update(chunk))  # type: ignore[attr-defined]


_checker = records.checker  # watched at once: the master compiles, and its workers take that over
records.checker = lambda *named: spans.charged("records: check", _checker(*named))


def post_fork(_server: Any, _worker: Any) -> None:
    """Watch what must be watched before the application is there."""
    hashlib.sha256 = _Hash  # type: ignore[assignment]
    for step, names in SYSTEM.items():
        for name in names.split():
            spans.watch(step, os, name)
    for step, owner, name in STEPS:
        spans.watch(step, owner, name)


def post_worker_init(_worker: Any) -> None:
    """Watch what is there once the application is."""
    from receiver.operations.meters import Meters

    for name in ("begin", "accepted", "end"):
        spans.watch("metrics", Meters, name)
    counted = worker.Worker.take_in
    main = time.pthread_getcpuclockid(threading.main_thread().ident or 0)
    charge = spans.cost()
    done = 0
    begun: tuple[float, float, float] = (0, 0, 0)

    def take_in(self: Any, conn: Any) -> Any:
        nonlocal done, begun
        if done == WARM_UP:
            spans.forget()
            begun = time.process_time(), time.clock_gettime(main), time.perf_counter()
        answer = counted(self, conn)
        done += 1
        if done == WARM_UP + COUNT:
            cpu, loop, wall = time.process_time(), time.clock_gettime(main), time.perf_counter()
            spans.write(WRITTEN, whole=cpu - begun[0], loop=loop - begun[1], elapsed=wall - begun[2], charge=charge)
        return answer

    worker.Worker.take_in = take_in  # type: ignore[assignment, method-assign]
