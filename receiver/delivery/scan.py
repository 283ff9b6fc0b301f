"""Scans parts by clamd before anything is made of them: `scan` in process.toml.

The protocol is clamd's INSTREAM (clamd(8)): pieces of the part, each behind its length, until one of no length; then
one line comes back. It is thirty lines, and no library for it is kept up.
"""

import socket
from collections.abc import Sequence
from contextlib import closing, suppress

from receiver.core.delivery import Part
from receiver.core.problems import Code, Problem, Violation
from receiver.delivery.parts import match
from receiver.site.process import Process
from receiver.store import durable
from receiver.store.staged import Staged

PATIENCE = 60  # seconds without a sign of clamd, which unpacks archives before it answers
LONGEST = 1_000  # bytes of an answer: a line with the name of a signature
CLEAN, FOUND = "OK", "FOUND"


def scan(process: Process, parts: Sequence[Part], staged: Staged) -> None:
    """Have each part looked through for which the process asks it.

    Raises Problem if one holds malware.
    """
    found: list[Violation] = []
    rules = process.config.parts
    for part in parts:
        rule = match(rules, part.name)[1]
        if rule is not None and rule.scan:
            staged.write([part.file])
            if name := _signature(rule.scan.partition(":")[2], part):
                found.append(Violation(part.label, "scan", f"clamd found {name}"))
    if found:
        raise Problem(Code.MALWARE_FOUND, "A part holds malware, as the scanner says.", found)


def _signature(path: str, part: Part) -> str:
    """Return the name of what clamd finds in a part; "" for nothing.

    Raises Problem if it does not answer.
    """
    try:
        with closing(socket.socket(socket.AF_UNIX)) as clamd:
            clamd.settimeout(PATIENCE)
            clamd.connect(path)
            _send(clamd, part)
            answer = _answer(clamd)
    except OSError as error:
        raise Problem(Code.SCANNER_AWAY, f"The scanner did not answer ({type(error).__name__}).") from None
    told, _, verdict = answer.removeprefix("stream: ").rpartition(" ")
    if verdict == CLEAN:
        return ""
    if verdict == FOUND:
        return told
    raise Problem(Code.SCANNER_AWAY, "The scanner could not look through a part, which may be too large for it.")


def _send(clamd: socket.socket, part: Part) -> None:
    """Send a part; clamd may answer before its end, and close, if it takes no more."""
    clamd.sendall(b"zINSTREAM\0")
    with suppress(BrokenPipeError, ConnectionResetError):
        for chunk in durable.chunks(part.path):
            clamd.sendall(len(chunk).to_bytes(4, "big") + chunk)
        clamd.sendall(bytes(4))


def _answer(clamd: socket.socket) -> str:
    answer = b""
    while not answer.endswith(b"\0") and len(answer) < LONGEST:
        piece = clamd.recv(LONGEST)
        if not piece:
            break
        answer += piece
    return answer.removesuffix(b"\0").decode("ascii", "replace")
