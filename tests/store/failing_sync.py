"""A process whose first fsyncs of the ledger fail, by strace: `strace … python -m tests.store.failing_sync ROOT`.

Prints what a crash would find in the ledger: right after the commit that failed, after the next one, and at last.
"""

import shutil
import sys
from pathlib import Path

from receiver.core.problems import Problem
from receiver.store import ledger, publish
from tests.support.place import Place, Sent, entry_of


def after_a_crash(place: Place, name: str) -> int:
    """Count the rows in a copy of the files as they are now, without what only memory knows."""
    copy = place.data / name
    copy.mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(f"{place.ledger.path}{suffix}", copy / f"ledger.db{suffix}")
    return len(ledger.Ledger(f"sqlite:{copy / 'ledger.db'}").search())


def main() -> None:
    place = Place.at(Path(sys.argv[1]))
    settle = place.ledger.settle
    seen = []

    def settle_later(entry) -> None:
        seen.append(after_a_crash(place, "failed"))
        settle(entry)
        seen.append(after_a_crash(place, "settled"))

    place.ledger.settle = settle_later
    try:
        with place.stage.open() as staged:
            publish.commit(place.ledger, staged, entry_of(place, staged, Sent(), 1))
    except Problem as problem:
        print(type(problem).__name__, *seen, len(place.ledger.search()), len(place.staged()))


if __name__ == "__main__":
    main()
