"""What the ledger and the disk take: commits of several processes, a million rows, ten thousand to recover.

    python -m benchmarks.ledger [writers|rows|recovery|sections …] [--disk FOLDER]

Each case works on the real ledger and the real stage, in a folder of its own on the disk that is measured; there is no
HTTP and no template. It prints one line for each measurement, and the ratio that matters.
"""

import argparse
import multiprocessing
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path

import apsw

from benchmarks import tools
from receiver.core.delivery import Kind, Output, Status
from receiver.store import ledger, originals, quarantine, queries, recover
from receiver.store.entry import Attempt, Entry, PartLine
from receiver.store.ledger import Ledger
from receiver.store.sqlite import schema
from receiver.store.stage import Stage, stage_for
from receiver.store.staged import Staged

PROCESSES, THREADS = 2, 8
SECONDS = 6.0  # of each measurement with several writers
ROWS = 1_000_000
SAMPLE = 400  # deliveries of one measurement with one writer
UNFINISHED = 10_000
SECTIONS = 1_000
DOCUMENT = b"II*\0" + os.urandom(100_000)
START = datetime(2026, 1, 1, tzinfo=UTC)


class Place:
    """An installation in a folder."""

    def __init__(self, root: Path) -> None:
        self.data, self.output = root / "var", root / "output"
        url = f"sqlite:{self.data / 'ledger.db'}"
        ledger.create(url)
        quarantine.ensure_folder(self.data)
        originals.ensure_folder(self.data)
        self.stage: Stage = stage_for(self.data, self.output)
        self.ledger = Ledger(url)


def entry(place: Place, id_: str, **more: object) -> Entry:
    """Return an entry as large as that of a usual delivery."""
    parts = (
        PartLine("file", "image/tiff", "document", len(DOCUMENT), "0" * 64),
        PartLine("metadata", "application/json", "metadata", 2000, "1" * 64),
    )
    names = ((Kind.DOCUMENT, "tif"), (Kind.RECORD, "hl7"), (Kind.RECORD, "json"))
    outputs = tuple(
        Output(kind, f"{number}", f"{id_}.{end}", f"{place.output}/{id_}.{end}", 1000, "2" * 64)
        for number, (kind, end) in enumerate(names)
    )
    made = Entry(id_, "referrals", id_, 1, START, "192.0.2.1", "c" * 64, parts, outputs, str(place.output))
    return made._replace(**more)  # type: ignore[arg-type]


def attempt() -> Attempt:
    return Attempt(START, "192.0.2.1", "accepted")


def writers(root: Path) -> None:
    """Commit as fast as possible from several processes with several threads each."""
    Place(root)
    together = multiprocessing.Barrier(PROCESSES * THREADS)
    told: multiprocessing.Queue[list[float]] = multiprocessing.Queue()
    children = [
        multiprocessing.get_context("fork").Process(target=_write, args=(root, number, together, told))
        for number in range(PROCESSES)
    ]
    for child in children:
        child.start()
    took = sorted(each for _ in children for each in told.get())
    for child in children:
        child.join()
    p50, p99 = (took[int(len(took) * part)] * 1000 for part in (0.5, 0.99))
    print(
        f"writers: {PROCESSES} × {THREADS}: {len(took) / SECONDS:.0f} commits/s, "
        f"p50 {p50:.2f} ms, p99 {p99:.2f} ms, longest {took[-1] * 1000:.1f} ms"
    )


def _write(root: Path, number: int, together: Barrier, told: "multiprocessing.Queue[list[float]]") -> None:
    place = Place(root)
    took: list[float] = []

    def work(thread: int) -> None:
        together.wait()
        until = time.perf_counter() + SECONDS
        count = 0
        while (begin := time.perf_counter()) < until:
            count += 1
            place.ledger.commit(entry(place, f"{number}-{thread}-{count}"), attempt())
            took.append(time.perf_counter() - begin)

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(THREADS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    told.put(took)


def rows_(root: Path) -> None:
    """Compare a delivery's questions and writes in a ledger of a million rows with those in an empty one."""
    empty, full = Place(root / "empty"), Place(root / "full")
    _fill(full)
    costs: dict[str, list[float]] = {"empty": [], "full": []}
    cpu: dict[str, list[float]] = {"empty": [], "full": []}
    for number in range(SAMPLE):
        for name, place in (("empty", empty), ("full", full)) if number % 2 else (("full", full), ("empty", empty)):
            begin, began = time.perf_counter(), time.thread_time()
            _one(place, f"N{os.urandom(8).hex()}", number)
            costs[name].append(time.perf_counter() - begin)
            cpu[name].append(time.thread_time() - began)
    for name in costs:
        p50, used = statistics.median(costs[name]) * 1000, statistics.median(cpu[name]) * 1000
        print(f"rows: {name}: {p50:.2f} ms a delivery (median), {used:.3f} ms of processor time")
    wall, used = (
        statistics.median(full / empty for full, empty in zip(each["full"], each["empty"], strict=True))
        for each in (costs, cpu)
    )
    print(f"rows: {ROWS} rows against none: {wall:.2f} × as long, {used:.2f} × the processor time")


def _one(place: Place, id_: str, number: int) -> None:
    """Do what a delivery does with the ledger."""
    place.ledger.find(id_)
    place.ledger.latest("referrals", id_)
    new = entry(place, id_, received_at=START + timedelta(days=400, seconds=number))
    place.ledger.commit(new, attempt())
    place.ledger.published([new], START)


def _fill(place: Place) -> None:
    connection = schema.connect(place.ledger.path)
    connection.pragma("synchronous", "off")
    with connection:
        for number in range(ROWS):
            id_ = f"{number * 7919 % ROWS:07}{os.urandom(7).hex()}"
            made = entry(place, id_, status=Status.PUBLISHED, published_at=START)
            made = made._replace(received_at=START + timedelta(seconds=30 * number)).tried(attempt())
            queries.put(connection, made)
    connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    connection.close()


def recovery(root: Path) -> None:
    """Recover deliveries that were accepted, none of which was published."""
    place = Place(root)
    entries = [_left(place, number) for number in range(UNFINISHED)]
    connection = schema.connect(place.ledger.path)
    with connection:
        for each in entries:
            queries.put(connection, each)
    connection.close()
    os.sync()
    begin, began = time.perf_counter(), time.process_time()
    report = recover.recover(place.ledger, place.data, [place.stage.root])
    took, used = time.perf_counter() - begin, time.process_time() - began
    assert len(report.finished) == UNFINISHED, report.failed
    print(f"recovery: {UNFINISHED} accepted deliveries: {took:.1f} s, {used:.1f} s of processor time")


def _left(place: Place, number: int) -> Entry:
    folder = place.stage.root / f"{number:020x}"
    folder.mkdir()
    made = entry(place, f"R{number:06}", status=Status.COMMITTED, committed_at=START, stage=str(folder))
    for output in made.outputs:
        (folder / output.staged).write_bytes(output.path.encode())
    return made.tried(attempt())


def sections(root: Path) -> None:
    """Take in a delivery of many small sections: each is a file that must be durable."""
    place = Place(root)
    for count in (1, 10, 100, SECTIONS):
        took = []
        for _ in range(5):
            with place.stage.open() as staged:
                begin = time.perf_counter()
                _stage(staged, count)
                staged.seal()
                took.append(time.perf_counter() - begin)
        print(f"sections: {count}: {statistics.median(took) * 1000:.1f} ms until all are durable")


def _stage(staged: Staged, count: int) -> None:
    for _ in range(count):
        staged.part(".tif").write(DOCUMENT[:2000])


CASES: dict[str, Callable[[Path], None]] = {
    "writers": writers,
    "rows": rows_,
    "recovery": recovery,
    "sections": sections,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ledger", description=__doc__.split("\n")[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}; all, if none is named")
    parser.add_argument("--disk", type=Path, default=tools.CACHE, help="folder on the disk that is measured")
    arguments = parser.parse_args()
    arguments.disk.mkdir(exist_ok=True)
    for name in arguments.cases or CASES:
        with tempfile.TemporaryDirectory(prefix="ledger-", dir=arguments.disk) as folder, suppress(KeyboardInterrupt):
            CASES[name](Path(folder))


if __name__ == "__main__":
    main()
