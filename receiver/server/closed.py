"""What a worker answers as long as the ledger or a disk cannot be opened: 503, at once. It tries again by itself."""

import time
from collections.abc import Callable, Iterable
from typing import Any

from receiver import log
from receiver.core.problems import Problem
from receiver.web import replies

FIRST = 1.0  # seconds until it tries again; the pause doubles up to the longest
LONGEST = 60.0  # seconds: a line in the log for each minute, and a minute at most until deliveries are taken again


class Closed:
    """The application, as long as there is no other one."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request: the process lives, and takes nothing."""
        if environ.get("PATH_INFO") == "/healthz":
            response = replies.alive()
        elif environ.get("PATH_INFO") == "/readyz":
            response = replies.not_ready(self._problem)
        else:
            response = replies.refused(self._problem)
        return response(environ, start_response)

    def try_again(self, begin: Callable[[], None]) -> None:
        """Call `begin`, which puts the application in the place of this one, until it raises nothing any more."""
        pause = FIRST
        while True:
            log.not_opened(self._problem, pause)
            time.sleep(pause)
            try:
                begin()
            except Problem as problem:
                self._problem = problem
            except Exception as error:  # noqa: BLE001 (a defect must not end the trying, and it is told)
                log.crashed(error)
            else:
                return
            pause = min(2 * pause, LONGEST)
