"""A system that allows few open files does not let slow senders use them up."""

import resource
import subprocess
import sys
from pathlib import Path

from running import ROOT

from receiver import limits

CODE = "import resource; from receiver.serving import _allow_open_files as a; a(); print(*resource.getrlimit(7))"


def allowed(soft: int, hard: int) -> tuple[int, ...]:
    def bound() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    found = subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, preexec_fn=bound, capture_output=True, check=True)
    return tuple(int(number) for number in found.stdout.split())


def test_the_limit_is_opened_as_far_as_is_needed_and_allowed():
    most = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], limits.OPEN_FILES + 1000)
    assert allowed(1024, most) == (min(limits.OPEN_FILES, most), most)
    assert allowed(512, 1024) == (1024, 1024)
    assert allowed(most, most) == (most, most)


def test_the_workers_of_a_running_service_have_it(hostile):
    for worker in Path(f"/proc/{hostile.process.pid}/task/{hostile.process.pid}/children").read_text().split():
        told = Path(f"/proc/{worker}/limits").read_text()
        [line] = [line for line in told.splitlines() if line.startswith("Max open files")]
        assert int(line.split()[3]) >= limits.OPEN_FILES
