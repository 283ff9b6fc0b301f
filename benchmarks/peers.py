"""The servers that are measured: how each is started, as its users would."""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import site, tools

SITE = tools.CACHE / "site"

Command = tuple[list[str], dict[str, str]]  # and its environment


@dataclass(frozen=True)
class Peer:
    """One server: what it needs, and what starts it, for a host:port and a folder of its own."""

    name: str
    told: str
    command: Callable[[str, Path], Command]
    needs: tuple[Callable[[], None], ...]
    checkout: Path | None = None  # where it is started, if not in a folder of its own


def ours(address: str, folder: Path, served: Path = SITE) -> Command:
    environment = {
        "RECEIVER_SITE": str(served),
        "RECEIVER_DATA": str(folder / "data"),
        "RECEIVER_OUTPUT": str(folder / "output"),
        "RECEIVER_TOKEN": site.TOKEN,
    }
    gunicorn = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py"]
    return [*gunicorn, "--bind", address, "wsgi:app"], environment


def configured(module: str) -> Callable[[str, Path], Command]:
    """Return the command of ours under another configuration of gunicorn, which stands in a module of this package."""

    def command(address: str, folder: Path) -> Command:
        arguments, environment = ours(address, folder)
        return [each.replace("gunicorn.conf.py", f"python:benchmarks.{module}") for each in arguments], environment

    return command


def _flask(module: str) -> Callable[[str, Path], Command]:
    def command(address: str, folder: Path) -> Command:
        gunicorn = [str(tools.CACHE / "python" / "bin" / "gunicorn"), "--chdir", str(tools.HERE / "peers" / "python")]
        options = ["--workers", "2", "--threads", "8", "--keep-alive", "15", "--bind", address]
        return [*gunicorn, *options, f"{module}:app"], _environment(folder)

    return command


def _starlette(address: str, folder: Path) -> Command:
    host, _, port = address.partition(":")
    uvicorn = [str(tools.CACHE / "python" / "bin" / "uvicorn"), "--app-dir", str(tools.HERE / "peers" / "python")]
    options = ["--workers", "2", "--host", host, "--port", port, "--no-access-log"]
    return [*uvicorn, *options, "starlette_app:app"], _environment(folder)


def _express(address: str, folder: Path) -> Command:
    served = str(SITE)
    server = str(tools.CACHE / "node" / "server.js")
    return ["node", server, address, str(folder / "output"), served], {"NODE_ENV": "production"}


def _node_red(address: str, folder: Path) -> Command:
    program = tools.CACHE / "node-red" / "node_modules" / "node-red" / "red.js"
    environment = {"PEER_ADDRESS": address, "PEER_FOLDER": str(folder)}
    settings = tools.HERE / "peers" / "node-red" / "settings.js"
    return ["node", str(program), "--settings", str(settings)], _environment(folder) | environment


def _go(name: str) -> Callable[[str, Path], Command]:
    return lambda address, folder: ([str(tools.CACHE / "bin" / name), address, str(folder / "output")], {})


def _nginx(address: str, folder: Path) -> Command:
    written = (tools.HERE / "peers" / "nginx.conf").read_text()
    path = folder / "nginx.conf"
    path.write_text(written.replace("@ADDRESS@", address).replace("@FOLDER@", str(folder)))
    return ["nginx", "-c", str(path), "-e", str(folder / "error.log")], {}


def _environment(folder: Path) -> dict[str, str]:
    return {"PEER_SITE": str(SITE), "PEER_OUTPUT": str(folder / "output"), "PEER_TOKEN": site.TOKEN}


PEERS = (
    Peer("receiver", "this service: hashed, validated, rendered, once only, ledger", ours, (), site.ROOT),
    Peer("silent", "this service without its log, counters and notices", configured("silent"), (), site.ROOT),
    Peer("limit", "Go: unparsed body to one file, fsync, rename, fsync of the folder", _go("limit"), (tools.go,)),
    Peer("go", "Go net/http: parts to files, no validation", _go("go"), (tools.go,)),
    Peer("express", "Express + multer + ajv, two processes", _express, (tools.node,)),
    Peer("starlette", "Starlette + uvicorn + python-multipart, two workers", _starlette, (tools.python,)),
    Peer("flask-tuned", "Flask + gunicorn 2×8, all compiled at the start", _flask("flask_tuned"), (tools.python,)),
    Peer("flask-equal", "as that, with token, SHA-256 and a ledger: each once", _flask("flask_equal"), (tools.python,)),
    Peer("flask-naive", "Flask + gunicorn 2×8, as a first version is written", _flask("flask_naive"), (tools.python,)),
    Peer("node-red", "Node-RED: a flow of its own nodes, no fsync, one process", _node_red, (tools.node_red,)),
    Peer("nginx", "nginx: unparsed body to one file, no fsync", _nginx, (tools.nginx,)),
)


def beside(checkout: Path) -> Peer:
    """Return this service as another checkout has it, which uses our environment: to judge a change."""
    return Peer("beside", f"the service in {checkout}", ours, (), checkout)


def installed(names: Iterable[str]) -> tuple[list[Peer], list[str]]:
    """Install what the named peers need. Returns those that can be started, and what is missing for the others."""
    found, missing = [], []
    for peer in PEERS:
        if peer.name not in names:
            continue
        try:
            for need in peer.needs:
                need()
        except tools.Missing as error:
            missing.append(f"{peer.name} is left out: {error}")
        else:
            found.append(peer)
    return found, missing
