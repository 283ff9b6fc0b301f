"""The process that judges an edit ends with the service."""

import subprocess
import sys
import time
from pathlib import Path

CHILD = (
    "import time; from receiver.operations.reload import judging; judging.end_with_parent(); "
    "print(flush=True); time.sleep(60)"
)
PARENT = (
    "import os, subprocess, sys\n"
    f"child = subprocess.Popen([sys.executable, '-c', {CHILD!r}], stdout=subprocess.PIPE)\n"
    "child.stdout.readline()\n"
    "print(child.pid, flush=True)\n"
    "os.kill(os.getpid(), 9)\n"
)


def test_a_process_ends_with_the_one_that_started_it_even_when_that_is_killed():
    killed = subprocess.run([sys.executable, "-c", PARENT], capture_output=True, text=True, check=False)
    assert killed.returncode == -9
    state = Path(f"/proc/{killed.stdout.strip()}/stat")
    deadline = time.monotonic() + 60
    while state.exists() and state.read_text().split()[2] != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.02)
