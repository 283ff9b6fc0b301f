"""Starts the service, measures a normal load alone, and then beside all attackers at once: `make siege`.

The attackers run in one process at the lowest priority, whose CPU is told beside the figures; how many they are, and at
what pace, stands in `attackers.KINDS`. So the service and the normal load, which is a process of its own too, come
first wherever two want the same core, and what is measured is what the service lets the attackers do to others.
Another program that wants the processors or the disk falsifies the ratio: the machine should have nothing else to do.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.siege.attackers import KINDS
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


def pooled(loads: list[dict[str, Any]]) -> dict[str, Any]:
    """Return several runs of one load as one."""
    return {name: [each for load in loads for each in load[name]] for name in loads[0]}


def besieged(port: int, number: int, seconds: float, kinds: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the normal load beside the attackers, and what came of those."""
    command = [sys.executable, "-m", "tests.siege.attackers", str(port), str(BEGIN + seconds), *kinds]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as attackers:
        assert attackers.stdout
        attackers.stdout.readline()
        normal(port, f"begin-{number}", BEGIN)
        beside = normal(port, f"beside-{number}", seconds - 1)
        return beside, json.loads(attackers.stdout.read())


def attack(report: list[dict[str, Any]]) -> int:
    """Print what the attackers did; return how many kinds of wrong answers they got."""
    print(f"attackers: {sum(each['cpu'] for each in report):.1f} s of CPU at the lowest priority")
    faults = 0
    for name in report[0]["kinds"]:
        count = sum(each["kinds"][name][0] for each in report)
        wrong = sorted({status for each in report for status in each["kinds"][name][1]})
        faults += len(wrong)
        print(f"    {name:28} {count:6} times{f', wrong answers: {wrong}' if wrong else ''}")
    return faults


def main(seconds: float, rounds: int, kinds: list[str]) -> int:
    """Measure in turn, alone and beside the attackers, so many times: what else the machine does falls on both."""
    alone, beside, attacked = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder) / "data", site(Path(folder) / "site")).start()
        try:
            normal(service.port, "warm", 3)
            for number in range(rounds):
                alone.append(normal(service.port, f"alone-{number}", seconds / rounds / 2))
                load, report = besieged(service.port, number, seconds / rounds, kinds)
                beside.append(load)
                attacked.append(report)
        finally:
            service.stop()
    usual, _ = told("alone", pooled(alone))
    p99, worst = told("besieged", pooled(beside))
    answers = len(pooled(beside)["wrong"]) + attack(attacked)
    print(f"p99 {p99 / usual:.1f} times that alone (at most {TIMES:.0f}), worst {worst:.2f} s (at most {WORST:.0f})")
    return int(p99 > TIMES * usual or worst > WORST or answers > 0)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.siege", description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60, help="of the load beside the attackers")
    parser.add_argument("--rounds", type=int, default=1, help="alone and besieged in turn, so many times")
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--only", nargs="+", choices=KINDS, default=list(KINDS), help="these attackers")
    kinds.add_argument("--without", nargs="+", choices=KINDS, default=[], help="all attackers but these")
    return parser.parse_args()


if __name__ == "__main__":
    asked = arguments()
    sys.exit(main(asked.seconds, asked.rounds, [kind for kind in asked.only if kind not in asked.without]))
