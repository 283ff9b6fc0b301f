"""A process of its own that delivers, and prints a line per receipt.

python -m tests.store.sender ROOT THREADS SOURCE_ID CONTENT…
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support.place import Place, Sent, deliver


def main() -> None:
    root, threads, source_id, *contents = sys.argv[1:]
    place = Place.at(Path(root))
    sent = [Sent(source_id, content.encode()) for content in contents] * int(threads)
    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(len(sent)) as pool:
        for receipt in pool.map(lambda one: deliver(place, one), sent):
            print(receipt.id, receipt.version, receipt.duplicate, len(receipt.records), flush=True)


if __name__ == "__main__":
    main()
