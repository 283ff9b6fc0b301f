"""Deliveries a second that PostgreSQL bears, by pgbench: the ledger's own statements, with nothing around them.

The statements are those of two deliveries that this process takes in. What differs between the two, names and the keys
of locks, is another value in each transaction of pgbench.
"""

import multiprocessing
import os
import re
import subprocess
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import psycopg

from benchmarks import cases
from receiver.app import create_app
from receiver.core.settings import Settings
from tests.support import postgres

WORD = re.compile(r"-?\d{10,}|\w+")
LITERAL = re.compile(r"'(?:[^']|'')*'")
VARIABLE = re.compile(r"(<[kn]\d+>)")
KEY = re.compile(r"-?\d{10,}")  # of an advisory lock
NAME = re.compile(r"[A-Z2-7]{20}|script\w+")  # an id, or a sourceId of ours
LARGEST = 2**61


def recorded(environment: Mapping[str, str], request: Path) -> tuple[str, int]:
    """Return what pgbench is to do for one delivery, and how often one waits for the shared disk."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as other:
        return other.submit(_record, environment, request).result()


def _record(environment: Mapping[str, str], request: Path) -> tuple[str, int]:
    os.environ.update(environment)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # its log
    service = Service(request)
    service.deliver("script0")
    with service.recorded() as first:
        service.deliver("script1")
    with service.recorded() as second:
        service.deliver("script2")
    sync = os.fsync
    with mock.patch.object(os, "fsync", side_effect=sync) as counted:
        service.deliver("script3")
    return script(first, second), counted.call_count


class Service:
    """A service within this process, whose statements can be watched."""

    def __init__(self, request: Path) -> None:
        head, self._body = request.read_bytes().split(b"\r\n\r\n", 1)
        first, *lines = head.decode().split("\r\n")
        self._path = first.split()[1]
        self._headers = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
        self._client = create_app().test_client()
        self._connection = psycopg.connect(Settings.from_environment().ledger)

    def deliver(self, source_id: str) -> None:
        named = source_id.ljust(len(cases.SOURCE_ID), "0").encode()
        body = self._body.replace(cases.SOURCE_ID.encode(), named)
        told = self._client.post(self._path, data=body, headers=self._headers)
        assert told.status_code == 200, told.data

    @contextmanager
    def recorded(self) -> Iterator[list[str]]:
        """Note the statements of this thread, with their values; those of the heartbeat are another thread's."""
        found: list[str] = []
        thread = threading.get_ident()
        execute, executemany = psycopg.Cursor.execute, psycopg.Cursor.executemany

        def noting(cursor: Any, query: Any, values: Any = None, **more: Any) -> Any:
            if threading.get_ident() == thread:
                found.append(self._written(query, values))
            return execute(cursor, query, values, **more)

        def noting_many(cursor: Any, query: Any, many: Any, **more: Any) -> Any:
            many = list(many)
            found.extend(self._written(query, each) for each in many)
            return executemany(cursor, query, many, **more)

        with mock.patch.multiple(psycopg.Cursor, execute=noting, executemany=noting_many):
            yield found

    def _written(self, query: Any, values: Any) -> str:
        written = psycopg.ClientCursor(self._connection).mogrify(query, values)
        return written.replace("\n", " ").rstrip("; ")


def script(first: list[str], second: list[str]) -> str:
    """Return the statements of one delivery for pgbench: what differs in another one is a variable."""
    assert len(first) == len(second), "two deliveries differ in their statements"
    variables: dict[str, str] = {}
    lines = [_with_variables(one, other, variables) for one, other in zip(first, second, strict=True)]
    chosen = [f"\\set {name} random({-LARGEST if name[0] == 'k' else 1}, {LARGEST})" for name in variables.values()]
    return "\n".join([*chosen, *(f"{line};" for line in lines)])


def _with_variables(one: str, other: str, variables: dict[str, str]) -> str:
    words, others = WORD.findall(one), WORD.findall(other)
    differing = {word for word, another in zip(words, others, strict=False) if word != another}
    marked = WORD.sub(lambda found: _variable(found[0], variables) if found[0] in differing else found[0], one)
    return LITERAL.sub(lambda found: _expression(found[0]), marked)


def _variable(word: str, variables: dict[str, str]) -> str:
    """Return what stands for a word until its literal is known."""
    if KEY.fullmatch(word):
        return f"<{variables.setdefault(word, f'k{len(variables)}')}>"
    if NAME.fullmatch(word):
        return f"N<{variables.setdefault(word, f'n{len(variables)}')}>"
    return word


def _expression(literal: str) -> str:
    """Return a literal with variables as pgbench prepares it: parts that are joined, of an array as its text."""
    pieces = VARIABLE.split(literal[1:-1])
    if len(pieces) == 1:
        return literal
    joined = " || ".join(f":{piece[1:-1]}" if VARIABLE.fullmatch(piece) else f"'{piece}'" for piece in pieces if piece)
    is_array = literal.startswith("'{") and not literal.startswith("'{\"")  # which is an object of JSON
    return f"({joined})::text[]" if is_array else f"({joined})"


def rate(written: Path, url: str, clients: int, seconds: float) -> float:
    """Return the deliveries a second whose statements PostgreSQL commits, with so many clients at once."""
    options = [
        "--no-vacuum",
        "-f",
        written,
        "-T",
        round(seconds),
        "-c",
        clients,
        "-j",
        min(clients, os.cpu_count() or 1),
    ]
    command = [str(each) for each in (postgres.BIN / "pgbench", *options, url)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return float(re.findall(r"tps = ([\d.]+)", done.stdout)[0])
