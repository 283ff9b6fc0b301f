"""One delivery, or one recovery, killed or refused at each of its system calls.

    python -m tests.crash.syscalls

A forked child prepares everything, stops itself, and goes on once `strace` is attached to it with an injection: SIGKILL
as it enters the n-th call of a kind (which is also: right after the call before it), or an error as its result.
After that a recovery runs, and then the sender tries again: the delivery must be wholly absent or wholly there,
once; an answer that was given must be true; nothing may be left in the stage.

A delivery is hit as the first one of its process, and as one that works in the folder of the one before, which was
answered and must be wholly there.
"""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from receiver.core.delivery import Arrival, Section
from receiver.core.problems import Problem
from receiver.core.settings import Settings
from receiver.delivery import receive
from receiver.delivery.context import Context, open_context
from receiver.site import compiling
from receiver.store import ledger
from receiver.store.entry import Entry
from tests.crash import storm
from tests.support.leftovers import left_in

FAILING = ["openat", "mkdir", "write", "pwrite64", "fsync", "fdatasync", "ftruncate", "renameat2", "link", "unlink"]
CHANGING = [*FAILING, "sync_file_range", "rename", "unlinkat", "rmdir", "flock"]
DOCUMENT = b"II*\0" + b"fax" * 5000
WHOLE = [".done", ".hl7", ".json", ".tif"]
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Point:
    """One call to be hit, and how."""

    call: str
    number: int
    how: str  # an injection of strace: "signal=KILL" or "error=EIO"

    def __str__(self) -> str:
        return f"{self.call} #{self.number} {self.how}"


@dataclass
class Bench:
    """A site that is compiled once, and a folder for as many data folders as there are points."""

    folder: Path
    settings: Settings
    processes: dict
    count: int = 0

    def fresh(self) -> Settings:
        """Return settings with an empty data folder."""
        self.count += 1
        data = self.folder / f"data-{self.count}"
        return replace(self.settings, data=data, output=data / "output", ledger=f"sqlite:{data / 'ledger.db'}")


def bench(folder: Path) -> Bench:
    site = storm.site(folder / "site")
    process = site / "mappings" / "referrals" / "process.toml"
    process.write_text(process.read_text() + '\n[retention]\noriginals = "30d"\n')
    settings = Settings.from_environment({"RECEIVER_SITE": str(site), "RECEIVER_DATA": str(folder / "var")})
    return Bench(folder, settings, compiling.proven(settings, {"RECEIVER_TOKEN": "t" * 15 + "1"}))


def context(bench: Bench, settings: Settings) -> Context:
    """Return the context over a data folder; opening it recovers what lies there."""
    process = replace(bench.processes["referrals"], output=(settings.output / "referrals").absolute())
    ledger.create(settings.ledger)
    return open_context(settings, {"referrals": process})


def later(bench: Bench, settings: Settings) -> Context:
    """Return the context with one delivery taken in: the next one works in its folder."""
    prepared = context(bench, settings)
    receipt = deliver(prepared, "earlier")
    assert receipt
    return prepared


PREPARED = {"delivery": context, "delivery in a folder used before": later}


def deliver(context: Context, source_id: str = "1") -> dict | None:
    """Take the delivery in; return what the sender is told, None for a problem."""
    values = {"patient_name": "Ada Example", "patient_dob": "02/20/1964", "mrn": "142637A"}
    fields = [{"name": name, "value": value, "confidence": 1} for name, value in values.items()]
    metadata = json.dumps({"sourceId": source_id, "fields": fields}).encode()
    sections = [
        Section("file", "scan.tif", "image/tiff", content=[DOCUMENT + source_id.encode()]),
        Section("metadata", "metadata.json", "application/json", content=[metadata]),
    ]
    try:
        receipt = receive.receive(context, context.processes["referrals"], sections, Arrival(AT, "127.0.0.1"))
    except Problem:
        return None
    return {"id": receipt.id, "duplicate": receipt.duplicate, "status": receipt.status}


def deliver_and_mark(context: Context) -> dict | None:
    """Take the delivery in, and live on until its mark is in the ledger, for which the sender does not wait."""
    told = deliver(context)
    context.ledger.connections.flush()
    return told


def hit(point: Point | None, log: Path, prepare: Callable[[], object], work: Callable[[object], object]) -> object:
    """Fork, prepare, and do the work under an injection. Returns what the work returned; None where it was killed."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            prepared = prepare()
            os.kill(os.getpid(), signal.SIGSTOP)
            os.write(write_end, json.dumps([work(prepared)]).encode())
        except BaseException as error:
            os.write(write_end, json.dumps([{"raised": repr(error)}]).encode())
        finally:
            os._exit(0)
    os.close(write_end)
    _, ended = os.waitpid(child, os.WUNTRACED)
    if not os.WIFSTOPPED(ended):
        raise RuntimeError(f"could not prepare: {os.read(read_end, 10_000).decode()}")
    inject = ["-e", f"inject={point.call}:{point.how}:when={point.number}"] if point else []
    command = ["strace", "-f", "-qq", "-o", str(log), "-e", f"trace={','.join(CHANGING)}", *inject, "-p", str(child)]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE)
    _wait_until_traced(child, tracer)
    os.kill(child, signal.SIGCONT)
    os.waitpid(child, 0)
    tracer.communicate()
    with os.fdopen(read_end, "rb") as told:
        content = told.read()
    return json.loads(content)[0] if content else None


def _wait_until_traced(child: int, tracer: subprocess.Popen) -> None:
    status = Path(f"/proc/{child}/status")
    while not re.search(r"TracerPid:\t[1-9]", status.read_text()):
        if tracer.poll() is not None:
            os.kill(child, signal.SIGKILL)
            raise RuntimeError(f"strace ended: {tracer.stderr.read().decode()}")
        time.sleep(0.001)


def calls(log: Path) -> Counter:
    """Count the calls of each kind that were made before the answer was told, which is the last write."""
    made = Counter(
        re.match(r"\d+ +(\w+)\(", line)[1] for line in log.read_text().splitlines() if re.match(r"\d+ +\w+\(", line)
    )
    made["write"] -= 1
    return made


def points(made: Counter) -> Iterator[Point]:
    for call in CHANGING:
        for number in range(1, made[call] + 1):
            yield Point(call, number, "signal=KILL")
            if call in FAILING:
                yield Point(call, number, "error=EIO")
                yield Point(call, number, "error=ENOSPC")


def violations(bench: Bench, settings: Settings, told: dict | None, prepared: str = "delivery") -> list[str]:
    """Recover, look, try again and look once more. Returns what must not be."""
    found = [f"the delivery raised {told['raised']}"] if told and "raised" in told else []
    try:
        again = context(bench, settings)
    except Problem as problem:
        return [*found, f"the service cannot start: {problem.detail}"]
    found += _earlier(again, settings) if PREPARED[prepared] is later else []
    there = _there(again, settings, "1")
    if there not in ([], WHOLE):
        found.append(f"after recovery only {there}")
    if told and "id" in told and there != WHOLE:
        found.append("the sender was told that it is there, and it is not")
    row = again.ledger.search(source_id="1")
    if (row[0].status if row else "") != ("published" if there else ""):
        found.append(f"the ledger says {[entry.status for entry in row]} for {there}")
    found += [f"{path.suffix} is torn" for path in _torn(again.ledger.search())]
    receipt = deliver(again)
    if receipt is None or receipt["duplicate"] != (there == WHOLE):
        found.append(f"the second try was answered {receipt}")
    if (there := _there(again, settings, "1")) != WHOLE:
        found.append(f"after the second try {there}")
    if left_in(settings.data / "stage"):
        found.append("something is left in the stage")
    if not (settings.data / "originals" / "referrals" / str(receipt and receipt["id"]) / "delivery.json").exists():
        found.append("the originals are not there")
    again.ledger.close()
    for stage in again.stages.values():
        stage.close()  # else the disk stays busy until the context is forgotten
    return found


def _earlier(context: Context, settings: Settings) -> list[str]:
    """Return what must not be of the delivery before, which was answered."""
    there, row = _there(context, settings, "earlier"), context.ledger.search(source_id="earlier")
    if there == WHOLE and [entry.status for entry in row] == ["published"]:
        return []
    return [f"of the delivery before, {there} is there, and the ledger says {[entry.status for entry in row]}"]


def _there(context: Context, settings: Settings, source_id: str) -> list[str]:
    """Return the endings of the files that are published, but for those of other deliveries."""
    others = {entry.id for entry in context.ledger.search() if entry.source_id != source_id}
    published = [path for path in settings.output.rglob("*") if path.is_file()]
    return sorted(path.suffix for path in published if path.stem not in others)


def _torn(entries: list[Entry]) -> list[Path]:
    """Return the files that are there and not what the ledger says they are."""
    published = {Path(output.target): output.sha256 for entry in entries for output in entry.outputs}
    there = {path: sha256 for path, sha256 in published.items() if path.is_file()}
    return [path for path, sha256 in there.items() if hashlib.sha256(path.read_bytes()).hexdigest() != sha256]


def deliveries(bench: Bench, prepared: str, every: int = 1) -> Iterator[tuple[Point, list[str] | None]]:
    """Hit one delivery at every point, or at each `every`-th of them; None is found at the others."""
    log = bench.folder / "strace.log"
    settings = bench.fresh()
    hit(None, log, lambda: PREPARED[prepared](bench, settings), deliver_and_mark)
    for number, point in enumerate(points(calls(log))):
        yield point, None if number % every else _delivery(bench, prepared, point, log)


def _delivery(bench: Bench, prepared: str, point: Point, log: Path) -> list[str]:
    settings = bench.fresh()
    told = hit(point, log, lambda: PREPARED[prepared](bench, settings), deliver_and_mark)
    found = violations(bench, settings, told, prepared)
    shutil.rmtree(settings.data)
    return found


def recoveries(bench: Bench, every: int = 1) -> Iterator[tuple[Point, list[str] | None]]:
    """Kill a recovery at every point, another one at the same point, and see what a third one makes of it.

    Or at each `every`-th point; None is found at the others.
    """
    log = bench.folder / "strace.log"
    settings = bench.fresh()
    _leave_accepted(bench, settings, log)
    hit(None, log, lambda: None, lambda _: _recover(bench, settings))
    kills = [point for point in points(calls(log)) if point.how == "signal=KILL"]
    for number, point in enumerate(kills):
        yield point, None if number % every else _recovery(bench, point, log)


def _recovery(bench: Bench, point: Point, log: Path) -> list[str]:
    settings = bench.fresh()
    _leave_accepted(bench, settings, log)
    for _ in range(2):
        hit(point, log, lambda: None, lambda _: _recover(bench, settings))
    found = violations(bench, settings, told={"id": "accepted before"})
    shutil.rmtree(settings.data)
    return found


def _recover(bench: Bench, settings: Settings) -> None:
    context(bench, settings).ledger.close()


def _leave_accepted(bench: Bench, settings: Settings, log: Path) -> None:
    """Kill a delivery as it begins to publish: the row is there, and not one file."""
    hit(Point("renameat2", 1, "signal=KILL"), log, lambda: context(bench, settings), deliver)


def possible() -> str:
    """Return why no call can be hit here; "" where it can."""
    return "" if shutil.which("strace") else "needs strace, which hits the calls"


def main() -> int:
    if reason := possible():
        sys.exit(reason)
    counts: Counter = Counter()
    with tempfile.TemporaryDirectory() as folder:
        made = bench(Path(folder))
        for kind in (*PREPARED, "recovery"):
            for point, found in recoveries(made) if kind == "recovery" else deliveries(made, kind):
                counts[kind] += 1
                counts["violations"] += len(found or ())
                for each in found or ():
                    print(f"{kind}, {point}: {each}", flush=True)
    told = [f"{counts[kind]} points of a {kind}" for kind in PREPARED]
    print(f"{', '.join(told)}, {counts['recovery']} of a recovery that was killed twice;", end=" ")
    print(f"{counts['violations']} violations")
    return 1 if counts["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())
