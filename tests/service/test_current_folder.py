"""`receiver serve` in a folder that holds modules of the names that it needs, such as a clone called `receiver`."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import planted
from tests.support.running import ROOT, TALKATIVE, Service, free_port

REQUEST = ROOT / "mappings" / "referrals" / "samples" / "documented-request" / "request.http"
BROKEN = "raise RuntimeError('taken from the current folder')\n"
FOLDERS = {  # what lies there → its files
    "a clone": ("receiver/schemas/referrals.json", "receiver/receiver/__init__.py", "receiver/mappings/x/process.toml"),
    "a package": ("receiver/__init__.py", "receiver/schemas/__init__.py"),
    "other modules": ("gunicorn/__init__.py", "jinja2.py", "PIL/__init__.py", "pypdfium2.py"),
}


@dataclass
class Elsewhere(Service):
    """The service as `receiver serve` starts it in another folder."""

    folder: Path = Path()

    def start(self) -> "Elsewhere":
        self.port = free_port()
        planted.RUN.starts(self.log, self.site)
        receiver = str(Path(sys.executable).parent / "receiver")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [receiver, "serve", "--bind", f"127.0.0.1:{self.port}", *TALKATIVE],
                cwd=self.folder,
                env=self.variables(),
                stdout=log,
                stderr=log,
            )
        self.wait_until_ready()
        return self


@pytest.mark.parametrize("files", FOLDERS.values(), ids=FOLDERS)
def test_it_serves_whatever_the_current_folder_is_called(tmp_path, files):
    for name in files:
        (tmp_path / "here" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "here" / name).write_text(BROKEN)
    service = Elsewhere(tmp_path / "data", folder=tmp_path / "here").start()
    answer = service.request(REQUEST.read_bytes())
    service.stop()
    assert answer.status == 200
