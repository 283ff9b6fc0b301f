"""`make faults`: how many of the seeded faults are found, by group, and which are missed.

Arguments are words that a fault's line must hold, to look at some of them; `--folder` names other tables.
"""

import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from receiver.core.faults import Severity
from tests.faults.catalogue import HERE, Seeded, seeded
from tests.faults.seeding import Found, judge

CORES = 2


def main(words: list[str], folder: Path = HERE) -> None:
    """Judge every fault, or those whose line holds one of the words."""
    chosen = [each for each in seeded(folder) if not words or any(word in f"{each.group}: {each}" for word in words)]
    with ProcessPoolExecutor(CORES) as pool:
        judged = list(zip(chosen, pool.map(judge, chosen, chunksize=8), strict=True))
    for each, (found, told) in judged:
        if found is not Found.AT_ITS_LINE:
            print(f"{found}: {each.group}: {each}")
            for fault in told:
                print(f"    {fault} [{fault.severity}]")
    print(f"{'group':12} {'faults':>6} " + " ".join(f"{found:>14}" for found in Found) + "   found by check")
    for group in sorted({each.group for each in chosen}):
        _row(group, [(each, found) for each, (found, _) in judged if each.group == group])
    _row("all", [(each, found) for each, (found, _) in judged])
    messages = [fault for _, (_, told) in judged for fault in told if fault.severity is not Severity.INFO]
    helpful = sum(1 for fault in messages if fault.hint)
    print(f"{helpful} of {len(messages)} messages say what to do: {helpful / max(len(messages), 1):.1%}")
    for code, number in Counter(fault.code for fault in messages if not fault.hint).most_common():
        print(f"    {number:4} without: {code}")


def _row(name: str, judged: list[tuple[Seeded, Found]]) -> None:
    counted = Counter(found for _, found in judged)
    by_check = counted[Found.AT_ITS_LINE] + counted[Found.ELSEWHERE]
    print(
        f"{name:12} {len(judged):6} "
        + " ".join(f"{counted[found]:14}" for found in Found)
        + f"   {by_check / len(judged):.1%}, {counted[Found.AT_ITS_LINE] / len(judged):.1%} at its line"
    )


if __name__ == "__main__":
    given = sys.argv[1:]
    place = Path(given.pop(0).partition("=")[2]) if given and given[0].startswith("--folder=") else HERE
    main(given, place)
