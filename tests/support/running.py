"""A real service for tests: gunicorn in its own process, on a free port of the loopback, with a site of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support import planted

ROOT = Path(__file__).parent.parent.parent
TOKEN = "mF_9.B5f-4.1JqM"  # the one in the platform's sample request
TALKATIVE = ("--log-level", "debug")
START = 60  # seconds that a start may take on a busy machine


@dataclass
class Answer:
    """One answer, taken apart."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Service:
    """Gunicorn over a site and a data folder; may be stopped, killed and started again on the same data."""

    data: Path
    site: Path = ROOT
    environment: dict[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    prefix: tuple[str, ...] = ()  # of the command: what starts it as another user
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Service":
        self.port = self.port or free_port()
        self.data.mkdir(parents=True, exist_ok=True)
        planted.RUN.starts(self.log, self.site)
        with self.log.open("ab") as log:
            gunicorn = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py"]
            self.process = subprocess.Popen(
                [*self.prefix, *gunicorn, "--bind", f"127.0.0.1:{self.port}", *TALKATIVE, *self.options, "wsgi:app"],
                cwd=ROOT,
                env=self.variables(),
                stdout=log,
                stderr=log,
            )
        self.wait_until_ready()
        return self

    def variables(self) -> dict[str, str]:
        plain = {name: value for name, value in os.environ.items() if not name.startswith("RECEIVER_")}
        path = [self.environment["PYTHONPATH"]] if "PYTHONPATH" in self.environment else []
        return plain | {
            "RECEIVER_SITE": str(self.site),
            "RECEIVER_DATA": str(self.data),
            "RECEIVER_TOKEN": TOKEN,
            "EVERYTHING_LOGGED": str(planted.RUN.libraries(self.log)),
            **self.environment,
            "PYTHONPATH": os.pathsep.join([str(planted.TALKATIVE), *path]),
        }

    @property
    def log(self) -> Path:
        return self.data.parent / f"{self.data.name}.log"

    @property
    def output(self) -> Path:
        return Path(self.environment.get("RECEIVER_OUTPUT", self.data / "output"))

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START
        while time.monotonic() < deadline:
            assert self.process
            if self.process.poll() is not None:
                raise RuntimeError(f"the service ended: {self.log.read_text()}")
            try:
                if self.request(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").status == 200:
                    return
            except (OSError, ValueError):
                time.sleep(0.05)
        raise RuntimeError(f"the service did not start: {self.log.read_text()}")

    def connect(self, timeout: float = 60) -> socket.socket:
        return planted.connection(self.port, timeout)

    def request(self, raw: bytes, *, half_close: bool = False) -> Answer:
        """Send bytes as they are and read one answer."""
        with closing(self.connect()) as connection:
            try:
                connection.sendall(raw)
                if half_close:
                    connection.shutdown(socket.SHUT_WR)
            except (BrokenPipeError, ConnectionResetError):
                pass  # answered before the whole body was read
            return read_answer(connection)

    def deliver(self, raw: bytes, process: str | None = None) -> Answer:
        """Send a captured request to this service, to another process than it names if asked."""
        if process:
            raw = raw.replace(b"/api/nextstep/delivery ", f"/api/nextstep/delivery/{process} ".encode(), 1)
        return self.request(raw)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process and self.process.poll() is None:
            page = self.metrics()
            self.process.send_signal(how)
            self.process.wait(timeout=40)
            planted.RUN.stops(self.log, page)

    def metrics(self) -> str:
        """Return the page of metrics; "" where nobody answers."""
        try:
            with closing(self.connect(timeout=5)) as connection:
                connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                return read_answer(connection).body.decode()
        except (OSError, ValueError):
            return ""


def free_port() -> int:
    """Return a port that nobody else gets for a minute: a connection to it was closed just now (TIME_WAIT).

    A server takes it all the same, for it binds with SO_REUSEADDR, as servers do.
    """
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as listening,
        closing(socket.create_connection(listening.getsockname())),
        closing(listening.accept()[0]),  # closed first: this end keeps the port
    ):
        return int(listening.getsockname()[1])


def read_answer(connection: socket.socket) -> Answer:
    """Read one answer; what follows it on the connection is left alone."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _some(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += _some(connection)
    return Answer(int(status.split()[1]), headers, body)


def _some(connection: socket.socket) -> bytes:
    received = connection.recv(65536)
    if not received:
        raise ValueError("the connection was closed before a whole answer came")
    return received


def multipart(*parts: tuple[str, str, str, bytes], path: str = "/api/nextstep/delivery", token: str = TOKEN) -> bytes:
    """Return a whole request of (name, filename, type, content) parts."""
    boundary = "----testBoundary7MA4YWxk"
    body = b"".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
        f"Content-Type: {kind}\r\n\r\n".encode()
        + content
        + b"\r\n"
        for name, filename, kind, content in parts
    )
    body += f"--{boundary}--\r\n".encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: receiver.test\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: multipart/form-data; boundary={boundary}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
