"""One measurement: load on one server, and what it cost there."""

import json
import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks import cases, peers, site, tools
from benchmarks.cases import Case
from benchmarks.peers import Peer
from benchmarks.server import Failed, Server

CHUNK = 1_000_000  # bytes of one write, for the disk alone


@dataclass(frozen=True, slots=True)
class Sample:
    """What one round of one case on one server came to."""

    rate: float  # deliveries per second
    p50: float  # milliseconds
    p99: float
    cpu: float  # milliseconds of the server's processes per delivery
    memory: float  # MB: the peaks of its processes, added up; pages that they share count in each
    worker: float  # MB: the peak of the largest one


def measure(server: Server, case: Case, request: Path, seconds: float, prefix: str) -> Sample:
    """Deliver for some seconds under sourceIds that begin with `prefix`. Raises Failed."""
    _forget_peaks(server)
    cpu = _cpu(server)
    length = ["-count", str(case.count)] if case.count else ["-seconds", str(seconds)]
    told = load(server, request, case.connections, *length, *([] if case.duplicates else ["-prefix", prefix]))
    expected = told["statuses"].get(str(case.answer), 0)
    if expected != told["answers"] or told["failures"] or not expected:
        came = f"answers {told['statuses']}, failures {told['failures']}"
        raise Failed(f"{server.name}, {case.name}: {came}\n{server.last_words()}")
    peaks = _peaks(server)
    cost = (_cpu(server) - cpu) * 1000 / expected
    return Sample(expected / told["seconds"], told["p50"], told["p99"], cost, sum(peaks), max(peaks))


def load(server: Server, request: Path, connections: int, *options: str) -> dict[str, Any]:
    """Run the load generator and return what it tells."""
    generator = str(tools.CACHE / "bin" / "load")
    fixed = ["-to", server.address, "-request", str(request), "-connections", str(connections)]
    done = subprocess.run([generator, *fixed, *options], capture_output=True, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def watched(case: Case, configuration: str, count: int, disk: Path) -> Any:
    """Deliver some times, one after the other, and return what the worker writes to the file of `WATCHED`, JSON.

    `configuration` is the module of this package that gunicorn is started with. Raises Failed.
    """
    with tempfile.TemporaryDirectory(prefix=f"{configuration}-", dir=disk) as name:
        folder = Path(name)
        request, written = folder / "request", folder / "watched.json"
        cases.write_request(case, request)
        os.environ["WATCHED"] = str(written)
        server = Server(Peer("receiver", "", peers.configured(configuration), (), site.ROOT), folder / "server")
        try:
            prefix = [] if case.duplicates else ["-prefix", f"{configuration}-"]
            told = load(server, request, 1, "-count", str(count), *prefix)
        finally:
            server.stop()
        if set(told["statuses"]) != {str(case.answer)} or not written.is_file():
            raise Failed(f"answers {told['statuses']}\n{server.last_words()}")
        return json.loads(written.read_text())


def write_to_disk(folder: Path, size: int) -> Sample:
    """Write as many bytes as a document has, one fdatasync, nothing else."""
    chunk = os.urandom(CHUNK)
    path = folder / "bytes"
    begin = time.monotonic()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    for _ in range(size // CHUNK):
        os.write(descriptor, chunk)
    os.fdatasync(descriptor)
    took = time.monotonic() - begin
    os.close(descriptor)
    path.unlink()
    return Sample(1 / took, took * 1000, took * 1000, 0, 0, 0)


def _cpu(server: Server) -> float:
    """Return the seconds of CPU of all processes of a server so far."""
    total = 0.0
    for process in server.processes():
        times = process.cpu_times()
        total += times.user + times.system
    return total


def _forget_peaks(server: Server) -> None:
    for process in server.processes():
        Path(f"/proc/{process.pid}/clear_refs").write_text("5")  # proc(5): the peak becomes the present size


def _peaks(server: Server) -> list[float]:
    """Return the peak of each process in MB."""
    peaks = []
    for process in server.processes():
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
        except (FileNotFoundError, psutil.NoSuchProcess):
            continue
        peaks += [int(line.split()[1]) * 1024 / 1e6 for line in status.splitlines() if line.startswith("VmHWM")]
    return peaks
