"""Deliveries alone, and while people use the console beside them: does a page cost a delivery anything?

    python -m benchmarks.beside [--rounds N] [--seconds S] [--rate R] [--people P] [--disk FOLDER]

Faxes come at a steady rate that leaves the machine time to rest. In every other measurement PEOPLE load the screens of
the console one after the other, each with the pictures of its documents, every half second. Both take turns; a ratio
compares the two of one round. An answer's time counts from when its delivery was due.
"""

import argparse
import contextlib
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import cycle
from multiprocessing.synchronize import Event
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode

import psutil

from benchmarks import cases, measuring, peers, site, tools
from benchmarks.server import Server, free_port
from receiver.core.delivery import Status
from receiver.core.settings import Settings
from receiver.store.accounts import Accounts, Role, User
from receiver.store.ledger import Ledger
from receiver.web.console.access import COOKIE, hashed
from tests.console.sample import PASSWORD, ROOT, TOKEN, request_of

HELD = 50  # deliveries that people look at
PAUSE = 0.5  # seconds between two pages of one person
OURS = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
FIGURES = ("p50", "p99", "longest")  # milliseconds


def main() -> None:
    asked = _arguments()
    tools.go()
    with tempfile.TemporaryDirectory(prefix="beside-", dir=asked.disk) as name:
        folder = Path(name)
        server = Server(peers.Peer("receiver", "", _command, (), site.ROOT), folder)
        try:
            requests = {each: _written(folder / each, changes) for each, changes in CHANGES.items()}
            measuring.load(server, requests["held"], 4, "-count", str(HELD), "-prefix", "held")
            with _console(folder) as console:
                rounds = [_round(server, requests["sent"], console, number, asked) for number in range(asked.rounds)]
        finally:
            server.stop()
    _tell(rounds, asked)


@dataclass(frozen=True)
class Console:
    """A console that runs: its process, its address, the cookie of somebody who is logged in, and what is held."""

    process: psutil.Process
    address: str
    cookie: str
    held: list[str]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.beside", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=8.0, help="of one measurement")
    parser.add_argument("--rate", type=float, default=60, help="deliveries per second")
    parser.add_argument("--people", type=int, default=4)
    parser.add_argument("--disk", type=Path, default=tools.CACHE, help="folder on the disk that is measured")
    return parser.parse_args()


CHANGES: dict[str, dict[str, Any]] = {"sent": {}, "held": {"mrn": ("0007123O", 0.61)}}


def _command(address: str, folder: Path) -> peers.Command:
    command, environment = peers.ours(address, folder, ROOT)
    return command, environment | {"RECEIVER_TOKEN": TOKEN}


def _written(path: Path, changes: dict[str, Any]) -> Path:
    """Write a fax's request as it goes over the socket."""
    request = request_of(cases.SOURCE_ID, changes)
    headers = request["headers"] | {"Host": "bench.example", "Content-Length": str(len(request["data"]))}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value)
    path.write_bytes(f"POST {request['path']} HTTP/1.1\r\n{head}\r\n".encode() + request["data"])
    return path


@contextlib.contextmanager
def _console(folder: Path) -> Iterator[Console]:
    """Start the console and look at everything once, so that its site is compiled and its helpers run."""
    address = f"127.0.0.1:{free_port()}"
    _, environment = _command(address, folder)
    ledger = Ledger(Settings.from_environment(environment).ledger)
    Accounts(ledger.connections).put(User("ada", Role.OWNER, hashed(PASSWORD)))
    held = [entry.id for entry in ledger.search(status=Status.HELD, limit=HELD)]
    command = [sys.executable, "-m", "receiver.cli", "console", "--bind", address]
    with (folder / "console.log").open("wb") as log:
        running = subprocess.Popen(command, env=os.environ | environment, stdout=log, stderr=log)
    try:
        _wait_for(address)
        connection = HTTPConnection(address)
        cookie = _asked(connection, "POST", "/login", urlencode({"name": "ada", "password": PASSWORD}))
        for method, path, form in _walk(held[:1]):
            _asked(connection, method, path, form, cookie)
        yield Console(psutil.Process(running.pid), address, cookie, held)
    finally:
        running.terminate()
        running.wait()


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            _asked(HTTPConnection(address), "GET", "/login")
            return
        time.sleep(0.05)
    raise SystemExit("the console does not start")


def _round(
    server: Server, request: Path, console: Console, number: int, asked: argparse.Namespace
) -> dict[str, dict[str, float]]:
    """Measure with and without people, in an order that is drawn; return what each came to."""
    found = {}
    for how in random.sample(("alone", "beside"), 2):
        begun, worked = time.monotonic(), _worked(console.process)
        with _people(console, asked.people if how == "beside" else 0) as pages:
            options = ("-seconds", str(asked.seconds), "-rate", str(asked.rate), "-prefix", f"{number}{how[0]}")
            told = measuring.load(server, request, 16, *options)
        if told["failures"] or set(told["statuses"]) != {"200"}:
            raise SystemExit(f"answers {told['statuses']}, failures {told['failures']}")
        took = time.monotonic() - begun
        share = (_worked(console.process) - worked) / took
        found[how] = told | {"pages": pages.value / took, "share": share}
        server.empty_output()
    return found


def _worked(process: psutil.Process) -> float:
    """Return the seconds of the processor that a process and its children have used."""
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return sum(each.user + each.system for each in times)


@contextlib.contextmanager
def _people(console: Console, count: int) -> Iterator[Any]:
    """Have people use the console, in a process that leaves the others their time; yields how many answers they got."""
    pages, end = multiprocessing.Value("l"), multiprocessing.Event()
    child = multiprocessing.Process(target=_use, args=(console, count, pages, end))
    child.start()
    try:
        yield pages
    finally:
        end.set()
        child.join()


def _use(console: Console, count: int, pages: Any, end: Event) -> None:
    os.nice(19)  # browsers are on other machines
    shares = [console.held[number::count] for number in range(count)]
    people = [threading.Thread(target=_person, args=(console, share, pages, end)) for share in shares]
    for each in people:
        each.start()
    for each in people:
        each.join()


def _person(console: Console, held: list[str], pages: Any, end: Event) -> None:
    connection = HTTPConnection(console.address)
    for method, path, form in cycle(_walk(held)):
        _asked(connection, method, path, form, console.cookie)
        with pages.get_lock():
            pages.value += 1
        if not path.endswith((".png", "small=1")) and end.wait(PAUSE):
            return


def _walk(held: list[str]) -> Iterator[tuple[str, str, str]]:
    """Yield what a person asks for: method, path and form."""
    for id_ in held:
        yield from (("GET", path, "") for path in ("/", "/deliveries", "/deliveries?status=held"))
        yield "GET", f"/deliveries/{id_}/documents/0/1.png", ""
        yield "GET", f"/deliveries/{id_}/documents/0/2.png?small=1", ""
        yield "GET", f"/deliveries/{id_}", ""
        yield "GET", f"/deliveries/{id_}/documents/0/2.png", ""
        yield from (("GET", path, "") for path in ("/station/referrals", "/audit", "/workbench/referrals"))
        yield "POST", "/deliveries", urlencode({"known": "S4711"})


def _asked(connection: HTTPConnection, method: str, path: str, form: str = "", cookie: str = "") -> str:
    """Ask the console, and return the cookie of its answer."""
    connection.request(method, path, form or None, OURS | {"Cookie": cookie})
    answer = connection.getresponse()
    answer.read()
    if answer.status not in (200, 303):
        raise SystemExit(f"{path} is answered {answer.status}")
    return (answer.getheader("Set-Cookie") or "").partition(";")[0] if COOKIE in str(answer.headers) else ""


def _tell(rounds: list[dict[str, dict[str, float]]], asked: argparse.Namespace) -> None:
    """Print what the rounds came to."""
    print(f"{asked.rate:g} deliveries/s, {asked.rounds} rounds of {asked.seconds:g} s, {asked.people} people")
    for figure in FIGURES:
        alone, beside = (median(each[how][figure] for each in rounds) for how in ("alone", "beside"))
        ratios = sorted(each["beside"][figure] / each["alone"][figure] for each in rounds)
        spread = f"{ratios[0]:.2f} to {ratios[-1]:.2f}"
        print(f"  {figure:8} alone {alone:7.2f} ms, beside {beside:7.2f} ms, ratio {median(ratios):.2f} ({spread})")
    answers, share = (median(each["beside"][name] for each in rounds) for name in ("pages", "share"))
    print(f"  the console answers {answers:.0f} requests a second and uses {100 * share:.0f} % of a processor")


if __name__ == "__main__":
    main()
