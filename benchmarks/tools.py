"""What the benchmark needs besides the product: built or installed into .cache, or told as missing."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE / ".cache"
GO = ("load", "peers/limit", "peers/go")
PYTHON = (
    "flask",
    "gunicorn",
    "jinja2",
    "jsonschema",
    "lxml",
    "python-multipart",
    "starlette",
    "uvicorn[standard]",
    "xmlschema",
)
DEBIAN = {"go": "golang-go", "nginx": "nginx-light", "npm": "npm"}


class Missing(Exception):  # noqa: N818 (what it says)
    """A tool that is not there and could not be installed; the text tells which and why."""


def go() -> None:
    """Build the load generator and the peers in Go."""
    _require("go")
    for source in GO:
        name = CACHE / "bin" / Path(source).name
        _run("go", "build", "-o", str(name), ".", cwd=HERE / source, GO111MODULE="off", GOCACHE=str(CACHE / "go"))


def python() -> None:
    """Install the peers in Python into an environment of their own."""
    folder = CACHE / "python"
    _once(folder, " ".join(PYTHON), lambda: _install_python(folder))


def node() -> None:
    """Install the peer in Node."""
    _require("npm")
    folder = CACHE / "node"
    package = (HERE / "peers" / "express" / "package.json").read_text()
    _once(folder, package, lambda: _install_node(folder, "express"))
    shutil.copy(HERE / "peers" / "express" / "server.js", folder)


def node_red() -> None:
    """Install Node-RED."""
    _require("npm")
    folder = CACHE / "node-red"
    package = (HERE / "peers" / "node-red" / "package.json").read_text()
    _once(folder, package, lambda: _install_node(folder, "node-red"))


def nginx() -> None:
    _require("nginx")


def _install_python(folder: Path) -> None:
    _run(sys.executable, "-m", "venv", "--clear", str(folder))
    _run(str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", *PYTHON)


def _install_node(folder: Path, peer: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / "peers" / peer / "package.json", folder)
    _run("npm", "install", "--silent", "--no-audit", "--no-fund", cwd=folder)


def _once(folder: Path, recipe: str, install: Callable[[], None]) -> None:
    """Install only where that was not done, or from another recipe."""
    stamp = folder / "installed"
    digest = hashlib.sha256(recipe.encode()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != digest:
        install()
        stamp.write_text(digest)


def _require(command: str) -> None:
    """Find a command, or have Debian install it where we may. Raises Missing."""
    if shutil.which(command):
        return
    package = DEBIAN[command]
    if os.geteuid() or not shutil.which("apt-get"):
        raise Missing(f"{command} is not installed (Debian: apt-get install {package})")
    _run("apt-get", "install", "--yes", "--quiet", "--no-install-recommends", package)


def _run(*command: str, cwd: Path | None = None, **environment: str) -> None:
    done = subprocess.run(command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        raise Missing(f"{' '.join(command[:3])}: {lines[-1]}")
