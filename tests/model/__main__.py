"""`python -m tests.model`: the publication of a delivery as a model, and weakened variants that must fail.

Needs spin and a C compiler. Prints the number of states of each.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

MODEL = Path(__file__).with_name("publication.pml")
WEAKENED = ("NO_FENCE", "NO_INCARNATION", "MARK_FIRST")
SIZES = ((2, 2, 2), (3, 1, 0), (3, 0, 1))  # hosts, losses, stops: each a minute or two; more of all takes hours
DEPTH = 200_000  # steps of one run at most
MEMORY = 8_000  # MB


@dataclass(frozen=True)
class Verdict:
    """What a look at every state found."""

    errors: int
    states: int
    whole: bool  # nothing was left out for want of depth or memory


def missing() -> str:
    """Return what is missing to look at the model; "" if nothing is."""
    return next((f"{name} is not installed" for name in ("spin", "gcc") if shutil.which(name) is None), "")


def judge(*defined: str) -> Verdict:
    """Look at every state of the model with some names defined."""
    with tempfile.TemporaryDirectory() as folder:
        options = [f"-D{name}" for name in defined]
        subprocess.run(["spin", *options, "-a", MODEL], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        built = ["gcc", "-O2", "-w", "-DSAFETY", "-DCOLLAPSE", f"-DMEMLIM={MEMORY}", "-o", "pan", "pan.c"]
        subprocess.run(built, cwd=folder, check=True)
        ran = subprocess.run(["./pan", f"-m{DEPTH}"], cwd=folder, capture_output=True, text=True, check=False)
    errors = re.search(r"errors: (\d+)", ran.stdout)
    states = re.search(r"(\d+(?:\.\d+)?(?:e\+\d+)?) states, stored", ran.stdout)
    whole = "max search depth too small" not in ran.stdout and "Search not completed" not in ran.stdout
    if not errors or not states:
        raise RuntimeError(ran.stdout + ran.stderr)
    return Verdict(int(errors[1]), round(float(states[1])), whole)


def main() -> None:
    if missing():
        sys.exit(missing())
    failed = False
    for hosts, losses, stops in SIZES:
        found = judge(f"HOSTS={hosts}", f"LOSSES={losses}", f"STOPS={stops}")
        failed |= found.errors > 0 or not found.whole
        size = f"{hosts} hosts, {losses} lost, {stops} stopped and given up"
        print(f"{size}: {found.states:,} states, {found.errors} errors", flush=True)
    for weakened in WEAKENED:
        found = judge("HOSTS=2", "LOSSES=2", weakened)
        failed |= found.errors == 0
        print(f"{weakened}: {'fails, as it must' if found.errors else 'does NOT fail'}", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
