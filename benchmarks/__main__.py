"""`make bench`: every case on every server, interleaved, as tables; then the figures that the service is held to."""

import argparse
import contextlib
import os
import platform
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import cases, figures, measuring, peers, site, starting, table, tools
from benchmarks.cases import CASES, Case
from benchmarks.measuring import Sample
from benchmarks.peers import Peer
from benchmarks.server import Failed, Server

MEMORY_DISK = Path("/dev/shm")
WARM_UP = 0.3  # seconds: connections, caches, first compilations
PAUSE = 0.2  # seconds in which the disk comes to rest after the files of a round were written
LARGE = 10_000_000  # bytes of a document from which on the rate is told in MB/s

Samples = dict[str, list[Sample]]


def main() -> int:
    asked = _arguments()
    found, missing = peers.installed(asked.peers.split(",") if asked.peers else [each.name for each in peers.PEERS])
    found += [peers.beside(asked.beside)] if asked.beside else []
    try:
        tools.go()
    except tools.Missing as error:
        print(f"The load generator cannot be built: {error}", file=sys.stderr)
        return 2
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, {asked.rounds} rounds of {asked.seconds} s", *missing, sep="\n"
    )
    site.write(peers.SITE)
    chosen = [case for case in CASES if not asked.cases or case.name in asked.cases.split(",")]
    results = {}
    with tempfile.TemporaryDirectory(prefix="bench-", dir=asked.disk) as folder:
        for case in chosen:
            results[case.name] = _run(case, found, Path(folder), asked.rounds, asked.seconds)
            size = case.document if case.document >= LARGE else None
            head = (*table.HEAD[:1], "MB/s" if size else table.HEAD[1], *table.HEAD[2:])
            print(
                f"\n{case.name}: {case.told}\n",
                table.written(head, table.case_rows(results[case.name], size)),
                sep="\n",
            )
        started = [starting.row(Path(folder))] if not asked.cases or "start" in asked.cases.split(",") else []
    print("\nfigures\n", table.written(figures.HEAD, [*figures.rows(results), *started]), sep="\n")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--cases", help=f"some of {','.join(case.name for case in CASES)},start")
    parser.add_argument("--peers", help=f"some of {','.join(peer.name for peer in peers.PEERS)}")
    parser.add_argument("--beside", type=Path, help="another checkout of the service, measured in the same rounds")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of one case on one server in one round")
    parser.add_argument("--disk", type=Path, default=tools.CACHE, help="folder on the disk that is measured")
    return parser.parse_args()


def _run(case: Case, found: Sequence[Peer], disk: Path, rounds: int, seconds: float) -> Samples:
    """Measure a case on all its servers, in another order each round."""
    wanted = [peer for peer in found if not case.peers or peer.name in (*case.peers, "beside")]
    samples: dict[str, list[Sample]] = {}
    with contextlib.ExitStack() as running:
        folder = running.enter_context(_in_memory() if case.memory_disk else _emptied(disk / case.name))
        request = folder / "request"
        cases.write_request(case, request)
        turns: list[_Turn | _Disk] = [_Turn(server, case, request) for server in _started(wanted, folder, running)]
        turns += [_Disk(folder, case.document)] if "disk" in case.peers else []
        for number in range(rounds):
            for turn in random.sample(turns, len(turns)):
                _show(f"{case.name}, round {number + 1} of {rounds}: {turn.name}")
                try:
                    samples.setdefault(turn.name, []).append(turn.take(seconds))
                except Failed as failed:
                    print(f"\n{failed}\n", file=sys.stderr)
                    turns.remove(turn)
                    del samples[turn.name]
        _show("")
    return samples


def _started(wanted: Sequence[Peer], folder: Path, running: contextlib.ExitStack) -> Iterator[Server]:
    for peer in wanted:
        try:
            server = Server(peer, folder / peer.name)
        except Failed as failed:
            print(failed, file=sys.stderr)
        else:
            running.callback(server.stop)
            yield server


@contextlib.contextmanager
def _in_memory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=MEMORY_DISK) as folder:
        yield Path(folder)


@contextlib.contextmanager
def _emptied(folder: Path) -> Iterator[Path]:
    """Give the space free at the end, and keep the files until all is measured.

    Where an inode was removed, ext4 without a journal looks at it for five minutes before it gives another one out.
    """
    folder.mkdir()
    yield folder
    for path in folder.rglob("*"):
        if path.is_file():
            os.truncate(path, 0)


class _Turn:
    """One server's part in each round."""

    def __init__(self, server: Server, case: Case, request: Path) -> None:
        self.name = server.name
        self._server, self._case, self._request = server, case, request

    def take(self, seconds: float) -> Sample:
        if not self._case.count:
            measuring.measure(self._server, self._case, self._request, WARM_UP, _prefix())
        sample = measuring.measure(self._server, self._case, self._request, seconds, _prefix())
        if self._case.memory_disk or self._case.document >= LARGE:
            self._server.empty_output()
        os.sync()
        time.sleep(PAUSE)
        return sample


class _Disk:
    """The disk's own part in each round."""

    name = "disk"

    def __init__(self, folder: Path, size: int) -> None:
        self._folder, self._size = folder, size

    def take(self, _seconds: float) -> Sample:
        return measuring.write_to_disk(self._folder, self._size)


def _prefix() -> str:
    """Return the begin of sourceIds that no round before had."""
    return f"{time.time_ns() // 1_000_000 % 10**10:010}-"


def _show(progress: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{progress}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
