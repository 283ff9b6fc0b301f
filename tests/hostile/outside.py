"""The service on a connection that is kept: as many requests as a long run needs, each watched for what it leaves."""

import re
import shutil
import socket
import time
from collections import Counter
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

from tests.support.leftovers import left_in
from tests.support.running import Answer, Service

from .talking import answers

MOST = 1.0  # seconds until an answer
HANG = 10.0  # seconds until nobody waits any longer
IDLE = 5.0  # seconds after which a connection is not trusted any more: the service closes idle ones
SWEEP = 200  # requests after which what was published or kept is looked at and thrown away
# folders that the service keeps
OWN = {"stage", "output", "quarantine", "originals", "local", "housekeeping", "notify", "tokens"}
OURS = re.compile(r"[A-Z2-7]{20}(-\d+)?(\.\w+)?|\d+(\.\w+)?|problem\.json|README\.md")  # names of our making


class Watch:
    """Measures seconds, without those in which a busy machine let neither the service nor its sender run."""

    def __init__(self, service: Service) -> None:
        assert service.process
        pid = service.process.pid
        workers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        self.tasks = [Path(f"/proc/{worker}/task") for worker in (*workers, "self")]
        self.start, self.waited = time.monotonic(), self._waited()

    @property
    def seconds(self) -> float:
        """Return how long it has been."""
        return time.monotonic() - self.start - (self._waited() - self.waited)

    def _waited(self) -> float:
        """Return the seconds in which threads were ready and had no processor (proc(5), schedstat)."""
        waited = 0
        for thread in (thread for task in self.tasks for thread in task.iterdir()):
            with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
                waited += int((thread / "schedstat").read_text().split()[1])
        return waited / 1e9


class Outside:
    """A running service whose answers are timed, and whose folders are searched for what should not be there."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.connection: socket.socket | None = None
        self.received: Generator[Answer, None, None]
        self.used = 0.0  # monotonic seconds of the last answer
        self.answered: Counter[int] = Counter()  # status → how often
        self.longest = 0.0  # seconds

    def ask(self, raw: bytes) -> Answer:
        """Send a request and return its answer, which came in time and left nothing in the stage."""
        answer, took = self._ask(raw)
        if took >= MOST:  # a disk may pause once; what is too much work takes as long again
            _, took = self._ask(raw)
        assert took < MOST, f"{took:.1f} s"
        self.longest = max(self.longest, took)
        return answer

    def _ask(self, raw: bytes) -> tuple[Answer, float]:
        self._connect()
        watch = Watch(self.service)
        assert self.connection
        with suppress(BrokenPipeError, ConnectionResetError):  # answered before all of it was read
            self.connection.sendall(raw)
        answer = next(self.received)
        took = watch.seconds
        self.used = time.monotonic()
        if answer.headers["connection"] == "close":
            self.hang_up()
        self.answered[answer.status] += 1
        assert self.left == []
        self._sweep()
        return answer, took

    def hang_up(self) -> None:
        """End the connection."""
        if self.connection:
            self.received.close()
            self.connection.close()
            self.connection = None

    @property
    def left(self) -> list[Path]:
        """Return what is left in the stage."""
        return left_in(self.service.data / "stage")

    def strangers(self) -> list[Path]:
        """Return every file and folder whose name is not of our making, or that lies where none should."""
        data = self.service.data
        beside = [path for path in data.parent.iterdir() if path not in (data, self.service.log)]
        within = [path for path in data.iterdir() if path.name not in OWN and not path.name.startswith("ledger")]
        kept = [path for folder in ("output", "quarantine") for path in (data / folder).glob("*/**/*")]
        return [*beside, *within, *(path for path in kept if not OURS.fullmatch(path.name))]

    def _connect(self) -> None:
        if self.connection and time.monotonic() - self.used > IDLE:
            self.hang_up()
        if self.connection is None:
            self.connection = self.service.connect(timeout=HANG)
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.received = answers(self.connection)

    def _sweep(self) -> None:
        if self.answered.total() % SWEEP == 0:
            assert not (found := self.strangers()), found
            for folder in ("output", "quarantine"):
                for path in (self.service.data / folder).glob("*/*"):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
