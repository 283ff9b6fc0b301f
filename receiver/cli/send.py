"""`receiver send`: delivers files as the platform would."""

import http.client
import json
import secrets
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

import click

from receiver.authoring.cases.cases import Named, named
from receiver.delivery.filenames import disposition

CHUNK = 1024 * 1024  # bytes read and sent at once
PROGRESS_FROM = 10_000_000  # bytes: smaller deliveries are over before a bar could be read
TIMEOUT = 120  # seconds without any byte from the service


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service answered."""

    status: int
    reason: str
    body: bytes


@click.command()
@click.argument("url")
@click.argument("files", nargs=-1, required=True)
@click.option("--token", envvar="RECEIVER_TOKEN", help="Bearer token; taken from RECEIVER_TOKEN where not given.")
def command(url: str, files: Sequence[str], token: str | None) -> None:
    """Deliver FILES to URL as the platform would, and show the answer.

    A file's part is told by `part=path`, or by its name: `part--name.tif`; otherwise .json and .xml are sent as
    the part `metadata` and anything else as `file`. Ends with 0 for an answer of 2xx, 1 for any other.
    """
    target = _target(url)
    if token and not (token.isascii() and token.isprintable()):
        raise click.UsageError("the token holds a character that none can hold; does a line break end it?")
    parts = [named(file) for file in files]
    if missing := [str(part.path) for part in parts if not part.path.is_file()]:
        raise click.UsageError(f"there is no file {', '.join(missing)}")
    try:
        answer = _deliver(target, parts, token)
    except OSError as error:
        place = f"read {error.filename}" if error.filename else f"reach {target.netloc}"
        click.echo(f"cannot {place}: {error.strerror or error}", err=True)
        sys.exit(1)
    except http.client.HTTPException:
        click.echo(f"what answers at {target.netloc} does not speak HTTP, or ended in the middle", err=True)
        sys.exit(1)
    click.echo(f"{answer.status} {answer.reason}")
    click.echo(_readable(answer.body))
    if answer.status == http.client.UNAUTHORIZED and not token:
        click.echo("no token was sent: give one with --token, or in RECEIVER_TOKEN", err=True)
    sys.exit(0 if 200 <= answer.status < 300 else 1)


def _target(url: str) -> SplitResult:
    """Take the URL apart. Raises `UsageError` for one that nothing can be sent to."""
    with suppress(ValueError):  # of a port that is none
        target = urlsplit(url)
        if target.scheme in ("http", "https") and target.hostname and target.port != 0:
            return target
    raise click.UsageError("URL must look like http://127.0.0.1:8080/api/nextstep/delivery/referrals")


def _deliver(target: SplitResult, parts: Sequence[Named], token: str | None) -> Answer:
    boundary = f"receiver-{secrets.token_hex(16)}"
    pieces = [(_head(boundary, part), part.path) for part in parts]
    pieces[0] = (pieces[0][0].removeprefix(b"\r\n"), pieces[0][1])
    closing = f"\r\n--{boundary}--\r\n".encode()
    length = sum(len(head) + path.stat().st_size for head, path in pieces) + len(closing)
    kind = http.client.HTTPSConnection if target.scheme == "https" else http.client.HTTPConnection
    connection = kind(str(target.hostname), target.port, timeout=TIMEOUT)
    try:
        connection.putrequest("POST", quote(target.path or "/", safe="/%:@!$&'()*+,;="))
        connection.putheader("Content-Type", f"multipart/form-data; boundary={boundary}")
        connection.putheader("Content-Length", str(length))
        if token:
            connection.putheader("Authorization", f"Bearer {token}")
        connection.endheaders()
        _send(connection, _body(pieces, closing), length)
        response = connection.getresponse()
        return Answer(response.status, response.reason, response.read())
    finally:
        connection.close()


def _head(boundary: str, part: Named) -> bytes:
    return (
        f"\r\n--{boundary}\r\n"
        f"Content-Disposition: {disposition(part.section.name, part.section.filename)}\r\n"
        f"Content-Type: {part.section.type}\r\n\r\n"
    ).encode(errors="replace")


def _body(pieces: Sequence[tuple[bytes, Path]], closing: bytes) -> Iterator[bytes]:
    for head, path in pieces:
        yield head
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk
    yield closing


def _send(connection: http.client.HTTPConnection, body: Iterator[bytes], length: int) -> None:
    """Send the body, with a bar for a large one.

    A service that answers early ends the sending, not the answer.
    """
    hidden = length < PROGRESS_FROM or not sys.stderr.isatty()
    with click.progressbar(length=length, label="sending", hidden=hidden, file=sys.stderr) as bar:
        try:
            for chunk in body:
                connection.send(chunk)
                bar.update(len(chunk))
        except (BrokenPipeError, ConnectionResetError):
            with suppress(OSError):  # it may be closed altogether, with its answer still to be read
                connection.sock.shutdown(socket.SHUT_WR)


def _readable(body: bytes) -> str:
    try:
        answer: Any = json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace").strip()
    return json.dumps(answer, ensure_ascii=False, indent=2)
