"""Bearer tokens: looked up once, kept only as SHA-256, compared in constant time; and when each was used last.

That is told by the time of a file for each token and process, named by how process.toml has the token and by the start
of its SHA-256, so that whoever removes the old one knows. All workers touch the same file, each at most once a minute.
"""

import hmac
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path

from receiver.core.faults import Fault, Severity
from receiver.site.config.model import ProcessConfig
from receiver.store import durable, folders

MIN_LENGTH = 16  # characters: 96 bits where they are random base64, beyond guessing over a network

FINGERPRINT = 12  # hexadecimal digits of a token's SHA-256: people can tell one from another, and nobody can guess it

FOLDER = "tokens"
README = """\
The time of each file is when a token was last used, for `receiver status`. May be removed at any time.
"""
EVERY = 60.0  # seconds: a look at the clock costs nothing, a change of a file 10 µs
NAME = re.compile(rf"(?:env-(\w+)|sha256)\.([0-9a-f]{{{FINGERPRINT}}})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What opens the door of one process."""

    digests: tuple[bytes, ...] = field(repr=False)
    open: bool = False  # nobody is asked
    sources: tuple[str, ...] = ()  # of each digest: as process.toml has it, "env:NAME" or "sha256:…"

    def find(self, token: str | None) -> int | None:
        """Return which of the tokens this is; None if it is none.

        Takes as long whichever it is.
        """
        if token is None:
            return None
        digest = sha256(token.encode(errors="surrogatepass")).digest()
        found = None
        for place, known in enumerate(self.digests):
            if hmac.compare_digest(digest, known):
                found = place
        return found


def read_tokens(config: ProcessConfig, environ: Mapping[str, str]) -> tuple[Tokens, list[Fault]]:
    """Look up the tokens of a process, and return them with every fault.

    A fault of severity error forbids a start.
    """
    digests: dict[str, bytes] = {}  # by how each is written
    faults: list[Fault] = []
    for index, written in enumerate(config.auth.tokens):
        form, _, rest = written.partition(":")
        if form == "sha256":
            digests[written] = bytes.fromhex(rest)
            continue
        token = environ.get(rest, "").strip()
        faults += _objections(config, index, rest, token)
        if token:
            digests[written] = sha256(token.encode(errors="surrogatepass")).digest()
    return Tokens(tuple(digests.values()), config.auth.open, tuple(digests)), faults


def variables(config: ProcessConfig) -> list[str]:
    """Return the environment variables that a process's tokens name."""
    return [written.removeprefix("env:") for written in config.auth.tokens if written.startswith("env:")]


def _objections(config: ProcessConfig, index: int, variable: str, token: str) -> Iterator[Fault]:
    fault = partial(config.source.fault, path=("auth", "tokens", index))
    if not token:
        hint = f"set {variable} in the environment of the service"
        yield fault("token-missing", f"the variable {variable} is not set", hint=hint)
    elif not all("!" <= letter <= "~" for letter in token):
        message = f"the token in {variable} holds blanks or letters that no HTTP header carries"
        yield fault("token-malformed", message, hint="letters, digits and -._~+/= (RFC 6750 §2.1)")
    elif len(token) < MIN_LENGTH or len(set(token)) == 1:
        hint = f"at least {MIN_LENGTH} random characters"
        yield fault("token-weak", f"the token in {variable} is easily guessed", hint=hint, severity=Severity.WARNING)


class Usage:
    """What one worker has noted lately of tokens that came."""

    def __init__(self, data: Path) -> None:
        """Own the folder. Raises Problem."""
        self._folder = data / FOLDER
        self._noted: dict[tuple[str, bytes], float] = {}  # when, by process and digest
        folders.ensure_folder(self._folder, README)

    def note(self, process: str, tokens: Tokens, place: int | None) -> None:
        """Note that a process was entered with one of its tokens, as `find` returned it.

        What cannot be noted harms no delivery.
        """
        if place is None:
            return
        used, now = (process, tokens.digests[place]), time.monotonic()
        if now - self._noted.get(used, -EVERY) >= EVERY:
            self._noted[used] = now
            with suppress(OSError):
                folder = self._folder / process
                folder.mkdir(mode=folders.FOLDER_MODE, exist_ok=True)
                (folder / file_name(tokens.sources[place], tokens.digests[place])).touch(durable.FILE_MODE)


@dataclass(frozen=True, slots=True)
class Used:
    """One token of a process, and when it was used last; None if it never was."""

    source: str  # "env:NAME" or "sha256"
    fingerprint: str  # "" if it is not known: a variable that was never used tells none
    at: datetime | None  # aware, UTC


def last_used(data: Path, process: str, config: ProcessConfig) -> list[Used]:
    """Return each token of a process with its last use, in the order of process.toml.

    A variable has a line for each token that it has held.
    """
    known = _known(data / FOLDER / process)
    lines: list[Used] = []
    for written in config.auth.tokens:
        form, _, rest = written.partition(":")
        if form == "sha256":
            print_ = rest.lower()[:FINGERPRINT]
            lines.append(Used(form, print_, known.get(("", print_))))
        else:
            held = [Used(written, print_, at) for (name, print_), at in known.items() if name == rest]
            lines += sorted(held, key=lambda used: str(used.at), reverse=True) or [Used(written, "", None)]
    return lines


def file_name(source: str, digest: bytes) -> str:
    """Return a token's file name: `env-NAME.4f2a91c07b3e`, `sha256.11a7f45d1d60`."""
    form, _, rest = source.partition(":")
    fingerprint = digest.hex()[:FINGERPRINT]
    return f"env-{rest}.{fingerprint}" if form == "env" else f"{form}.{fingerprint}"


def _known(folder: Path) -> dict[tuple[str, str], datetime]:
    found: dict[tuple[str, str], datetime] = {}
    with suppress(OSError):
        for path in folder.iterdir():
            if match := NAME.fullmatch(path.name):
                found[match[1] or "", match[2]] = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return found
