"""A storm over several hosts on one disk and one PostgreSQL server; the judge is that of the storm on one.

    python -m tests.crash.hosts --hosts 3 --kills 100

Each host has mounted the disk at a path of its own. Each delivery is sent to two hosts at once. Whole hosts are killed,
or stopped for longer than they may be silent and woken, or restarted as for an upgrade; and the server is stopped at
once, too. An importing system takes away what it sees. What is held meanwhile is replayed by two hosts at once in the
end.
"""

import argparse
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from receiver.store import quarantine
from receiver.store.ledger import Ledger
from tests.crash import storm
from tests.support import postgres
from tests.support.running import ROOT, Answer, Service

SILENT = 4.0  # seconds that a host is stopped: longer than hurried.py lets it be silent
HELD_EACH = 0.3  # seconds: all of them are replayed in the end
GIVEN_UP = 60  # seconds until that is so for the last one, on a busy machine
OPTIONS = ("--config", "tests/crash/hurried.py", "--workers", "1")


@dataclass
class Cluster:
    """Several hosts, as a storm has one service."""

    hosts: list[Service]
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2 * storm.SENDERS))

    @property
    def data(self) -> Path:
        return Path(self.hosts[0].environment["RECEIVER_DATA"])

    @property
    def output(self) -> Path:
        return self.hosts[0].output

    def request(self, raw: bytes) -> Answer:
        """Send to two hosts at once, and return the better answer: two receipts must be of one delivery."""
        answers = [
            each for each in self.pool.map(lambda host: self._ask(host, raw), random.sample(self.hosts, 2)) if each
        ]
        accepted = [each for each in answers if each.status in (200, 202)]
        if len({each.json["id"] for each in accepted}) > 1:
            raise AssertionError("two receipts for one delivery")
        if not answers:
            raise ConnectionError
        return accepted[0] if accepted else answers[0]

    def _ask(self, host: Service, raw: bytes) -> Answer | None:
        try:
            return host.request(raw)
        except (OSError, ValueError):
            return None


def lose(made: storm.Storm, cluster: Cluster, server: postgres.Server, kills: int, pause: float) -> None:
    """Lose hosts and the server, again and again, at most `pause` seconds apart."""
    while sum(made.kills.values()) < kills:
        time.sleep(made.random.uniform(0.05, pause))
        host = made.random.choice(cluster.hosts)
        how = made.random.choices(["killed", "stopped", "restarted", "server"], [8, 3, 2, 1])[0]
        if how == "server":
            server.stop()
            server.start()
        elif how == "stopped":
            _stop(host)
        elif how == "restarted":  # as an upgrade does, one host after the other
            host.stop()
            host.start()
        else:
            _kill(host)
        made.kills[how] += 1
    made.calm.set()


def _processes(host: Service) -> list[psutil.Process]:
    master = psutil.Process(host.process.pid)
    return [master, *master.children(recursive=True)]


def _kill(host: Service) -> None:
    processes = _processes(host)
    for each in processes:
        each.send_signal(signal.SIGKILL)
    host.process.wait()
    psutil.wait_procs(processes, timeout=10)
    host.start()


def _stop(host: Service) -> None:
    processes = _processes(host)
    for each in processes:
        each.send_signal(signal.SIGSTOP)
    time.sleep(SILENT)
    for each in processes:
        each.send_signal(signal.SIGCONT)


def cluster_in(folder: Path, count: int, url: str) -> Cluster:
    site = storm.site(folder / "site")
    hosts = []
    for number in range(count):
        own = folder / f"host-{number}"
        own.mkdir()
        (own / "disk").symlink_to(folder)
        environment = {
            "RECEIVER_LEDGER": url,
            "RECEIVER_DATA": str(own / "disk" / "data"),
            "RECEIVER_OUTPUT": str(own / "disk" / "output"),
            "RECEIVER_LOCAL": str(own / "local"),
        }
        hosts.append(Service(own / "run", site=site, environment=environment, options=OPTIONS))
    for path in (folder / "data", folder / "output", folder / "taken"):
        path.mkdir()
    return Cluster(hosts)


def hold(made: storm.Storm) -> None:
    """Deliver what is held, one after the other, each until it is kept."""
    count = 0
    while not made.calm.wait(HELD_EACH):
        count += 1
        source_id, document = f"held-{count}", b"II*\0" + os.urandom(2_000)
        made.digests[source_id] = hashlib.sha256(document).hexdigest()
        storm.send_until(made, source_id, storm.delivery(source_id, document, confidence=0.1), 202)


def run(folder: Path, count: int, kills: int, seed: int, pause: float) -> storm.Storm:
    """Let the storm go over hosts in `folder`; its faults are in what is returned."""
    with postgres.running() as server:
        cluster = cluster_in(folder, count, server.new_url())
        made = storm.Storm(cluster, random.Random(seed), folder / "taken", batch=50)
        for host in cluster.hosts:
            host.start()
        downstream = storm.Downstream(cluster.output / "referrals", folder / "taken")
        senders = [threading.Thread(target=storm.send, args=[made, number]) for number in range(storm.SENDERS)]
        senders.append(threading.Thread(target=hold, args=[made]))
        try:
            for thread in senders:
                thread.start()
            lose(made, cluster, server, kills, pause)
            for sender in senders:
                sender.join()
            _settle(made, cluster)
            storm._wait_until_taken(made)
        finally:
            made.calm.set()
            downstream.stop(made)
            for host in cluster.hosts:
                host.stop(signal.SIGKILL)
        made.faults = [fault for fault in storm.judge(made) if not _is_own_folder(fault)]
    return made


def _settle(made: storm.Storm, cluster: Cluster) -> None:
    """Stop all hosts, finish what they left, replay what was held, and close the last batch.

    What was lost last is given up by those that live: `receiver recover` itself would wait for it longer.
    """
    _wait_until_given_up(cluster)
    for host in cluster.hosts:
        host.stop()
    _end(_verb(cluster.hosts[0], "recover"))
    made.faults += _judge_kept(made, cluster)
    replay = ("replay", "--process", "referrals", "--status", "held", "--accept-confidence")
    replaying = [_verb(host, *replay) for host in cluster.hosts[:2]]
    for process in replaying:
        process.wait()  # 1: the other one has published it before, or is at work on it
    _require_replayed(made, cluster)
    for verb in (["recover"], ["batch", "close"], ["recover"]):
        _end(_verb(cluster.hosts[0], *verb))


def _verb(host: Service, *arguments: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "receiver.cli", *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=host.variables(), stdout=subprocess.DEVNULL)


def _end(process: "subprocess.Popen[bytes]") -> None:
    if code := process.wait():
        raise subprocess.CalledProcessError(code, process.args)


def _judge_kept(made: storm.Storm, cluster: Cluster) -> list[str]:
    """Return what must not be of the deliveries that are held."""
    held = {receipt["id"]: source_id for source_id, receipt in made.receipts.items() if receipt["status"] == "held"}
    places = {place.name for place in quarantine.places(cluster.data)}
    faults = [f"{held[id_]}: held, and not in quarantine" for id_ in held.keys() - places]
    faults += [f"{id_}: in quarantine, and its sender never told" for id_ in places - held.keys()]
    for id_ in held.keys() & places:
        digests = {part.sha256 for part in quarantine.load(cluster.data, "referrals", id_).parts}
        lying = {hashlib.sha256(path.read_bytes()).hexdigest() for path in _parts(cluster, id_)}
        if made.digests[held[id_]] not in digests or not digests <= lying:
            faults.append(f"{held[id_]}: not whole in quarantine")
    return faults


def _parts(cluster: Cluster, id_: str) -> Iterator[Path]:
    return quarantine.folder(cluster.data, "referrals", id_).iterdir()


def _require_replayed(made: storm.Storm, cluster: Cluster) -> None:
    """Have what was held judged as everything else that is published, and nothing left of it in quarantine."""
    for source_id, receipt in made.receipts.items():
        if receipt["status"] == "held":
            receipt["documents"] = [{"sha256": made.digests[source_id]}]
    made.faults += [f"{place}: left in quarantine" for place in quarantine.places(cluster.data)]


def _wait_until_given_up(cluster: Cluster) -> None:
    ledger = Ledger(cluster.hosts[0].variables()["RECEIVER_LEDGER"])
    deadline = time.monotonic() + GIVEN_UP
    while len(ledger.hosts.listed()) > len(cluster.hosts):
        if time.monotonic() > deadline:
            raise RuntimeError("a host that is lost is not given up")
        time.sleep(0.1)
    ledger.close()


def _is_own_folder(fault: str) -> bool:
    """Return whether a fault is the empty folder of an incarnation, which the next recovery sweeps."""
    path = Path(fault.removesuffix(": left in the stage"))
    return path.is_dir() and not any(each.is_dir() for each in path.iterdir())


def summary(made: storm.Storm) -> str:
    killed, stopped, restarted, server = (made.kills[how] for how in ("killed", "stopped", "restarted", "server"))
    return (
        f"{killed} hosts killed, {stopped} stopped and woken, {restarted} restarted, {server} stops of the server; "
        f"{len(made.receipts)} deliveries accepted in {made.tries} tries, "
        f"{sum(receipt['status'] == 'held' for receipt in made.receipts.values())} of them held and then replayed; "
        f"{len(made.taken)} taken by downstream, and {made.batches} batches; {len(made.faults)} faults"
    )


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--hosts", type=int, default=3)
    arguments.add_argument("--kills", type=int, default=100)
    arguments.add_argument("--seed", type=int, default=None)
    arguments.add_argument("--pause", type=float, default=2, help="longest time between two losses, in seconds")
    options = arguments.parse_args()
    seed = options.seed if options.seed is not None else random.randrange(10**6)
    print(f"seed {seed}, {options.hosts} hosts, {options.kills} losses", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        made = run(Path(folder), options.hosts, options.kills, seed, options.pause)
    for fault in made.faults[: storm.SHOWN]:
        print(fault)
    print(summary(made))
    return 1 if made.faults else 0


if __name__ == "__main__":
    sys.exit(main())
