"""`make profile`: where the time of one delivery goes, step by step, as a table that sums to the whole.

The service as it is, with one worker and one sender at a time, so that nothing waits for anything but the disk. Each
moment of the thread that works on a delivery is charged to the innermost step; what no step holds is told as well.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from benchmarks import measuring, peers, site, table, tools
from benchmarks.cases import CASES
from benchmarks.server import Failed

HEAD = ("step", "CPU µs", "of it %", "wall µs", "calls")
WARM_UP = 300  # deliveries


def main() -> int:
    asked = _arguments()
    tools.go()
    site.write(peers.SITE)
    case = next(case for case in CASES if case.name == asked.case)
    os.environ |= {"PROFILE_WARM_UP": str(WARM_UP), "PROFILE_COUNT": str(asked.count)}
    try:
        account = measuring.watched(case, "profiled", WARM_UP + asked.count, asked.disk)
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    print(f"one delivery: {case.told}; the mean of {asked.count}\n")
    print(table.written(HEAD, _rows(account, asked.count)))
    charges = sum(account["calls"].values()) / asked.count
    print(f"\nIn these numbers: {charges:.0f} times {account['charge'] / 1000:.1f} µs of charging.")
    if account["missing"]:
        print(f"Not found, and within other lines: {', '.join(account['missing'])}.")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile", description=__doc__)
    parser.add_argument("--case", default="forms", help=f"one of {','.join(case.name for case in CASES)}")
    parser.add_argument("--count", type=int, default=500, help="deliveries that are accounted for")
    parser.add_argument("--disk", type=Path, default=tools.CACHE, help="folder on the disk that is used")
    return parser.parse_args()


def _rows(account: dict[str, Any], count: int) -> list[tuple[str, ...]]:
    """Return a row for each step in the order of its CPU, then what no step holds, and the whole."""
    cpu = {step: spent / 1000 / count for step, spent in account["cpu"].items()}  # microseconds
    wall = {step: spent / 1000 / count for step, spent in account["wall"].items()}
    whole, elapsed = account["whole"] * 1e6 / count, account["elapsed"] * 1e6 / count
    loop = account["loop"] * 1e6 / count
    rows = [(step, cpu[step], wall[step], account["calls"].get(step, 0) / count) for step in cpu]
    rows.sort(key=lambda row: -row[1])
    rows += [
        ("main loop: connections, heads", loop, 0, 0),
        ("not accounted", whole - loop - sum(cpu.values()), elapsed - sum(wall.values()), 0),
        ("the whole", whole, elapsed, 0),
    ]
    return [
        (step, f"{spent:.0f}", f"{100 * spent / whole:.1f}", f"{passed:.0f}", f"{calls:.1f}" if calls else "")
        for step, spent, passed, calls in rows
    ]


if __name__ == "__main__":
    sys.exit(main())
