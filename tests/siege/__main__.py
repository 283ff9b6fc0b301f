"""Starts the service, measures a normal load alone, and then beside all attackers at once: `make siege`.

The attackers run in one process at the lowest priority, whose CPU is told beside the figures; how many they are, and at
what pace, stands in `attackers.KINDS`. So the service and the normal load, which is a process of its own too, come
first wherever two want the same core, and what is measured is what the service lets the attackers do to others.
Another program that wants the processors or the disk falsifies the ratio: the machine should have nothing else to do.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.support.running import ROOT, Service

PROCESS = """
[auth]
tokens = ["env:RECEIVER_TOKEN"]
[parts.file]
role = "document"
types = ["image/tiff"]
convert = "pdf"
[parts.metadata]
role = "metadata"
[metadata]
schema = "nextstep-metadata.schema.json"
[[records]]
template = "scan.json.j2"
path = "{{ delivery.id }}.json"
"""
RECORD = '{"pages": {{ document.pages }}}\n'
BEGIN = 10  # seconds until all attackers are there; they then stay as long as the load runs
WORST = 1.0  # seconds
TIMES = 2.0  # of the p99 alone


def site(folder: Path) -> Path:
    """Return a site of the shipped processes, and one that converts."""
    for name in ("schemas", "mappings"):
        shutil.copytree(ROOT / name, folder / name)
    scans = folder / "mappings" / "scans"
    scans.mkdir()
    (scans / "process.toml").write_text(PROCESS)
    (scans / "scan.json.j2").write_text(RECORD)
    return folder


def normal(port: int, name: str, seconds: float) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.siege.normal", str(port), name, str(seconds)]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return found


def told(name: str, load: dict[str, Any]) -> tuple[float, float]:
    """Print what a load took, and return its p99 and its worst."""
    times = sorted(load["seconds"])
    p50, p99, worst = (times[int((len(times) - 1) * share)] for share in (0.5, 0.99, 1))
    wrong, health = len(load["wrong"]), max(load["health"])
    row = f"p50 {1000 * p50:6.1f} ms   p99 {1000 * p99:6.1f} ms   worst {1000 * worst:6.1f} ms"
    print(f"{name:8} {row}   /healthz at worst {1000 * health:6.1f} ms   {wrong} wrong of {len(times)}")
    for each in load["wrong"][:5]:
        print(f"    {each}")
    return p99, worst


def main(seconds: float) -> int:
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder) / "data", site(Path(folder) / "site")).start()
        try:
            normal(service.port, "warm", 3)
            alone = normal(service.port, "alone", seconds / 2)
            command = [sys.executable, "-m", "tests.siege.attackers", str(service.port), str(BEGIN + seconds)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as attackers:
                assert attackers.stdout
                attackers.stdout.readline()
                normal(service.port, "begin", BEGIN)
                beside = normal(service.port, "beside", seconds - 1)
                attacked = json.loads(attackers.stdout.read())
        finally:
            service.stop()
    usual, _ = told("alone", alone)
    p99, worst = told("besieged", beside)
    print(f"attackers: {attacked['cpu']:.1f} s of CPU at the lowest priority")
    for name, (count, wrong) in attacked["kinds"].items():
        print(f"    {name:28} {count:6} times{f', wrong answers: {wrong}' if wrong else ''}")
    answers = len(beside["wrong"]) + sum(len(wrong) for _, wrong in attacked["kinds"].values())
    print(f"p99 {p99 / usual:.1f} times that alone (at most {TIMES:.0f}), worst {worst:.2f} s (at most {WORST:.0f})")
    return int(p99 > TIMES * usual or worst > WORST or answers > 0)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 60))
