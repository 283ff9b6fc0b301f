"""`make scale`: what several hosts take. Measured here: rates, commits and costs; computed from them: 1 to 32 hosts.

    python -m benchmarks.hosts [--rounds 5] [--seconds 2] [--cores 2] [--database-cores 8] [--disk FOLDER]

One host on SQLite, one and two on PostgreSQL, the statements alone and the disk alone take turns, in an order drawn
anew each round; all on the cores of this machine, the load generator too. What one delivery costs then feeds a model of
queues (`sizing.py`), which first has to tell what was measured here, and then tells what hosts of their own would take
beside a server for PostgreSQL and a shared disk like those of this machine.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import psutil

from benchmarks import cases, commits, peers, site, table, tools
from benchmarks.peers import Command, Peer
from benchmarks.server import Failed, Server
from benchmarks.sizing import Expected, Measured, Station, expected, on_machines, on_one_machine
from receiver.store import durable
from tests.support import postgres

Result = TypeVar("Result")

CASE = cases.CASES[0]
CORES = os.cpu_count() or 1
CONNECTIONS = 16  # to each host
WRITERS = 32  # threads that wait for the disk at once: two hosts' connections
CLIENTS = (1, 16, 64)  # of pgbench
HOSTS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
PAUSE = 0.2  # seconds in which the disk comes to rest
SETTINGS = {"fsync": "on", "shared_buffers": "128MB", "max_connections": "300"}  # others are PostgreSQL's defaults


@dataclass(frozen=True)
class Sample:
    """One measurement: deliveries a second, and seconds of one delivery."""

    rate: float
    middle: float = 0  # median from request to answer
    host: float = 0  # processor of the hosts
    database: float = 0  # of PostgreSQL
    sender: float = 0  # of the load generator
    left: float = 0  # cores of this machine that others did not use meanwhile


@dataclass
class Bench:
    """All that takes turns."""

    request: Path
    database: postgres.Server
    seconds: float
    samples: dict[str, list[Sample]] = field(default_factory=lambda: defaultdict(list))

    def deliver(self, hosts: Sequence[Server], connections: int) -> Sample:
        """Deliver to some hosts at once. Raises Failed."""

        def load() -> list[dict[str, Any]]:
            with ThreadPoolExecutor(len(hosts)) as pool:
                return list(pool.map(lambda host: self._load(host, connections), hosts))

        told, used, left = self._watched(hosts, load)
        count = sum(each["statuses"].get("200", 0) for each in told)
        if count != sum(each["answers"] for each in told) or any(each["failures"] for each in told):
            raise Failed(f"not every delivery was taken: {told}\n{hosts[0].last_words()}")
        took = median(each["seconds"] for each in told)
        return Sample(count / took, median(each["p50"] for each in told) / 1000, *(each / count for each in used), left)

    def commit(self, written: Path, ledger: str, clients: int) -> Sample:
        """Have pgbench do what PostgreSQL has to do for deliveries. Raises RuntimeError."""
        rate, used, left = self._watched([], lambda: commits.rate(written, ledger, clients, self.seconds))
        count = rate * round(self.seconds)
        return Sample(rate, 0, *(each / count for each in used), left)

    def _watched(self, hosts: Sequence[Server], work: Callable[[], Result]) -> tuple[Result, list[float], float]:
        """Return what came of some work, the seconds of processor that it took, and the cores that others left."""
        before, busy, begin = self._used(hosts), _busy(), time.monotonic()
        result = work()
        used = [after - one for after, one in zip(self._used(hosts), before, strict=True)]
        others = max(0.0, _busy() - busy - sum(used)) / (time.monotonic() - begin)
        return result, used, CORES - others

    def _load(self, host: Server, connections: int) -> dict[str, Any]:
        options = ["-connections", str(connections), "-seconds", str(self.seconds), "-prefix", os.urandom(6).hex()]
        command = [tools.CACHE / "bin" / "load", "-to", host.address, "-request", self.request, *options]
        told: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        return told

    def _used(self, hosts: Sequence[Server]) -> tuple[float, float, float]:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        server = psutil.Process(self.database.process.pid)
        return (
            sum(map(_processor, (each for host in hosts for each in host.processes()))),
            sum(map(_processor, [server, *server.children(recursive=True)])),
            children.ru_utime + children.ru_stime,
        )

    def middle(self, name: str, what: str = "rate") -> float:
        return median(getattr(sample, what) for sample in self.samples[name])


def _busy() -> float:
    """Return the seconds of processor that all programs of this machine have had, and its host has kept from it."""
    times = psutil.cpu_times()
    return sum(times) - times.idle - times.iowait - times.guest - times.guest_nice  # guests are in user and nice


def _processor(process: psutil.Process) -> float:
    """Return the seconds of processor of a process, and of its children that have ended."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system + times.children_user + times.children_system


def syncs(folder: Path, seconds: float) -> Sample:
    """Return how often in a second the disk makes a small file or its folder durable, many being waited for."""
    until = time.monotonic() + seconds
    done: list[int] = []

    def write(own: Path) -> None:
        own.mkdir()
        count = 0
        while time.monotonic() < until:
            durable.write_new(own / str(count), b"a record" * 100)
            durable.sync_folder(own)
            count += 2
        done.append(count)

    threads = [threading.Thread(target=write, args=[folder / os.urandom(6).hex()]) for _ in range(WRITERS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return Sample(sum(done) / seconds)


@contextmanager
def serving(folder: Path) -> Iterator[postgres.Server]:
    """Start PostgreSQL on the disk that is measured, which it waits for at each commit."""
    place = folder / "postgres"
    place.mkdir()
    server = postgres.Server(place)
    with (server.data / "postgresql.conf").open("a") as settings:
        settings.writelines(f"{name} = {value}\n" for name, value in SETTINGS.items())
    try:
        yield server.start()
    finally:
        server.stop()


def environment(folder: Path, name: str, ledger: str) -> dict[str, str]:
    """Return what a host of several needs beside what one alone has."""
    return {
        "RECEIVER_LEDGER": ledger,
        "RECEIVER_DATA": str(folder / "shared"),
        "RECEIVER_OUTPUT": str(folder / "shared-output"),
        "RECEIVER_LOCAL": str(folder / name / "local"),
    }


def host(folder: Path, name: str, ledger: str) -> Server:
    """Start a host of several."""

    def command(address: str, own: Path) -> Command:
        arguments, alone = peers.ours(address, own)
        return arguments, alone | environment(folder, name, ledger)

    return Server(Peer(name, "one of several hosts", command, (), site.ROOT), folder / name)


def measure(folder: Path, rounds: int, seconds: float) -> tuple[Bench, int]:
    """Measure everything in turns; return it, and how often a delivery waits for the shared disk."""
    request = folder / "request"
    cases.write_request(CASE, request)
    with serving(folder) as database:
        ledger = database.new_url()
        written, waits = commits.recorded(peers.ours("", folder)[1] | environment(folder, "recorded", ledger), request)
        (folder / "statements.sql").write_text(written)
        bench = Bench(request, database, seconds)
        embedded = Server(Peer("sqlite", "one host alone", peers.ours, (), site.ROOT), folder / "sqlite")
        one, two = host(folder, "one", ledger), host(folder, "two", ledger)
        statements = folder / "statements.sql"
        turns: dict[str, Callable[[], Sample]] = {
            "one host, SQLite": lambda: bench.deliver([embedded], CONNECTIONS),
            "one host, PostgreSQL": lambda: bench.deliver([one], CONNECTIONS),
            "two hosts, PostgreSQL": lambda: bench.deliver([one, two], CONNECTIONS),
            "one at a time": lambda: bench.deliver([one], 1),
            "the disk": lambda: syncs(folder, seconds / 2),
            **{
                f"{clients} clients": lambda clients=clients: bench.commit(statements, ledger, clients)
                for clients in CLIENTS
            },
        }
        try:
            for warm in (embedded, one, two):
                bench.deliver([warm], CONNECTIONS)
            for _ in range(rounds):
                for name in random.sample(list(turns), len(turns)):
                    bench.samples[name].append(turns[name]())
                    os.sync()
                    time.sleep(PAUSE)
        finally:
            for each in (embedded, one, two):
                each.stop()
    return bench, waits


def costs(bench: Bench, waits: int) -> Measured:
    """Return what one delivery on PostgreSQL costs."""
    one = "one host, PostgreSQL"
    return Measured(
        bench.middle(one, "host"),
        bench.middle(one, "database"),
        bench.middle(one, "sender"),
        waits / bench.middle("the disk"),
        bench.middle("one at a time", "middle"),
    )


def rates(bench: Bench) -> str:
    """Return the table of what was measured with hosts."""
    first = "one host, SQLite"
    rows = []
    for name in (first, "one host, PostgreSQL", "two hosts, PostgreSQL", "one at a time"):
        ratio = median(
            each.rate / other.rate for each, other in zip(bench.samples[name], bench.samples[first], strict=True)
        )
        spent = [f"{bench.middle(name, what) * 1000:.2f}" for what in ("host", "database", "sender")]
        rows.append((name, *_spread(bench, name), f"{ratio:.2f}", f"{bench.middle(name, 'middle') * 1000:.1f}", *spent))
    head = ("", "per second", "spread", "of SQLite", "p50 ms", "CPU ms: hosts", "PostgreSQL", "sender")
    return table.written(head, rows)


def bounds(bench: Bench, waits: int) -> str:
    """Return the table of what PostgreSQL and the disk take alone."""
    named = [(f"PostgreSQL, {clients} clients", f"{clients} clients", 1) for clients in CLIENTS]
    named.append((f"the disk, {waits} times fsync", "the disk", waits))
    rows = [
        (
            title,
            *_spread(bench, name, parts),
            *(f"{bench.middle(name, what) * 1000:.2f}" for what in ("database", "sender")),
        )
        for title, name, parts in named
    ]
    return table.written(("alone", "deliveries/s", "spread", "CPU ms: PostgreSQL", "pgbench"), rows)


def _spread(bench: Bench, name: str, parts: int = 1) -> tuple[str, str]:
    found = [sample.rate / parts for sample in bench.samples[name]]
    return f"{median(found):.0f}", f"{min(found):.0f}–{max(found):.0f}"


def proof(bench: Bench, measured: Measured) -> str:
    """Return the table of what the model says of this machine, and what was measured."""
    told = {
        name: on_one_machine(measured, bench.middle(name, "left"), count * CONNECTIONS)
        for count, name in ((1, "one host, PostgreSQL"), (2, "two hosts, PostgreSQL"))
    }
    clients = max(CLIENTS, key=lambda clients: bench.middle(f"{clients} clients"))
    alone = f"{clients} clients"
    cost = measured.database + bench.middle(alone, "sender")
    told[alone] = expected([Station("the processor", cost, bench.middle(alone, "left"))], 0, clients)
    rows = [
        (
            name,
            f"{each.rate:.0f}",
            f"{bench.middle(name):.0f}",
            f"{each.rate / bench.middle(name):.2f}",
            each.busiest.name,
        )
        for name, each in told.items()
    ]
    return table.written(("on this machine", "computed", "measured", "ratio", "busiest"), rows)


def curve(measured: Measured, cores: int, database_cores: int) -> str:
    """Return the table of what hosts of their own would take, and where it bends."""
    found = [(count, on_machines(measured, count, cores, database_cores, CONNECTIONS)) for count in HOSTS]
    first = found[0][1].rate
    rows = [
        (str(count), f"{each.rate:.0f}", f"{each.rate / first:.1f}", each.busiest.name, f"{each.share:.0%}")
        for count, each in found
    ]
    told = table.written(("hosts", "deliveries/s", "of one host", "busiest", "busy"), rows)
    bend = next((each for _, each in found if each.busiest.name != "the hosts"), None)
    return f"{told}\n\n{_bend(bend)}"


def _bend(bend: Expected | None) -> str:
    if bend is None:
        return "It does not bend: the hosts themselves are the limit."
    return f"It bends where {bend.busiest.name} is the limit: {bend.busiest.limit:.0f} deliveries/s."


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.hosts", description=__doc__.split("\n")[0])
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--seconds", type=float, default=2.0, help="of one measurement in one round")
    arguments.add_argument("--cores", type=int, default=CORES, help="of each host, in the computed table")
    arguments.add_argument("--database-cores", type=int, default=CORES, help="of PostgreSQL, in the computed table")
    arguments.add_argument("--disk", type=Path, default=tools.CACHE, help="folder on the disk that is measured")
    options = arguments.parse_args()
    tools.go()
    site.write(peers.SITE)
    with tempfile.TemporaryDirectory(prefix="hosts-", dir=options.disk) as folder:
        bench, waits = measure(Path(folder), options.rounds, options.seconds)
    measured = costs(bench, waits)
    print(f"{CASE.told}; {CORES} cores, {options.rounds} rounds of {options.seconds} s\n")
    print(rates(bench), bounds(bench, waits), proof(bench, measured), sep="\n\n", end="\n\n")
    cores, database_cores = options.cores, options.database_cores
    print(
        f"computed: hosts of {cores} cores, {CONNECTIONS} connections to each; PostgreSQL on {database_cores} cores\n"
    )
    print(curve(measured, cores, database_cores))


if __name__ == "__main__":
    main()
