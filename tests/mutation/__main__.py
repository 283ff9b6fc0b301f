"""`make mutants`: makes lines wrong, one at a time, and tells which of them no test notices."""

import argparse
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue

from . import equivalent
from .areas import AREAS, ROOT
from .changes import Change, changes
from .sample import sample
from .trials import SURVIVED, Copy

ENOUGH = 0.95  # of the changes have to be noticed


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--area", action="append", choices=AREAS, help="only this one; may come again")
    parser.add_argument("--count", type=int, default=50, help="changes of each area")
    parser.add_argument("--seed", type=int, default=1, help="another number chooses others")
    parser.add_argument("--only", action="append", help="FILE or FILE:LINE: every change there")
    parser.add_argument("--workers", type=int, default=2)
    return parser.parse_args()


def chosen(options: argparse.Namespace) -> dict[str, list[Change]]:
    """Return the changes to try, by area."""
    found: dict[str, list[Change]] = {}
    for name in options.area or AREAS:
        every = [change for module in AREAS[name].modules() for change in changes(ROOT, module)]
        noticed, equal = equivalent.parted(every)
        if options.only:
            found[name] = [each for each in noticed if {str(each.module), place(each)} & {*options.only}]
        else:
            found[name] = sample(noticed, options.count, options.seed)
        print(f"{name}: {len(found[name])} of {len(every)} possible changes, {equal} known as equivalent", flush=True)
        for entry in equivalent.stale(every):
            if Path(entry[0]) in AREAS[name].modules():
                print("  stale in equivalent.toml:", *entry, sep="\n    ")
    return {name: each for name, each in found.items() if each}


def place(change: Change) -> str:
    return f"{change.module}:{change.line}"


def attempts(plan: dict[str, list[Change]], workers: int, folder: Path) -> dict[Change, str]:
    """Try each change, and tell of those that survive as they are found."""
    every = [Copy(folder / str(number)) for number in range(workers)]
    learnt = every[0].learn(AREAS[name] for name in plan)
    copies: Queue[Copy] = Queue()
    for copy in every:
        copy.warm(learnt.modules)
        copies.put(copy)
    print(f"{len(learnt.seconds)} tests, of which fail as it is: {', '.join(learnt.failed) or 'none'}", flush=True)

    def attempt(change: Change) -> str:
        copy = copies.get()
        try:
            found = copy.attempt(change, learnt)
        finally:
            copies.put(copy)
        if found == SURVIVED:
            print(f"survived  {place(change)}  {change.kind}  {change.words}\n          {change.code}", flush=True)
        return found

    changes = [change for each in plan.values() for change in each]
    with ThreadPoolExecutor(workers) as pool:
        found = dict(zip(changes, pool.map(attempt, changes), strict=True))
    for copy in every:
        copy.close()
    return found


def report(plan: dict[str, list[Change]], found: dict[Change, str]) -> float:
    """Print the figures of each area, and return the share that was noticed."""
    print(f"\n{'area':10}{'tried':>7}{'killed':>8}{'timed out':>11}{'survived':>10}{'':>8}")
    for name, each in {**plan, "all": list(found)}.items():
        counts = Counter(found[change] for change in each)
        survived = counts[SURVIVED]
        share = 1 - survived / len(each)
        numbers = f"{len(each):7}{counts['killed']:8}{counts['timed out']:11}{survived:10}{share:8.1%}"
        print(f"{name:10}{numbers}")
    return share


def main() -> int:
    options, began = arguments(), time.monotonic()
    plan = chosen(options)
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        Path(folder).chmod(0o755)  # an auditor of the tests, another user, runs the copy
        found = attempts(plan, options.workers, Path(folder))
    share = report(plan, found)
    print(f"{time.monotonic() - began:.0f} s")
    return int(share < ENOUGH)


if __name__ == "__main__":
    sys.exit(main())
