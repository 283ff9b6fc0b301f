"""How long the service takes from its start until it is ready, with many processes."""

import http.client
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks import figures, peers, site
from benchmarks.peers import Peer
from benchmarks.server import Server

PROCESSES = 50
STARTS = 3
MOST = 3  # seconds


def row(folder: Path) -> Sequence[str]:
    """Return the figure."""
    served = _served(folder / "site")
    peer = Peer("receiver", "", lambda address, data: peers.ours(address, data, served), (), site.ROOT)
    took = [_start(peer, folder / f"start-{number}") for number in range(STARTS)]
    return figures.figure_row(f"start to ready, seconds, {PROCESSES} processes", MOST, median(took), most=True)


def _served(folder: Path) -> Path:
    """Write a site of many processes, each with schema, templates and a fields schema."""
    site.write(folder)
    form = folder / "mappings" / "forms"
    for number in range(PROCESSES - len(site.FIELDS)):
        copy = shutil.copytree(form, folder / "mappings" / f"forms-{number}")
        written = (copy / "process.toml").read_text().replace('directory = "forms"', f'directory = "forms-{number}"')
        (copy / "process.toml").write_text(written)
    return folder


def _start(peer: Peer, folder: Path) -> float:
    begun = time.monotonic()
    server = Server(peer, folder)
    try:
        connection = http.client.HTTPConnection(server.address, timeout=5)
        connection.request("GET", "/readyz")
        assert connection.getresponse().status == 200
        return time.monotonic() - begun
    finally:
        server.stop()
