"""`receiver console`: the console, in a process of its own beside the service."""

import os
import sys
from collections.abc import Sequence

import click


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--bind", default="127.0.0.1:8081", show_default=True, help="Address and port to listen on.")
@click.argument("gunicorn_options", nargs=-1, type=click.UNPROCESSED)
def command(bind: str, gunicorn_options: Sequence[str]) -> None:
    """Serve the console until a signal ends it.

    GUNICORN_OPTIONS go to gunicorn as they are.

    It looks at RECEIVER_DATA beside the running service. Put TLS in front, and let nobody from outside reach it.
    Users are made with `receiver user add`.
    """
    arguments = ["-c", "python:receiver.server.console", "--bind", bind, *gunicorn_options]
    server = [sys.executable, "-P", "-m", "receiver.server", *arguments]  # -P: no module of the current folder
    os.execv(sys.executable, [*server, "receiver.web.console:create_app()"])  # noqa: S606 (no shell, by design)
