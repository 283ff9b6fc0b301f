"""The guide for process owners, done as it says: every command run in a shell, every answer compared."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support import planted
from tests.support.running import ROOT, TALKATIVE, free_port

PAGE = (ROOT / "docs" / "authoring.md").read_text()
BLOCK = re.compile(r"^```(\w+)(?: ([^\n]*))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HUNK = re.compile(r"((?:^-.*\n)+)((?:^\+.*\n)*)|((?:^\+.*\n)+)(^ .*\n)", re.MULTILINE)
TAKEN_OVER = 2  # seconds, on a busy machine, until the last worker has what is told as judged
PATIENCE = 30  # seconds on a busy machine
END = "--end-of-command--"


class Terminal:
    """A shell, and what it has said."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        plain = {name: value for name, value in os.environ.items() if not name.startswith("RECEIVER_")}
        path = f"{Path(sys.executable).parent}:{plain['PATH']}"
        self.environment = plain | {"PATH": path, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}
        self.environment["GUNICORN_CMD_ARGS"] = " ".join(TALKATIVE)
        self.process = subprocess.Popen(
            ["bash", "--norc"],
            cwd=folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
        )

    def run(self, command: str) -> tuple[str, int]:
        """Return what a command prints, and how it ends."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{command.replace(':8080', f':{self.port}')}\necho {END} $?\n")
        self.process.stdin.flush()
        said = []
        for line in self.process.stdout:
            if line.startswith(END):
                return "".join(said), int(line.split()[1])
            said.append(line)
        raise AssertionError(f"the shell ended: {said}")


def matches(expected: str, said: str) -> bool:
    """Compare, where a line of … stands for any lines, and … in a line for anything in it."""
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "…" else ".*".join(map(re.escape, line.split("…"))) + r" *\n"
        for line in expected.splitlines()
    )
    return re.fullmatch(pattern, said) is not None


def commands(text: str) -> list[tuple[str, str]]:
    """Return each command of a block with what it answers."""
    return [(command, answer) for command, _, answer in (part.partition("\n") for part in text.split("$ ")[1:])]


def edit(path: Path, difference: str) -> None:
    """Put the lines with + in the place of those with -, or before the line that is shown unchanged."""
    text = path.read_text()
    for removed, added, before, kept in HUNK.findall(difference):
        old, new = plain(removed or kept), plain(added or before + kept)
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path.write_text(text)


def plain(lines: str) -> str:
    return re.sub("^.", "", lines, flags=re.MULTILINE)


def wait_until(true) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


class Reader:
    """Somebody who does what the page says, from its top to its end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.terminal = Terminal(folder, self.port)
        self.second: Path | None = None  # what the second terminal shows

    def json(self, file: str, text: str) -> None:
        (self.folder / file).write_text(text)

    xml = json

    def diff(self, file: str, text: str) -> None:
        before = self.reloads()
        edit(self.folder / file, text)
        if before is not None:
            wait_until(lambda: self.reloads() != before)
            time.sleep(TAKEN_OVER)

    def reloads(self) -> int | None:
        """Return how many edits the running service has judged; None where none runs."""
        log = self.folder / "service.log"
        return len(re.findall("configured|edit kept", log.read_text())) if log.exists() else None

    def console(self, where: str, text: str) -> None:
        if where == "second terminal":
            self.look_there(text)
            return
        for number, (command, answer) in enumerate(commands(text)):
            said, code = self.terminal.run(command)
            assert matches(answer, said), f"{command}\n{said}"
            assert code == (where == "1" and number == 0), command
            if " serve " in command:
                wait_until(self.serves)

    def serves(self) -> bool:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port)).close()
            return True
        return False

    def look_there(self, text: str) -> None:
        if self.second is None:
            [(command, text)] = commands(text)
            self.second = self.folder / "second-terminal"
            self.second.touch()
            self.terminal.run(f"{command} >> {self.second} 2>&1 &")
        wait_until(lambda: matches(f"…\n{text}…\n", self.second.read_text() + "\n"))
        self.second.write_text("")

    def leave(self) -> None:
        for site in (path.parent for path in self.folder.glob("*/mappings")):
            planted.RUN.starts(self.folder / "service.log", site)
        os.killpg(self.terminal.process.pid, signal.SIGTERM)
        self.terminal.process.communicate()


@pytest.fixture
def reader(tmp_path):
    reader = Reader(tmp_path)
    yield reader
    reader.leave()


def test_the_guide_can_be_done_as_it_says(reader):
    blocks = BLOCK.findall(PAGE)
    assert {kind for kind, _, _ in blocks} == {"json", "xml", "diff", "console"}
    for kind, where, text in blocks:
        getattr(reader, kind)(where, text)
