"""A delivery that fills a batch, and the closing of one in time: killed, refused, or without power at each step.

    sudo python -m tests.crash.batches

After that a recovery and housekeeping run, and the senders try again. Each record must be in one batch, once; the
numbers of the batches have no gap; an answer that was given must be true; nothing may be left in the stage, and no
record may wait for ever.
"""

import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from receiver.core.batches import BatchStatus
from receiver.core.problems import Problem
from receiver.core.settings import Settings
from receiver.delivery import batches
from receiver.delivery.context import Context, open_context
from receiver.site import compiling
from receiver.store import ledger
from tests.crash import power, syscalls
from tests.crash.syscalls import Bench, Point
from tests.support.batch_site import PROCESS, BatchSite
from tests.support.batch_site import deliver as deliver_to
from tests.support.leftovers import left_in

HEADER = "name,amount,document\r\n"
Hits = Iterator[tuple[str, list[str] | None]]


def bench(folder: Path) -> Bench:
    """Compile a site whose batches are full with two records, or closed after a day."""
    site = BatchSite.at(folder / "batch-site", PROCESS.replace("count = 3", "count = 2"))
    return Bench(folder, replace(site.settings, data=folder / "var"), compiling.proven(site.settings, {}))


def context(bench: Bench, settings: Settings) -> Context:
    """Return the context over a data folder; opening it recovers what lies there."""
    process = replace(bench.processes["index"], output=(settings.output / "index").absolute())
    ledger.create(settings.ledger)
    return open_context(settings, {"index": process})


def deliver(context: Context, source_id: str) -> dict | None:
    """Take a delivery in; return what its sender is told, None for a problem."""
    try:
        receipt = deliver_to(context, source_id, document=True)
    except Problem:
        return None
    return {"id": receipt.id, "duplicate": receipt.duplicate}


def with_one(bench: Bench, settings: Settings) -> Context:
    """Return the context with one record in a batch."""
    prepared = context(bench, settings)
    assert deliver(prepared, "earlier")
    return prepared


def fill(context: Context) -> dict | None:
    """Take in the delivery that fills the batch."""
    told = deliver(context, "1")
    with suppress(Problem):
        context.ledger.connections.flush()
    return told


def close(context: Context) -> None:
    """Close the batch, and publish it, as housekeeping does when its time is over."""
    with suppress(Problem):
        batches.look(context, datetime.now(UTC) + timedelta(days=1))


@dataclass(frozen=True)
class Kind:
    """What is hit."""

    name: str
    work: Callable[[Context], dict | None]


KINDS = (Kind("delivery that fills a batch", fill), Kind("closing of a batch", close))


def violations(bench: Bench, settings: Settings, told: dict | None) -> list[str]:
    """Recover, keep house, have all senders try again, and fill two more batches. Returns what must not be."""
    if told and "raised" in told:
        return [f"it raised {told['raised']}"]
    try:
        again = context(bench, settings)
    except Problem as problem:
        return [f"the service cannot start: {problem.detail}"]
    batches.look(again, datetime.now(UTC))
    answered = ["earlier", *(["1"] if told else [])]
    found = [f"{each} was answered, and is in no batch" for each in answered if _where(again, each) is None]
    for source_id in ("earlier", "1", "2", "3", "4"):
        receipt = deliver(again, source_id)
        if receipt is None or (source_id in answered and not receipt["duplicate"]):
            found.append(f"the second try of {source_id} was answered {receipt}")
    close(again)
    found += _files(again, settings)
    again.ledger.close()
    for stage in again.stages.values():
        stage.close()
    return found


def _where(context: Context, source_id: str) -> int | None:
    rows = context.ledger.search(source_id=source_id)
    found = context.ledger.batches.of_deliveries([row.id for row in rows]) if rows else {}
    return next((batch.number for each in found.values() for batch in each), None)


def _files(context: Context, settings: Settings) -> list[str]:
    """Return what is wrong with the files of all batches, now that none may be open any more."""
    found = []
    files = {path.name: path.read_bytes().decode() for path in (settings.output / "index").glob("*.csv")}
    rows = [line.split(",")[2] for text in files.values() for line in text.split("\r\n")[1:-2]]
    if sorted(rows) != ["1", "2", "3", "4", "earlier"]:
        found.append(f"the records in files are {rows}")
    known = context.ledger.batches.latest()
    if sorted(files) != sorted(f"index-{number}.csv" for number in range(1, len(known) + 1)):
        found.append(f"the files are {sorted(files)} of {len(known)} batches")
    for batch in known:
        text = files.get(f"index-{batch.number}.csv", "")
        if batch.status is not BatchStatus.PUBLISHED or not text.startswith(HEADER):
            found.append(f"batch {batch.number} is {batch.status}, with {text[:20]!r}")
        if not text.endswith(f"{batch.count},{batch.count * 1.5:.2f},{batch.number}\r\n"):
            found.append(f"batch {batch.number} has not its trailer")
        if [row for row in context.ledger.search() if _where(context, row.source_id) is None]:
            found.append("a delivery is in no batch")
    if len(list((settings.output / "index").glob("*.tif"))) != len(rows):
        found.append("the documents are not those of the records")
    if left_in(settings.data / "stage"):
        found.append("something is left in the stage")
    counted = "SELECT (SELECT count(*) FROM claims) + (SELECT count(content) FROM batch_records)"
    context.ledger.connections.flush()
    if context.ledger.connections.read(lambda connection: connection.execute(counted).get):
        found.append("a name is claimed, or a record kept, that is published")
    return found


def hits(bench: Bench, kind: Kind, every: int = 1) -> Hits:
    """Hit at every call, or at each `every`-th of them; None is found at the others."""
    log = bench.folder / "strace.log"
    settings = bench.fresh()
    syscalls.hit(None, log, lambda: with_one(bench, settings), kind.work)
    for number, point in enumerate(syscalls.points(syscalls.calls(log))):
        yield str(point), None if number % every else _hit(bench, kind, point, log)


def _hit(bench: Bench, kind: Kind, point: Point, log: Path) -> list[str]:
    settings = bench.fresh()
    told = syscalls.hit(point, log, lambda: with_one(bench, settings), kind.work)
    found = violations(bench, settings, told)
    shutil.rmtree(settings.data)
    return found


def recoveries(bench: Bench, every: int = 1) -> Hits:
    """Kill the recovery of a batch that was accepted, and another one at the same point; a third one must do."""
    log = bench.folder / "strace.log"
    settings = bench.fresh()
    _leave_accepted(bench, settings, log)
    syscalls.hit(None, log, lambda: None, lambda _: context(bench, settings).ledger.close())
    kills = [point for point in syscalls.points(syscalls.calls(log)) if point.how == "signal=KILL"]
    for number, point in enumerate(kills):
        yield str(point), None if number % every else _recovery(bench, point, log)


def _recovery(bench: Bench, point: Point, log: Path) -> list[str]:
    settings = bench.fresh()
    _leave_accepted(bench, settings, log)
    for _ in range(2):
        syscalls.hit(point, log, lambda: None, lambda _: context(bench, settings).ledger.close())
    found = violations(bench, settings, None)
    shutil.rmtree(settings.data)
    return found


def _leave_accepted(bench: Bench, settings: Settings, log: Path) -> None:
    """Kill a closing as it begins to publish: the file of the batch is accepted, and not published."""
    syscalls.hit(Point("renameat2", 1, "signal=KILL"), log, lambda: with_one(bench, settings), close)


def cuts(folder: Path, weaken: str = "", every: int = 1) -> Hits:
    """Cut the power at every point, and once all is done; or at each `every`-th point."""
    with power.plugged_in(folder) as disk:
        made = bench(folder)
        for where, place in (("beside the ledger", disk.mount), ("apart from the ledger", folder)):
            for kind in KINDS:
                for number, point in enumerate([None, *_kills(made, disk, place, kind)]):
                    tried = not number % every
                    found = _cut(made, disk, place, kind, point, weaken) if tried else None
                    yield f"{where}, {kind.name}, {point or 'done'}", found


def _kills(made: Bench, disk: power.Disk, place: Path, kind: Kind) -> list[Point]:
    settings, log = power.settings_on(made, disk, place), made.folder / "strace.log"
    syscalls.hit(None, log, lambda: with_one(made, settings), kind.work)
    shutil.rmtree(settings.data)
    return [point for point in syscalls.points(syscalls.calls(log)) if point.how == "signal=KILL"]


def _cut(made: Bench, disk: power.Disk, place: Path, kind: Kind, point: Point | None, weaken: str) -> list[str]:
    settings = power.settings_on(made, disk, place)

    def prepare() -> object:
        power.WEAKEN[weaken]()
        return with_one(made, settings)

    told = syscalls.hit(point, made.folder / "strace.log", prepare, kind.work)
    disk.cut_power()
    try:
        return violations(made, settings, told)
    finally:
        shutil.rmtree(settings.data, ignore_errors=True)


def main() -> int:
    if reason := syscalls.possible():
        sys.exit(reason)
    counts: Counter = Counter()
    with tempfile.TemporaryDirectory() as folder:
        made = bench(Path(folder))
        runs = {kind.name: hits(made, kind) for kind in KINDS} | {"recovery of a batch": recoveries(made)}
        if power.possible() == "":
            (Path(folder) / "power").mkdir()
            runs["power cut"] = cuts(Path(folder) / "power")
        for name, run in runs.items():
            for point, found in run:
                counts[name] += 1
                counts["violations"] += len(found or ())
                for each in found or ():
                    print(f"{name}, {point}: {each}", flush=True)
    violations = counts.pop("violations", 0)
    print(", ".join(f"{count} points of a {name}" for name, count in counts.items()), f"; {violations} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
