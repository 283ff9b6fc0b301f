"""A system that allows few open files does not let slow senders use them up."""

import resource
import subprocess
import sys
from pathlib import Path

from receiver.core import limits
from tests.support.running import ROOT

CODE = """
import resource, sys
from receiver.server.configuration import _allow_open_files
numbers = [int(each) for each in sys.argv[1:]]
for bounds in zip(numbers[::2], numbers[1::2]):
    resource.setrlimit(resource.RLIMIT_NOFILE, bounds)
    _allow_open_files()
    print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def allowed(*bounds: tuple[int, int]) -> list[tuple[int, int]]:
    """Return what becomes of pairs of limits, soft and hard; a hard one can only be lowered."""
    numbers = [str(each) for pair in bounds for each in pair]
    found = subprocess.run([sys.executable, "-c", CODE, *numbers], cwd=ROOT, capture_output=True, check=True)
    return [(int(soft), int(hard)) for soft, hard in (line.split() for line in found.stdout.splitlines())]


def test_the_limit_is_opened_as_far_as_is_needed_and_allowed():
    most = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], limits.OPEN_FILES + 1000)
    opened = (min(limits.OPEN_FILES, most), most)
    assert allowed((1024, most), (most, most), (512, 1024)) == [opened, (most, most), (1024, 1024)]


def test_the_workers_of_a_running_service_have_it(hostile):
    workers = Path(f"/proc/{hostile.process.pid}/task/{hostile.process.pid}/children").read_text().split()
    assert workers
    for worker in workers:
        told = Path(f"/proc/{worker}/limits").read_text()
        [line] = [line for line in told.splitlines() if line.startswith("Max open files")]
        assert int(line.split()[3]) >= limits.OPEN_FILES
