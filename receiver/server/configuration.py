"""How gunicorn serves: read by `gunicorn.conf.py` and by `receiver serve`."""

import os
import resource
import sys
from typing import Any

from gunicorn.systemd import sd_notify

from receiver import log
from receiver.app import prepare
from receiver.core import limits
from receiver.core.faults import ConfigurationError
from receiver.core.problems import Problem
from receiver.core.settings import Settings, SettingsError
from receiver.operations import meters
from receiver.server.balance import Balance
from receiver.site import in_force
from receiver.site.config.site import unread_variables

worker_class = "receiver.server.worker.Worker"  # gunicorn's gthread, proof against slow senders; fsync lets others run
workers = 2  # one may crash or be replaced while the other answers; each works on one processor, and takes 22 MB
threads = 256  # deliveries on their way in one worker, most of which wait for their sender; limits.AT_WORK are at work
worker_connections = limits.CONNECTIONS
keepalive = 15  # seconds: a sender with several documents keeps its connection; closing each cost 21 % of the rate
limit_request_line = limits.MAX_URL
limit_request_fields = limits.MAX_HEADERS
limit_request_field_size = limits.MAX_HEADER_SIZE
logger_class = (
    "receiver.server.gunicorn_log.Lines"  # in the form of our own; the access log stays off: docs/operations.md
)
timeout = 60  # seconds without a sign of life from a worker's main loop, which no slow request can block
graceful_timeout = 30  # seconds for deliveries in flight at a stop: the time that systemd gives at most by half
worker_tmp_dir = "/dev/shm"  # noqa: S108 (heartbeats only; on a busy disk they would delay answers)
control_socket_disable = True  # nothing here is steered over a socket
bind = "127.0.0.1:8080"
balance = Balance()  # of all workers
UMASK = 0o027  # patients' data is for the group of the importing system, and for nobody else


def on_starting(_server: Any) -> None:
    """Prove the configuration once before any worker, or end with a line per fault."""
    os.umask(UMASK)
    _allow_open_files()
    try:
        prepare()
    except (ConfigurationError, SettingsError, Problem) as error:
        print(error, file=sys.stderr)  # noqa: T201 (the log is not set up before the start is allowed)
        sys.exit(2)


def when_ready(server: Any) -> None:
    """Log what is served, and what of the environment nobody reads.

    systemd is told that the successor of an upgrade is the service from now on: it would end it with the old one.
    """
    sd_notify(f"MAINPID={server.pid}", server.log)
    settings = Settings.from_environment()
    log.set_up(settings.log)
    served = in_force.read(settings.local)
    log.serving(sorted(served.processes) if served else [])
    for line in unread_variables(settings.site):
        log.unread(line)


def _allow_open_files() -> None:
    """Raise the usual limit of 1,024 open files as far as allowed, for workers too."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.OPEN_FILES if hard == resource.RLIM_INFINITY else min(limits.OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def pre_fork(server: Any, worker: Any) -> None:
    """Let a worker see what it is sent before it listens to signals itself, and count its connections."""
    worker.told_early = server.SIG_QUEUE
    worker.balance, worker.place = balance, balance.join()


def child_exit(_server: Any, worker: Any) -> None:
    """Forget what a worker that is gone had in flight."""
    balance.leave(worker.place)
    meters.forget(Settings.from_environment().local, worker.pid)


def pre_exec(server: Any) -> None:
    """Start the successor of an upgrade (USR2) as this one was started.

    gunicorn would run its own `__main__.py` as a script, from whose folder `http` is gunicorn's and not Python's.
    """
    server.START_CTX["args"] = list(sys.orig_argv)
