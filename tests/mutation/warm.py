"""A process that has imported what tests need beside the service, and forks for each trial: half of its time is saved.

It reads one trial a line, as JSON: the modules to import first, then for each trial pytest's arguments, its environment
and how many seconds it may take. It writes pytest's exit code, or -1 for a trial that took too long.
"""

import json
import os
import select
import signal
import sys
import warnings
from contextlib import suppress
from importlib import import_module
from typing import Any


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with warnings.catch_warnings(action="ignore"):
        for name in json.loads(sys.stdin.readline()):
            with suppress(Exception):
                import_module(name)
    for line in sys.stdin:
        trial = json.loads(line)
        pid = os.fork()
        if not pid:
            _run(trial)
        print(_exit_code(pid, trial["seconds"]), flush=True)


def _run(trial: dict[str, Any]) -> None:
    """Run pytest in this process, which is a fork, and end it."""
    import pytest

    code = 3  # of pytest for an internal error
    try:
        os.setsid()
        os.environ.update(trial["environment"])
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            os.dup2(nothing, descriptor)
        code = pytest.main(trial["arguments"])
    finally:
        os._exit(code)


def _exit_code(pid: int, seconds: float) -> int:
    ended = os.pidfd_open(pid)
    in_time, _, _ = select.select([ended], [], [], seconds)
    os.close(ended)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)  # with what its tests have left running
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return status if in_time else -1


if __name__ == "__main__":
    main()
