"""A storm: senders that retry, processes that are killed at random, a downstream that takes what it sees.

    python -m tests.crash.storm --kills 100

A row of each delivery goes into a batch as well (`--batch`: of how many rows): each is in one of them, once, and their
numbers have no gap.

Nothing may be lost, doubled or torn: every delivery that got a 2xx is taken by downstream exactly once, whole, its
document before its record and its record before the marker, however often master and workers were killed. If root
runs it, the service and downstream are two users, who share the group of the output.
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from grp import getgrnam
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import NamedTuple

import psutil

from tests.support.leftovers import left_in
from tests.support.running import ROOT, Service, multipart

BATCH = 50  # rows of a batch
SENDERS = 4
SHOWN = 20  # faults that are printed; one defect repeats itself
URL = "/api/nextstep/delivery/referrals"
GROUP = "users"  # any that each machine has
PATIENCE = 60  # seconds that one delivery may need while everything is killed around it


class Users(NamedTuple):
    """Who is who, where the service and the importer are not the same user; ids that nobody else should have."""

    service: int = 64_001
    importer: int = 64_002
    group: int = getgrnam(GROUP).gr_gid

    def starting(self) -> tuple[str, ...]:
        """Return the command that starts the service as its user, which may read this checkout wherever it lies."""
        ids = (f"--reuid={self.service}", f"--regid={self.service}", f"--groups={self.group}")
        return ("setpriv", *ids, "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")


@dataclass
class Storm:
    """What is going on, and what was seen."""

    service: Service
    random: random.Random
    taken_to: Path
    batch: int  # rows of a batch
    batches: int = 0  # taken by downstream
    calm: threading.Event = field(default_factory=threading.Event)  # no more kills, no new deliveries
    receipts: dict[str, dict] = field(default_factory=dict)  # sourceId → receipt of the last 2xx
    digests: dict[str, str] = field(default_factory=dict)  # sourceId → digest of its document
    taken: Counter = field(default_factory=Counter)  # id → how often downstream took it
    faults: list[str] = field(default_factory=list)
    kills: Counter = field(default_factory=Counter)  # master or worker → how often
    tries: int = 0


INDEX = """
[[records]]
template = "index.csv.j2"
batch = "index"
[batches.index]
path = "index-{{{{ batch.number }}}}.csv"
header = "header.csv.j2"
trailer = "trailer.csv.j2"
close = {{ count = {count} }}
"""
TEMPLATES = {
    "index.csv.j2": "{{ delivery.id }},{{ document.sha256 }}\n",
    "header.csv.j2": "id,sha256\n",
    "trailer.csv.j2": "{{ batch.count }},{{ batch.number }}\n",
}


def site(folder: Path, group: str = "", batch: int = BATCH) -> Path:
    """Return a site whose one process writes a marker last, for a downstream that waits for it, and fills batches."""
    shutil.copytree(ROOT / "schemas", folder / "schemas")
    shutil.copytree(ROOT / "mappings" / "referrals", folder / "mappings" / "referrals")
    process = folder / "mappings" / "referrals" / "process.toml"
    keys = 'marker = "{{ delivery.id }}.done"\n' + (f'group = "{group}"\n' if group else "")
    text = process.read_text().replace("[output]\n", f"[output]\n{keys}")
    process.write_text(text + INDEX.format(count=batch))
    for name, template in TEMPLATES.items():
        (process.parent / name).write_text(template)
    return folder


def delivery(source_id: str, document: bytes, confidence: float = 1) -> bytes:
    values = {"patient_name": "Ada Example", "patient_dob": "02/20/1964", "mrn": "142637A"}
    fields = [{"name": name, "value": value, "confidence": confidence} for name, value in values.items()]
    metadata = json.dumps({"sourceId": source_id, "fields": fields}).encode()
    return multipart(
        ("file", "scan.tif", "image/tiff", document),
        ("metadata", "metadata.json", "application/json", metadata),
        path=URL,
    )


def send(storm: Storm, number: int) -> None:
    """Deliver one document after the other, each until it is accepted."""
    count = 0
    while not storm.calm.is_set():
        count += 1
        source_id = f"{number}-{count}"
        document = b"II*\0" + os.urandom(storm.random.choice([200, 20_000, 200_000]))
        storm.digests[source_id] = hashlib.sha256(document).hexdigest()
        send_until(storm, source_id, delivery(source_id, document), 200)


def send_until(storm: Storm, source_id: str, raw: bytes, wanted: int) -> None:
    """Send one delivery until it is answered as it must be."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        storm.tries += 1
        try:
            answer = storm.service.request(raw)
        except (OSError, ValueError):
            time.sleep(0.02)
            continue
        if answer.status == wanted:
            storm.receipts[source_id] = answer.json
            return
        if answer.status != 503:
            storm.faults.append(f"{source_id}: answered {answer.status} {answer.body!r}")
        time.sleep(0.02)
    storm.faults.append(f"{source_id}: not accepted within {PATIENCE} s")


class Importer:
    """Takes away what has its marker, and checks every file on sight."""

    def __init__(self, folder: Path, taken_to: Path, users: Users | None) -> None:
        self._folder, self._taken_to, self._users = folder, taken_to, users
        self.taken: Counter = Counter()  # id → how often it was taken
        self.faults: list[str] = []

    def run(self, done: Event, result: Connection) -> None:
        """Poll the output as fast as possible until all is done; then send what was seen."""
        if self._users:
            os.setgroups([])
            os.setgid(self._users.group)
            os.setuid(self._users.importer)
        while not done.is_set():
            for path in list(self._folder.glob("*")) if self._folder.is_dir() else []:
                try:
                    self._look(path)
                except FileNotFoundError:
                    self.faults.append(f"{path.name}: vanished, or came without a file that precedes it")
        result.send((self.taken, self.faults))

    def _look(self, path: Path) -> None:
        document, message, record = (self._folder / f"{path.stem}{suffix}" for suffix in (".tif", ".hl7", ".json"))
        if path.suffix == ".csv":
            self._take_batch(path)
            return
        if path.suffix == ".tif" or not path.exists():  # taken a moment ago, with its marker
            return
        if path.suffix in (".hl7", ".json", ".done"):
            digest = hashlib.sha256(document.read_bytes()).hexdigest()
        if path.suffix == ".hl7" and not (path.read_bytes().startswith(b"MSH") and path.read_bytes().endswith(b"\r")):
            self.faults.append(f"{path.name}: torn")
        if path.suffix in (".json", ".done") and json.loads(record.read_bytes())["document"]["sha256"] != digest:
            self.faults.append(f"{path.name}: not the record of its document")
        if path.suffix == ".done":
            for file in (document, message, record, path):
                file.rename(self._taken_to / f"{self.taken[path.stem]}-{file.name}")
            self.taken[path.stem] += 1

    def _take_batch(self, path: Path) -> None:
        lines = path.read_text().split("\n")
        number = path.stem.removeprefix("index-")
        if lines[0] != "id,sha256" or lines[-2:] != [f"{len(lines) - 3},{number}", ""]:
            self.faults.append(f"{path.name}: torn")
        if (self._taken_to / path.name).exists():
            self.faults.append(f"{path.name}: published twice")
        path.rename(self._taken_to / path.name)


class Downstream:
    """An importer in a process of its own, which is spawned: one that is forked would have locks of our threads."""

    def __init__(self, folder: Path, taken_to: Path, users: Users | None = None) -> None:
        spawned = multiprocessing.get_context("spawn")
        self._done, (self._seen, result) = spawned.Event(), spawned.Pipe(duplex=False)
        importer = Importer(folder, taken_to, users)
        self._process = spawned.Process(target=importer.run, args=(self._done, result))
        self._process.start()

    def stop(self, storm: Storm) -> None:
        """End it, and add what it has seen."""
        self._done.set()
        taken, faults = self._seen.recv()
        self._process.join()
        storm.taken += taken
        storm.faults += faults


def kill(storm: Storm, kills: int, pause: float) -> None:
    """Kill the master or a worker, again and again, at most `pause` seconds apart; start anew what is gone."""
    while sum(storm.kills.values()) < kills:
        time.sleep(storm.random.uniform(0.02, pause))
        master = psutil.Process(storm.service.process.pid)
        workers = [worker for worker in master.children() if worker.status() != psutil.STATUS_ZOMBIE]
        if workers and storm.random.random() < 0.8:
            _kill(storm, "worker", [storm.random.choice(workers)])
        else:
            _kill(storm, "master", [master, *workers] if storm.random.random() < 0.5 else [master])
            storm.service.process.wait()
            _start_again(storm.service, workers)


def _kill(storm: Storm, kind: str, processes: list[psutil.Process]) -> None:
    for process in processes:
        try:
            process.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            return
    storm.kills[kind] += 1


def _start_again(service: Service, orphans: list[psutil.Process]) -> None:
    """Start a new master at once, beside workers of the old one that still live; they hold the port for a moment."""
    while True:
        try:
            service.start()
        except RuntimeError:
            psutil.wait_procs(orphans, timeout=1)
        else:
            return


def judge(storm: Storm) -> list[str]:
    """Return everything that must not be, now that all is calm."""
    faults = list(storm.faults)
    ids = {receipt["id"]: source_id for source_id, receipt in storm.receipts.items()}
    faults += [f"{source_id}: lost" for id_, source_id in ids.items() if storm.taken[id_] == 0]
    faults += [f"{id_}: taken {count} times" for id_, count in storm.taken.items() if count > 1]
    for source_id, receipt in storm.receipts.items():
        if receipt["documents"][0]["sha256"] != storm.digests[source_id]:
            faults.append(f"{source_id}: a receipt for another document")
    if len(ids) != len(storm.receipts):
        faults.append("two deliveries have one id")
    strange = set(storm.taken) - set(ids)
    faults += [f"{id_}: published, and its sender never told" for id_ in strange]
    faults += _judge_batches(storm, ids)
    faults += [f"{path}: left in the stage" for path in left_in(storm.service.data / "stage")]
    faults += [f"{path}: left in the output" for path in storm.service.output.rglob("*") if path.is_file()]
    return faults


def _judge_batches(storm: Storm, ids: Mapping[str, str]) -> list[str]:
    """Return what must not be of the batches that were taken."""
    files = {path.name: path.read_text().splitlines()[1:-1] for path in storm.taken_to.glob("index-*.csv")}
    storm.batches = len(files)
    rows = Counter(row.partition(",")[0] for rows in files.values() for row in rows)
    faults = [f"{source_id}: in no batch" for id_, source_id in ids.items() if rows[id_] == 0]
    faults += [f"{id_}: {count} times in batches" for id_, count in rows.items() if count > 1]
    if sorted(files) != sorted(f"index-{number}.csv" for number in range(1, len(files) + 1)):
        faults.append(f"the batches are {sorted(files)}")
    faults += [f"{name}: of {len(found)} rows" for name, found in files.items() if len(found) > storm.batch]
    return faults


def run(
    folder: Path,
    kills: int,
    seed: int,
    pause: float,
    users: Users | None = None,
    batch: int = BATCH,
    accepted: int = 0,
) -> Storm:
    """Let the storm go over a service in `folder`, which `users` may enter; its faults are in what is returned.

    It lasts until so many deliveries are `accepted`, too, however slow the machine is.
    """
    output, taken_to = folder / "output", folder / "taken"
    service = Service(
        folder / "data",
        site=site(folder / "site", GROUP if users else "", batch),
        environment={"RECEIVER_OUTPUT": str(output)},
        prefix=users.starting() if users else (),
    )
    for path in (service.data, output, taken_to):
        path.mkdir()
    if users:
        os.chown(taken_to, users.importer, users.group)
        for path in (folder, service.data, output):
            os.chown(path, users.service, users.service)
    storm = Storm(service, random.Random(seed), taken_to, batch)
    storm.service.start()
    downstream = Downstream(output / "referrals", taken_to, users)
    senders = [threading.Thread(target=send, args=[storm, number]) for number in range(SENDERS)]
    try:
        for thread in senders:
            thread.start()
        kill(storm, kills, pause)
        _wait_until(lambda: len(storm.receipts) >= accepted)
        storm.calm.set()
        for sender in senders:
            sender.join()
        storm.service.stop()
        storm.service.start()  # recovery finishes what the last kill left behind
        _close_batches(storm.service)
        _wait_until_taken(storm)
    finally:
        storm.calm.set()
        downstream.stop(storm)
        storm.service.stop()
    storm.faults = judge(storm)
    return storm


def _close_batches(service: Service) -> None:
    """Close the last batch by hand, beside the running service; housekeeping may have published the one before."""
    command = [*service.prefix, sys.executable, "-m", "receiver.cli", "batch", "close"]
    subprocess.run(command, env=service.variables(), check=True, stdout=subprocess.DEVNULL)


def _wait_until_taken(storm: Storm) -> None:
    _wait_until(lambda: not any((storm.service.output / "referrals").iterdir()))


def _wait_until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not done():
        time.sleep(0.05)


def who() -> Users | None:
    """Return two users for service and importer, if this process may become them."""
    return Users() if os.geteuid() == 0 and shutil.which("setpriv") else None


def summary(storm: Storm) -> str:
    return (
        f"{storm.kills['master']} masters and {storm.kills['worker']} workers killed; "
        f"{len(storm.receipts)} deliveries accepted in {storm.tries} tries; {len(storm.taken)} taken by downstream, "
        f"and {storm.batches} batches; "
        f"{len(storm.faults)} faults"
    )


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--kills", type=int, default=100)
    arguments.add_argument("--seed", type=int, default=None, help="told at the start; a storm is never quite the same")
    arguments.add_argument("--pause", type=float, default=4, help="longest time between two kills, in seconds")
    arguments.add_argument("--batch", type=int, default=50, help="rows of a batch")
    options = arguments.parse_args()
    seed = options.seed if options.seed is not None else random.randrange(10**6)
    print(f"seed {seed}, {options.kills} kills", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        storm = run(Path(folder), options.kills, seed, options.pause, who(), options.batch)
    for fault in storm.faults[:SHOWN]:
        print(fault)
    print(summary(storm))
    return 1 if storm.faults else 0


if __name__ == "__main__":
    sys.exit(main())
