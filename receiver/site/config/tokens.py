"""Bearer tokens: looked up once, kept only as SHA-256, compared in constant time."""

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256

from receiver.core.faults import Fault, Severity
from receiver.site.config.model import ProcessConfig

MIN_LENGTH = 16  # characters: 96 bits where they are random base64, beyond guessing over a network

FINGERPRINT = 12  # hexadecimal digits of a token's SHA-256: people can tell one from another, and nobody can guess it


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
        digest = _digest(token)
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
            digests[written] = _digest(token)
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


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", errors="surrogatepass")).digest()
