"""Runs the service for the demonstration: under gunicorn, on a free port of the loopback interface."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

LOG = "service.log"
USER = "demo"
BIN = Path(sys.executable).parent
START_WITHIN = 30.0  # seconds; a cold start on a slow machine takes a few
STOP_WITHIN = 40.0  # seconds; longer than the service gives to deliveries in flight


@contextmanager
def service(site: Path, data: Path, token: str) -> Iterator[int]:
    """Run the service under gunicorn on a free port of the loopback interface; end it, always."""
    port, environment = _free_port(), _environment(site, data) | {"RECEIVER_TOKEN": token}
    command: list[str | Path] = [BIN / "gunicorn", "-c", "gunicorn.conf.py", "-b", f"127.0.0.1:{port}", "wsgi:app"]
    log = data / LOG
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=site, env=environment, stdout=file, stderr=file)  # noqa: S603 (ours)
    try:
        _wait_until_ready(process, port, log)
        yield port
    finally:
        _stop(process)


@contextmanager
def console(site: Path, data: Path, password: str) -> Iterator[int]:
    """Run the console beside the service, with one user, on a free port of the loopback interface; end it, always."""
    port, environment = _free_port(), _environment(site, data)
    add: list[str | Path] = [BIN / "receiver", "user", "add", USER, "--role", "owner", "--password-stdin"]
    subprocess.run(add, input=password, text=True, env=environment, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    command: list[str | Path] = [BIN / "receiver", "console", "--bind", f"127.0.0.1:{port}"]
    log = data / "console.log"
    with log.open("wb") as file:
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=file)  # noqa: S603 (ours)
    try:
        _wait_until_ready(process, port, log)
        yield port
    finally:
        _stop(process)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def _environment(site: Path, data: Path) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("RECEIVER_")}
    return own | {"RECEIVER_SITE": str(site), "RECEIVER_DATA": str(data)}


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_WITHIN
    while process.poll() is None and time.monotonic() < deadline:
        if _answers(port):
            return
        time.sleep(0.05)
    sys.exit(f"The service did not start:\n\n{log.read_text(errors='replace')}")


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=START_WITHIN)
    try:
        connection.request("GET", "/readyz")
        connection.getresponse()
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
    return True


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
