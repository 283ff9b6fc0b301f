"""The commands of the pages run, each block as it stands there, on an installation that has what they speak of.

A block that cannot run here says why, in a comment in the line before it: `<!-- not run: … -->`.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.running import TOKEN as SERVED
from tests.support.running import Service

ROOT = Path(__file__).parent.parent
PAGES = ("operations.md", "audit.md")  # service/test_authoring.py does what authoring.md says
COMMANDS = {"receiver", "cp", "rm", "cd", "export", "curl", "systemctl", "pip", "sh", "install"}
BLOCK = re.compile(r"(?:^<!-- not run: (?P<reason>[^\n]+) -->\n)?\n(?P<lines>(?: {4,}\S[^\n]*\n)+)", re.MULTILINE)
TOKEN = "an-invented-token-1"


def blocks(page: str) -> list[tuple[str | None, str]]:
    """Return each block of commands of a page, with why it is not run."""
    text = (ROOT / "docs" / page).read_text().replace("\n   \n", "\n\n")
    found = [(match["reason"], match["lines"]) for match in BLOCK.finditer(text)]
    return [(reason, lines) for reason, lines in found if lines.split()[0] in COMMANDS]


RUN = [(page, lines) for page in PAGES for reason, lines in blocks(page) if reason is None]


def test_there_are_commands_and_few_are_left_out():
    assert len(RUN) >= 8
    assert sum(1 for page in PAGES for reason, _ in blocks(page) if reason) <= 2


class Place:
    """A folder as the administrator's: a site, `var`, and a terminal in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "backup").mkdir()
        (root / "platform.csv").write_text("sourceId\nS1\n")
        shutil.copytree(ROOT / "schemas", root / "site" / "schemas")
        shutil.copytree(ROOT / "mappings" / "referrals", root / "site" / "mappings" / "referrals")
        sample = ROOT / "mappings" / "referrals" / "samples" / "faxed-letter"
        shutil.copy(sample / "metadata.json", root)
        toml = root / "site" / "mappings" / "referrals" / "process.toml"
        toml.write_text(toml.read_text() + '\n[retention]\noriginals = "30d"\n\n[notify]\ncommand = ["/bin/true"]\n')
        binaries = root / "bin"
        binaries.mkdir()
        (binaries / "receiver").write_text(f'#!/bin/sh\nexec {sys.executable} -m receiver.cli "$@"\n')
        (binaries / "receiver").chmod(0o755)
        plain = {name: value for name, value in os.environ.items() if not name.startswith("RECEIVER_")}
        self.environment = plain | {
            "PATH": f"{binaries}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "RECEIVER_SITE": str(root / "site"),
            "RECEIVER_DATA": "var",
            "RECEIVER_TOKEN": TOKEN,
        }
        self.run(f"{shlex.quote(sys.executable)} -m tests.support.received")
        self.ids = (root / "ids").read_text().split()

    def run(self, script: str) -> "subprocess.CompletedProcess[str]":
        shell = ["sh", "-c", script]
        return subprocess.run(shell, cwd=self.root, env=self.environment, capture_output=True, text=True, check=False)

    def shell(self, lines: str) -> str:
        """Return a block with the names of this place in it, which ends with the first command that is wrong."""
        held, refused, published = self.ids
        script = lines.replace("/backup", str(self.root / "backup"))
        for command, id_ in (("show", published), ("capture", refused), ("replay", refused)):
            script = re.sub(rf"(receiver {command}) (ID|J6LDKN)\b", rf"\1 {id_}", script)
        script = script.replace(f"replay {refused} --accept", f"replay {held} --accept")
        return "".join(f"{line.strip()} || [ $? = 1 ] || exit 9\n" for line in _without_remarks(script))


def _without_remarks(script: str) -> list[str]:
    return [re.sub(r"\s+# .*", "", line) for line in script.splitlines()]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return Place(tmp_path_factory.mktemp("place"))


@pytest.mark.parametrize(("page", "lines"), RUN, ids=lambda text: text.strip().partition("\n")[0][:40])
def test_a_block_of_commands_runs(place, page, lines):
    told = place.run(place.shell(lines))
    assert told.returncode == 0, (told.stdout, told.stderr)
    assert "Traceback" not in told.stderr


def test_the_readme_delivers(tmp_path):
    """What the second terminal of the README does, beside a service as the first one starts it."""
    (sending,) = [lines for _, lines in blocks("../README.md") if "receiver send" in lines]
    service = Service(tmp_path / "var").start()
    try:
        script = sending.replace(":8080", f":{service.port}").replace("choose-a-long-one", SERVED)
        told = subprocess.run(["sh", "-ec", script], cwd=ROOT, capture_output=True, text=True, check=False)
    finally:
        service.stop()
    assert told.stdout.startswith("200 OK"), (told.stdout, told.stderr)
    (id_,) = set(re.findall(r"output/referrals/(\w+)\.hl7", (ROOT / "README.md").read_text()))
    written = {path.name for path in (tmp_path / "var" / "output" / "referrals").iterdir()}
    assert {f"{id_}.tif", f"{id_}.hl7", f"{id_}.json"} <= written
