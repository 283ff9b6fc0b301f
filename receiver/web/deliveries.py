"""The blueprint of the delivery API: POST /api/nextstep/delivery[/<process>]."""

import random
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, TypeAlias

from flask import Blueprint, Response, request

from receiver import log
from receiver.core import work
from receiver.core.delivery import Arrival, Receipt
from receiver.core.problems import Code, Problem
from receiver.delivery import form
from receiver.delivery.context import Context, ContextHolder
from receiver.delivery.receive import receive
from receiver.operations import tracing
from receiver.operations.meters import Meters
from receiver.site.config.tokens import Usage
from receiver.site.process import Process
from receiver.web import replies

Environ: TypeAlias = dict[str, Any]  # PEP 3333: a header that came twice stands in it once, with a comma

PACED = "receiver.paced"  # in the environ of a request whose server can wait for its body without a thread: does so
HEADER = "X-Request-ID"
PLAIN = re.compile(r"[A-Za-z0-9._-]{1,64}")  # as proxies make them: a UUID has 36; anything else could be data
URL = "/api/nextstep/delivery"
NONE = "-"  # the process of a request that led to none: unknown names are not logged, nor distinguished


class BodyAwaited(BaseException):
    """The body is not here yet; the application is called again once it is."""


class Cost:
    """The account of one request: seconds by step, and the bytes that came in."""

    def __init__(self, environ: Environ) -> None:
        """Begin. A plain X-Request-ID is taken over; several, joined by commas, are not."""
        name = environ.get("HTTP_X_REQUEST_ID", "")
        self.request = name if PLAIN.fullmatch(name) else f"{random.getrandbits(64):016x}"  # not a secret
        self.peer = environ.get("REMOTE_ADDR", "")
        self.parent = environ.get("HTTP_TRACEPARENT", "")
        self.process = NONE
        self.outcome: Receipt | Problem | None = None
        self.steps = work.start_timing()
        self.received = 0  # bytes of the body
        self._body = environ["wsgi.input"]
        self._started = perf_counter()

    def read(self, size: int, /) -> bytes:
        """Read the body on, and count it. Raises what its stream raises."""
        chunk: bytes = self._body.read(size)
        self.received += len(chunk)
        return chunk

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return perf_counter() - self._started

    def to_dict(self) -> dict[str, Any]:
        """Return what the log says about it."""
        taken = {step: round(seconds, 6) for step, seconds in self.steps.items()}
        return {
            "received": self.received,
            "peer": self.peer,
            "request": self.request,
            "seconds": round(self.seconds, 6),
            "steps": taken,
        }


def blueprint(current: ContextHolder, meters: Meters, trace: tracing.Record | None = None) -> Blueprint:
    """Return the API.

    Each delivery is judged by the context that is in force when it begins.
    """
    api = Blueprint("delivery", __name__, url_prefix=URL)
    usage = Usage(current.context.settings.data)

    def deliver(name: str | None = None) -> Response:
        """Answer one delivery; `name` is the process, if the URL has it."""
        environ = request.environ
        if PACED not in environ:
            log.unpaced()
        cost = Cost(environ)
        try:
            response = _answer(current.context, name, environ, cost, meters, usage)
        except Exception as error:  # noqa: BLE001 (nobody foresaw it, and the answer says so)
            problem = replies.defect(error)
            meters.refused(problem, NONE)
            cost.outcome = problem
            response = replies.refused(problem)
        if trace:
            _trace(trace, cost, response.status_code)
        response.headers.add(HEADER, cost.request)
        return response

    api.add_url_rule("", view_func=deliver, methods=["POST"])
    api.add_url_rule("/<name>", view_func=deliver, methods=["POST"])
    return api


def _answer(context: Context, name: str | None, environ: Environ, cost: Cost, meters: Meters, usage: Usage) -> Response:
    process_name = NONE
    meters.begin()
    awaited = False
    try:
        token = bearer(environ.get("HTTP_AUTHORIZATION", ""))
        process = find_process(context.processes, name, _host(environ), token)
        process_name = cost.process = process.name
        usage.note(process.name, process.tokens, require_token(process, token))
        receipt = _take(context, process, environ, cost)
    except Problem as problem:
        cost.outcome = problem
        log.refused(problem, process_name, cost.to_dict())
        meters.refused(problem, process_name)
        return replies.refused(problem)
    except BodyAwaited:
        awaited = True
        raise
    else:
        cost.outcome = receipt
        _report(receipt, cost, meters)
        return replies.accepted(receipt)
    finally:
        if awaited:
            meters.leave()
        else:
            meters.end(process_name, cost.received, cost.steps, cost.seconds)


def _report(receipt: Receipt, cost: Cost, meters: Meters) -> None:
    """Log and count what was accepted: it stays accepted if that fails."""
    try:
        log.accepted(receipt, cost.to_dict())
        meters.accepted(receipt)
    except Exception as error:  # noqa: BLE001 (whatever it is, the answer must not say otherwise)
        log.crashed(error)


def _trace(trace: tracing.Record, cost: Cost, status: int) -> None:
    try:
        trace(cost, status)
    except Exception as error:  # noqa: BLE001 (as in `_report`)
        log.crashed(error)


def _host(environ: Environ) -> str:
    host: str = environ.get("HTTP_HOST") or environ["SERVER_NAME"]
    return host.partition(":")[0].lower()


def _take(context: Context, process: Process, environ: Environ, cost: Cost) -> Receipt:
    """Read a delivery and take it.

    Raises `Problem`: before the body is read if there is no space, or it is packed.
    """
    stage = context.stage_with_space(process)
    if environ.get("HTTP_CONTENT_ENCODING", "").strip().lower() not in ("", "identity"):
        raise Problem(Code.NOT_MULTIPART, "The body is packed; send it without Content-Encoding.")
    incoming = form.sections(
        cost,
        environ.get("CONTENT_TYPE", ""),
        _length(environ),
        context.settings.max_body,
    )
    if PACED in environ:
        environ[PACED]()
    return receive(context, process, incoming, Arrival(datetime.now(UTC), cost.peer), stage)


def _length(environ: Environ) -> int | None:
    """Return the body's length in bytes; None for a chunked one."""
    length = environ.get("CONTENT_LENGTH", "")
    if length.isdecimal():
        return int(length)
    return None if environ.get("wsgi.input_terminated") else 0


def find_process(processes: Mapping[str, Process], name: str | None, host: str, token: str | None) -> Process:
    """Return the process that the request is for.

    `name` comes from the path, `host` is the Host header without its port, `token` is what `bearer` found.
    Raises `Problem`: no such process, or a token is needed to know which.
    """
    process = processes.get(name) if name is not None else _unnamed(processes, host, token)
    if process is None:
        raise _no_process(name, token)
    return process


def require_token(process: Process, token: str | None) -> int | None:
    """Return the request's token.

    Raises `Problem` without one, unless the process is open.
    """
    place = process.tokens.find(token)
    if place is None and not process.tokens.open:
        raise Problem(Code.TOKEN_REFUSED, "This process asks for a valid bearer token (RFC 6750 §2.1).")
    return place


def _unnamed(processes: Mapping[str, Process], host: str, token: str | None) -> Process | None:
    """Find the process by host name, by a token only it has, or the default."""
    for process in processes.values():
        if process.config.route.host == host:
            return process
    knowing = [process for process in processes.values() if process.tokens.find(token) is not None]
    if len(knowing) == 1:
        return knowing[0]
    return next((process for process in processes.values() if process.config.route.default), None)


def _no_process(name: str | None, token: str | None) -> Problem:
    if name is None and token is None:
        return Problem(Code.TOKEN_REFUSED, "Here the token tells the process: send one (RFC 6750 §2.1).")
    return Problem(Code.NO_SUCH_PROCESS, "No process is configured for this URL, host name or token.")


def bearer(authorization: str) -> str | None:
    """Return the token of a well-formed Bearer header; of several, none."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None
