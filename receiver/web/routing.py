"""Leads a request to its process and asks for the token: all before a byte of the body is read."""

from collections.abc import Mapping

from receiver.core.problems import Code, Problem
from receiver.site.process import Process


def find_process(processes: Mapping[str, Process], name: str | None, host: str, token: str | None) -> Process:
    """Return the process that the request is for.

    `name` comes from the path, `host` is the Host header without its port, `token` is what `bearer` found.
    Raises `Problem`: no such process, or a token is needed to know which.
    """
    process = processes.get(name) if name is not None else _unnamed(processes, host, token)
    if process is None:
        raise _no_process(name, token)
    return process


def require_token(process: Process, token: str | None) -> None:
    """Raise `Problem` unless the request has a token of the process, or it asks for none."""
    if not process.tokens.admits(token):
        raise Problem(Code.TOKEN_REFUSED, "This process asks for a valid bearer token (RFC 6750 §2.1).")


def _unnamed(processes: Mapping[str, Process], host: str, token: str | None) -> Process | None:
    """Find the process by host name, else by a token that only one process knows, else the default."""
    for process in processes.values():
        if process.config.route.host == host:
            return process
    knowing = [process for process in processes.values() if token and process.tokens.knows(token)]
    if len(knowing) == 1:
        return knowing[0]
    return next((process for process in processes.values() if process.config.route.default), None)


def _no_process(name: str | None, token: str | None) -> Problem:
    if name is None and token is None:
        return Problem(Code.TOKEN_REFUSED, "Here the token tells the process: send one (RFC 6750 §2.1).")
    return Problem(Code.NO_SUCH_PROCESS, "No process is configured for this URL, host name or token.")


def bearer(authorization: str) -> str | None:
    """Return the token of a well-formed Bearer header; several, joined by commas, are none that a process knows."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None
