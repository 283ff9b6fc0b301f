"""Restarts under load: HUP, USR2 and TERM in any order, while senders deliver and a downstream takes what it sees.

    python -m tests.crash.restarts --restarts 50

Nothing may be lost or doubled, and no answer may be anything but 200 or 503. While the service reloads (HUP) or is
upgraded (USR2), nobody may even be turned away: only a stop (TERM) closes the door for a moment.
"""

import argparse
import random
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

from tests.crash import storm
from tests.support.running import Service

KINDS = ("HUP", "USR2", "TERM")
TURN = 30  # seconds that one restart may take on a busy machine


class Master(psutil.Process):
    """A master that we did not start ourselves, for `Service`, which expects a child."""

    def poll(self) -> int | None:
        return None if self.is_running() and self.status() != psutil.STATUS_ZOMBIE else 0


class Restarted(storm.Storm):
    """A storm whose service is restarted instead of killed; what senders meet while it is open counts."""

    closed = threading.Event()  # a stop closes the door; until it is open again, senders are turned away

    def request(self, raw: bytes):
        closed = self.closed.is_set()  # as it began
        try:
            return type(self.service).request(self.service, raw)
        except (OSError, ValueError) as error:
            if not closed and not self.closed.is_set():
                self.faults.append(f"a sender was turned away: {error!r}")
            raise


def restart(made: Restarted, restarts: int, pause: float) -> None:
    """Restart again and again, each kind as often as the others."""
    for number in range(restarts):
        kind = KINDS[number % len(KINDS)]
        time.sleep(made.random.uniform(0.05, pause))
        {"HUP": _reload, "USR2": _upgrade, "TERM": _stop_and_start}[kind](made)
        made.kills[kind] += 1
    made.calm.set()


def _reload(made: Restarted) -> None:
    master = psutil.Process(made.service.process.pid)
    old = set(master.children())
    master.send_signal(signal.SIGHUP)
    _wait(lambda: len(master.children()) >= len(old) and not old & set(master.children()))


def _upgrade(made: Restarted) -> None:
    """Start a new master beside the old one, and end the old one when the new one's workers answer."""
    service = made.service
    old = psutil.Process(service.process.pid)
    workers = set(old.children())
    old.send_signal(signal.SIGUSR2)
    _wait(lambda: any(len(child.children()) == 2 for child in set(old.children()) - workers))
    (new,) = [Master(child.pid) for child in set(old.children()) - workers if child.children()]
    booted = time.monotonic() + 1
    _wait(lambda: time.monotonic() > booted)
    old.send_signal(signal.SIGTERM)
    service.process.wait(TURN)
    service.process = new
    service.wait_until_ready()


def _stop_and_start(made: Restarted) -> None:
    made.closed.set()
    made.service.stop()
    made.service.start()
    made.closed.clear()


def _wait(true) -> None:
    deadline = time.monotonic() + TURN
    while not _holds(true):
        if time.monotonic() > deadline:
            raise RuntimeError("a restart did not come to its end")
        time.sleep(0.05)


def _holds(true) -> bool:
    try:
        return true()
    except psutil.NoSuchProcess:
        return False


def run(folder: Path, restarts: int, seed: int, pause: float) -> Restarted:
    """Restart a service in `folder` under load; its faults are in what is returned."""
    service = Service(folder / "data", site=storm.site(folder / "site"))
    taken_to = folder / "taken"
    taken_to.mkdir()
    made = Restarted(service, random.Random(seed), taken_to, storm.BATCH)
    service.start()
    service.request = made.request  # what the senders call
    downstream = storm.Downstream(service.output / "referrals", taken_to)
    senders = [threading.Thread(target=storm.send, args=[made, number]) for number in range(storm.SENDERS)]
    try:
        for thread in senders:
            thread.start()
        restart(made, restarts, pause)
        for sender in senders:
            sender.join()
        storm._close_batches(service)
        storm._wait_until_taken(made)
    finally:
        made.calm.set()
        downstream.stop(made)
        service.stop()
    made.faults = storm.judge(made)
    return made


def summary(made: Restarted) -> str:
    return (
        f"{dict(made.kills)}; {len(made.receipts)} deliveries accepted in {made.tries} tries; "
        f"{len(made.taken)} taken by downstream; {len(made.faults)} faults"
    )


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--restarts", type=int, default=50)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--pause", type=float, default=1, help="longest time between two restarts, in seconds")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = run(Path(folder), options.restarts, options.seed, options.pause)
    for fault in made.faults:
        print(fault)
    print(summary(made))
    return 1 if made.faults else 0


if __name__ == "__main__":
    sys.exit(main())
