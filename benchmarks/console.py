"""Times of the console's pages over a ledger of many rows.

    python -m benchmarks.console [ROWS…]

Prints the median and the slowest of some requests to each page, in milliseconds of the clock, and the median of the
processor's, which tells the page's own work where the machine has other things to do: 10,000 and 1,000,000 rows unless
others are named.
"""

import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from statistics import median
from time import perf_counter, process_time
from typing import Any

import apsw
from argon2 import PasswordHasher
from flask.testing import FlaskClient

from receiver.app import create_app as create_service
from receiver.core.delivery import Kind, Output, Status
from receiver.core.problems import Code
from receiver.core.settings import Settings
from receiver.store import rows
from receiver.store.accounts import Accounts, Role, User
from receiver.store.entry import Attempt, Entry
from receiver.store.ledger import Ledger
from receiver.web.console import create_app
from tests.console.conftest import deliver
from tests.console.sample import PASSWORD, ROOT, TOKEN

OURS = {"Sec-Fetch-Site": "same-origin"}
REQUESTS = 9  # to each page
SPAN = timedelta(days=30)  # in which they came
HELD = 500  # every so many-th is held, and another one refused
PAGES = {
    "now": ("GET", "/"),
    "deliveries": ("GET", "/deliveries"),
    "of one process": ("GET", "/deliveries?process=referrals"),
    "of a process that has been silent": ("GET", "/deliveries?process=intake-forms"),
    "held": ("GET", "/deliveries?status=held"),
    "published, of one process": ("GET", "/deliveries?process=lab-reports&status=published"),
    "discarded": ("GET", "/deliveries?status=discarded"),
    "an older page": ("GET", "/deliveries?older={old}"),
    "since half a month": ("GET", "/deliveries?since={old}"),
    "search by sourceId": ("POST", "/deliveries"),
    "one delivery": ("GET", "/deliveries/{held}"),
    "a page of its fax": ("GET", "/deliveries/{held}/documents/0/1.png"),
    "station": ("GET", "/station/referrals"),
    "workbench": ("GET", "/workbench/referrals"),
    "jobs": ("GET", "/jobs"),
    "audit": ("GET", "/audit"),
}


def main(counts: list[int]) -> None:
    """Print the times for each number of rows."""
    logging.disable(logging.WARNING)
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            made, held = _console(folder, count)
            print(f"{count:,} rows")
            for name, (method, path) in PAGES.items():
                old = (datetime.now(UTC) - SPAN / 2).strftime("%Y-%m-%dT%H:%M")
                path = path.format(old=old, held=held)
                _milliseconds(made, method, path)  # compiles the site, reads templates
                clock, processor = zip(*(_milliseconds(made, method, path) for _ in range(REQUESTS)), strict=True)
                print(f"  {name:36} {median(clock):7.1f} {max(clock):7.1f} ms, processor {median(processor):7.1f} ms")


def _console(folder: str, count: int) -> tuple[FlaskClient, str]:
    """Return a console over so many rows, with somebody who is logged in, and the id of a held fax."""
    environ = {"RECEIVER_SITE": str(ROOT), "RECEIVER_DATA": f"{folder}/var", "RECEIVER_TOKEN": TOKEN}
    settings = Settings.from_environment(environ)
    os.environ["RECEIVER_TOKEN"] = TOKEN
    deliver(create_service(settings), "S-held", {"mrn": ("0007123O", 0.61)})
    ledger = Ledger(settings.ledger)
    held = ledger.search(source_id="S-held")[0].id
    _fill(str(ledger.path), count)
    password = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    Accounts(ledger.connections).put(User("ada", Role.OWNER, password))
    made = create_app(settings).test_client()
    made.post("/login", data={"name": "ada", "password": PASSWORD}, headers=OURS)
    return made, held


def _fill(path: str, count: int) -> None:
    """Write rows into a ledger, as those of deliveries are."""
    marks = ", ".join("?" * len(rows.COLUMNS))
    with apsw.Connection(path) as connection:
        insert = f"INSERT INTO deliveries ({', '.join(rows.COLUMNS)}) VALUES ({marks})"
        connection.executemany(insert, _rows(count))


def _rows(count: int) -> Iterator[tuple[Any, ...]]:
    now = datetime.now(UTC)
    for number in range(count):
        process = "intake-forms" if number < count // 100 else "referrals" if number % 10 else "lab-reports"
        at = now - SPAN * (1 - number / count)
        yield rows.row(_entry(number, process, at), rows.NO_ROOTS)


def _entry(number: int, process: str, at: datetime) -> Entry:
    outputs = tuple(
        Output(Kind.RECORD, f"{n}", f"{process}/{number}.{n}", f"/o/{number}.{n}", 900, "0" * 64) for n in "ab"
    )
    entry = Entry(f"{number:020}", process, f"S{number}", 1, at, "192.0.2.1", "0" * 64, outputs=outputs)
    entry = entry._replace(output="/o", status=Status.PUBLISHED, committed_at=at, published_at=at)
    if number % HELD < 2:
        status = Status.REFUSED if number % HELD else Status.HELD
        entry = entry._replace(status=status, version=None, outputs=(), code=Code.CONFIDENCE_LOW, published_at=None)
    return entry.tried(Attempt(at, "192.0.2.1", entry.status.value))


def _milliseconds(made: FlaskClient, method: str, path: str) -> tuple[float, float]:
    """Return how long an answer takes by the clock and of the processor."""
    begun, worked = perf_counter(), process_time()
    answer = made.open(path, method=method, headers=OURS, data={"known": "S4711"} if method == "POST" else None)
    taken = 1000 * (perf_counter() - begun), 1000 * (process_time() - worked)
    if answer.status_code != 200:
        raise SystemExit(f"{path} is answered {answer.status_code}")
    return taken


if __name__ == "__main__":
    main([int(each) for each in sys.argv[1:]] or [10_000, 1_000_000])
