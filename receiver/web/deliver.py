"""The door that deliveries come through, as a Flask blueprint: POST /api/nextstep/delivery[/<process>]."""

from datetime import UTC, datetime
from typing import Any, TypeAlias

from flask import Blueprint, Response, request

from receiver import log
from receiver.core.delivery import Arrival, Receipt
from receiver.core.problems import Code, Problem
from receiver.delivery import form
from receiver.delivery import receive as intake
from receiver.delivery.context import Context, Current
from receiver.operations.health.usage import Usage
from receiver.operations.meters import Meters
from receiver.site.process import Process
from receiver.web import replies, routing
from receiver.web.cost import HEADER, Cost, Counted

Environ: TypeAlias = dict[str, Any]  # PEP 3333: a header that came twice stands in it once, with a comma

PACED = "receiver.paced"  # in the environ of a request whose server can wait for its body without a thread: does so
URL = "/api/nextstep/delivery"
NONE = "-"  # the process of a request that led to none: unknown names are not told, nor told apart


class BodyAwaited(BaseException):
    """The body has not arrived yet; the application is called again with the same request once it has."""


def blueprint(current: Current, meters: Meters) -> Blueprint:
    """Return the door. Each delivery is judged by the context that is in force when it begins."""
    door = Blueprint("delivery", __name__, url_prefix=URL)
    usage = Usage(current.context.settings.data)

    def deliver(name: str | None = None) -> Response:
        """Answer one delivery; `name` is the process, where the URL has it."""
        environ = request.environ
        if PACED not in environ:
            log.unpaced()
        cost = Cost(environ.get("HTTP_X_REQUEST_ID", ""), environ.get("REMOTE_ADDR", ""))
        try:
            response = _answer(current.context, name, environ, cost, meters, usage)
        except Exception as error:  # noqa: BLE001 (nobody foresaw it, and the sender is told so)
            problem = replies.defect(error)
            meters.refused(problem, NONE)
            response = replies.refused(problem)
        response.headers[HEADER] = cost.request
        return response

    door.add_url_rule("", view_func=deliver, methods=["POST"])
    door.add_url_rule("/<name>", view_func=deliver, methods=["POST"])
    return door


def _answer(context: Context, name: str | None, environ: Environ, cost: Cost, meters: Meters, usage: Usage) -> Response:
    process = NONE
    meters.begin()
    awaited = False
    try:
        token = routing.bearer(environ.get("HTTP_AUTHORIZATION", ""))
        led = routing.lead(context.processes, name, _host(environ), token)
        process = led.name
        routing.let_in(led, token)
        usage.note(led, token)
        _require_readable(context, led, environ)
        receipt = _take(context, led, environ, cost)
    except Problem as problem:
        log.refused(problem, process, cost.told())
        meters.refused(problem, process)
        return replies.refused(problem)
    except BodyAwaited:
        awaited = True
        raise
    else:
        _tell(receipt, cost, meters)
        return replies.accepted(receipt)
    finally:
        if awaited:
            meters.leave()
        else:
            meters.end(process, cost.received, cost.steps, cost.seconds)


def _tell(receipt: Receipt, cost: Cost, meters: Meters) -> None:
    """Log and count what was accepted: it stays accepted where that fails."""
    try:
        log.accepted(receipt, cost.told())
        meters.accepted(receipt)
    except Exception as error:  # noqa: BLE001 (whatever it is, the answer must not say otherwise)
        log.crashed(error)


def _host(environ: Environ) -> str:
    host: str = environ.get("HTTP_HOST") or environ["SERVER_NAME"]
    return host.partition(":")[0].lower()


def _require_readable(context: Context, process: Process, environ: Environ) -> None:
    """Raise `Problem` where a body need not be read: there is no space for it, or it is packed."""
    context.require_space(process)
    if environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() != "identity":
        raise Problem(Code.NOT_MULTIPART, "The body is packed; send it without Content-Encoding.")


def _take(context: Context, process: Process, environ: Environ, cost: Cost) -> Receipt:
    incoming = form.sections(
        Counted(environ["wsgi.input"], cost),
        environ.get("CONTENT_TYPE", ""),
        _length(environ),
        context.settings.max_body,
    )
    if PACED in environ:
        environ[PACED]()
    return intake.receive(context, process, incoming, Arrival(datetime.now(UTC), cost.peer))


def _length(environ: Environ) -> int | None:
    """Return how many bytes the body has; None where its stream tells its end itself (a chunked one)."""
    length = environ.get("CONTENT_LENGTH", "")
    if length.isdecimal():
        return int(length)
    return None if environ.get("wsgi.input_terminated") else 0
