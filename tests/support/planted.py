"""Whether any value that a test has sent to a running service was told: in its log, its metrics or a notice.

All that passes a connection of the tests is taken down, and so is all that the services say, with every logger at its
most talkative. At the end of the run the values are looked for in it: see tests/conftest.py.
"""

import atexit
import json
import shutil
import socket
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.sent_values import found_in, values_in

ROOT = Path(__file__).parent.parent.parent
TALKATIVE = Path(__file__).parent / "talkative"
LOOKED_AT = 100_000  # bytes of a piece that is sent, at its start and at its end: metadata are small
MOST_TAKEN = 1_000_000  # bytes of a connection that are kept before they are looked through


@dataclass(frozen=True)
class Said:
    """One thing that a service said."""

    kind: str  # log, page of metrics, notice
    where: str
    text: str


@dataclass(frozen=True)
class Verdict:
    """What was looked for, where, and what was found."""

    services: int
    values: int
    said: list[Said]
    found: list[str]

    @property
    def failed(self) -> bool:
        """Tell whether a value was told, or there was nothing to look for or in where a service ran."""
        kinds = {said.kind for said in self.said if said.text}
        return bool(self.found) or (self.services > 0 and not (self.values and "log" in kinds))

    def __str__(self) -> str:
        logs, pages, notices = (sum(said.kind == kind for said in self.said) for kind in ("log", "page", "notice"))
        size = sum(len(said.text) for said in self.said) / 1e6
        places = f"{logs:,} logs, {pages:,} pages of metrics and {notices:,} notices ({size:.1f} MB)"
        return f"{self.values:,} values looked for in {places}: {len(self.found)} found"


@dataclass
class Run:
    """What was sent and what was said in a run of the tests."""

    folder: Path  # of what the libraries say that the services use
    values: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    logs: dict[Path, str] = field(default_factory=dict)
    said: list[Said] = field(default_factory=list)
    sites: dict[Path, str] = field(default_factory=dict)  # what a service may say, since it is configured so

    def libraries(self, log: Path) -> Path:
        """Return where the libraries log that a service with this log uses."""
        return self.folder / "-".join(log.parts[-3:])

    def sent(self, raw: bytes) -> None:
        """Take down what a service is sent."""
        values, names = values_in(raw)
        self.values |= values
        self.names |= names

    def starts(self, log: Path, site: Path) -> None:
        """Take down that a service starts, and the samples of its site, which verbs send."""
        self.logs.setdefault(log, "")
        files = [path for folder in ("schemas", "mappings") for path in (site / folder).rglob("*") if path.is_file()]
        texts = {path: path.read_bytes() for path in files if path.stat().st_size < MOST_TAKEN}
        self.sites[site] = "\n".join(
            texts[path].decode(errors="replace") for path in texts if "samples" not in path.parts
        )
        for path in texts:
            if path.suffix in (".json", ".xml") and "samples" in path.parts and "expected" not in path.parts:
                self.sent(texts[path])

    def stops(self, log: Path, page: str) -> None:
        """Take down what a service has said, before its folder is removed."""
        self._read(log)
        self.said += [Said("page", str(log), page)] if page else []

    def noticed(self, notice: object) -> None:
        """Take down what people were told."""
        self.said.append(Said("notice", "a webhook", json.dumps(notice, ensure_ascii=False)))

    def judged(self) -> Verdict:
        """Look for every value in all that was said."""
        for log in self.logs:  # once more: not every service is stopped by who has started it
            self._read(log)
        said = self.said + [Said("log", str(log), text) for log, text in self.logs.items()]
        said += [Said("log", path.name, path.read_text(errors="replace")) for path in self.folder.iterdir()]
        may_be_said = "\n".join(
            (*self.sites.values(), *(path.read_text() for path in (ROOT / "receiver").rglob("*.py")))
        )
        values = {value for value in self.values - self.names if value not in may_be_said}
        found = [
            f"{value!r} in the {each.kind} {each.where}: {line[:300]}"
            for each in said
            for value, line in found_in(each.text, values)
        ]
        return Verdict(len(self.logs), len(values), said, found)

    def _read(self, log: Path) -> None:
        with suppress(OSError):
            self.logs[log] = log.read_text(errors="replace")


RUN = Run(Path(tempfile.mkdtemp(prefix="said-by-libraries-")))
atexit.register(shutil.rmtree, RUN.folder, ignore_errors=True)


class Sender(socket.socket):
    """A connection to a service; what is sent over it is taken down, at the latest when it is closed."""

    taken = b""

    def sendall(self, data: bytes, *flags: int) -> None:
        self.taken += data if len(data) < 2 * LOOKED_AT else bytes(data[:LOOKED_AT]) + bytes(data[-LOOKED_AT:])
        if len(self.taken) > MOST_TAKEN:
            self._take_down()
        super().sendall(data, *flags)

    def close(self) -> None:
        self._take_down()
        super().close()

    def _take_down(self) -> None:
        RUN.sent(self.taken)
        self.taken = b""


def connection(port: int, timeout: float) -> Sender:
    """Return a connection to a service on the loopback."""
    made = Sender(fileno=socket.create_connection(("127.0.0.1", port), timeout=timeout).detach())
    made.settimeout(timeout)
    return made
