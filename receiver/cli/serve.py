"""`receiver serve`: gunicorn, with the configuration that ships in the package."""

import os
import sys
from collections.abc import Sequence

import click


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--bind", default="127.0.0.1:8080", show_default=True, help="Address and port to listen on.")
@click.argument("gunicorn_options", nargs=-1, type=click.UNPROCESSED)
def command(bind: str, gunicorn_options: Sequence[str]) -> None:
    """Serve deliveries until a signal ends it.

    GUNICORN_OPTIONS go to gunicorn as they are.
    """
    arguments = [
        "-c",
        "python:receiver.server.configuration",
        "--bind",
        bind,
        *gunicorn_options,
        "receiver.app:create_app()",
    ]
    server = [sys.executable, "-P", "-m", "receiver.server"]  # -P: no module of the current folder
    os.execv(sys.executable, [*server, *arguments])  # noqa: S606 (no shell, by design)
