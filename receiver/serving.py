"""How gunicorn serves: read by `gunicorn.conf.py` and by `receiver serve`."""

import sys
from typing import Any

from receiver.app import prepare
from receiver.faults import Misconfigured
from receiver.problems import Problem
from receiver.settings import SettingsError

worker_class = "gthread"  # fsync releases the interpreter: threads overlap the waits for the disk
workers = 2  # one worker may crash or be replaced while the other answers
threads = 16  # fsyncs of 16 threads overlap 3–4 times; more wait for the same disk
keepalive = 15  # seconds: a sender with several documents keeps its connection; closing each cost 21 % of the rate
timeout = 60  # seconds without a sign of life from a worker's main loop, which no slow request can block
graceful_timeout = 30  # seconds for deliveries in flight at a stop: the time that systemd gives at most by half
worker_tmp_dir = "/dev/shm"  # noqa: S108 (heartbeats only; on a busy disk they would delay answers)
control_socket_disable = True  # nothing here is steered over a socket
bind = "127.0.0.1:8080"


def on_starting(_server: Any) -> None:
    """Prove the configuration once, before any worker is started; otherwise end with one line per fault."""
    try:
        prepare()
    except (Misconfigured, SettingsError, Problem) as error:
        print(error, file=sys.stderr)  # noqa: T201 (the log is not set up before the start is allowed)
        sys.exit(2)
