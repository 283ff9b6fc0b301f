"""A server that runs while it is measured."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import psutil

from benchmarks.peers import Peer

START = 20.0  # seconds a server may take to answer
CALM = 5.0  # seconds it may take to end


class Failed(Exception):  # noqa: N818 (what happened)
    """A server did not start, or did not answer as a case expects; nothing is measured then."""


class Server:
    """A server that runs, on a port of the loopback, in a folder of its own."""

    def __init__(self, peer: Peer, folder: Path) -> None:
        """Start it and wait until it listens. Raises Failed with the end of its log."""
        self.name = peer.name
        self.output = folder / "output"
        self.output.mkdir(parents=True)
        self.address = f"127.0.0.1:{free_port()}"
        self._log = folder / "log"
        arguments, environment = peer.command(self.address, folder)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RECEIVER_")}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                arguments,
                cwd=peer.checkout or folder,
                env=kept | environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START
        host, _, port = self.address.partition(":")
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=1) as connection:
                connection.settimeout(1)
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                if connection.recv(16):
                    return
            time.sleep(0.02)
        self.stop()
        raise Failed(f"{self.name} did not start: {self.last_words()}")

    def last_words(self) -> str:
        """Return the end of its log."""
        return self._log.read_text(errors="replace")[-1_000:]

    def processes(self) -> list[psutil.Process]:
        root = psutil.Process(self._process.pid)
        return [root, *root.children(recursive=True)]

    def empty_output(self) -> None:
        """Take the output away, as a downstream system does."""
        for path in self.output.rglob("*"):
            if path.is_file() and not path.name.endswith(".part"):
                path.unlink()

    def stop(self) -> None:
        """End it with all its processes."""
        with contextlib.suppress(psutil.NoSuchProcess):
            processes = self.processes()
            self._process.send_signal(signal.SIGTERM)
            _, alive = psutil.wait_procs(processes, timeout=CALM)
            for process in alive:
                process.kill()
        self._process.wait()


def free_port() -> int:
    """Return a port of the loopback that nobody has."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
