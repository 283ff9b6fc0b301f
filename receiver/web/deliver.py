"""The door that deliveries come through: POST /api/nextstep/delivery[/<process>].

    WSGI ──▶ a POST to the door's URL ──▶ this module
         └─▶ anything else ──▶ Flask, which knows the same URLs: 404, 405, OPTIONS, and the pages of `health.py`

Flask's context, request, response, signals and hooks, none of which a delivery asks for, took 0.4 ms of its 5.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, TypeAlias

from flask import Flask

from receiver import intake, log
from receiver.delivery import Arrival, Receipt
from receiver.health.usage import Usage
from receiver.house import Current, House
from receiver.metrics.meters import Meters
from receiver.problems import Code, Problem
from receiver.process import Process
from receiver.web import form, replies, routing
from receiver.web.cost import HEADER, Cost, Counted
from receiver.web.replies import Reply

Environ: TypeAlias = dict[str, Any]  # PEP 3333: a header that came twice stands in it once, with a comma
Application: TypeAlias = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

URL = "/api/nextstep/delivery"
NONE = "-"  # the process of a request that led to none: unknown names are not told, nor told apart


def open_door(app: Flask, current: Current, meters: Meters) -> None:
    """Take deliveries in before Flask. Each is judged by the house that is in force when it begins."""
    usage = Usage(current.house.settings.data)
    behind: Application = app.wsgi_app

    def deliver(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a POST to the door."""
        try:
            cost = Cost(environ.get("HTTP_X_REQUEST_ID", ""), environ.get("REMOTE_ADDR", ""))
            reply = _answer(current.house, environ, cost, meters, usage)
            reply.headers[HEADER] = cost.request
        except Exception as error:  # noqa: BLE001 (nobody foresaw it, and the sender is told so)
            reply = broken(meters, error)
        return reply(environ, start_response)

    def through(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        here = environ["REQUEST_METHOD"] == "POST" and _is_here(environ["PATH_INFO"])
        return (deliver if here else behind)(environ, start_response)

    app.add_url_rule(URL, "deliver", lambda **_: deliver, methods=["POST"])
    app.add_url_rule(f"{URL}/<name>", "deliver", methods=["POST"])
    app.wsgi_app = through  # type: ignore[method-assign]


def broken(meters: Meters, error: Exception) -> Reply:
    """Answer an error that nobody foresaw."""
    problem = replies.defect(error)
    meters.refused(problem, NONE)
    return replies.refused(problem)


def _answer(house: House, environ: Environ, cost: Cost, meters: Meters, usage: Usage) -> Reply:
    process = NONE
    meters.begin()
    try:
        token = routing.bearer(environ.get("HTTP_AUTHORIZATION", ""))
        led = routing.lead(house.processes, _name(environ), _host(environ), token)
        process = led.name
        routing.let_in(led, token)
        usage.note(led, token)
        _require_readable(house, led, environ)
        receipt = _take(house, led, environ, cost)
    except Problem as problem:
        log.refused(problem, process, cost.told())
        meters.refused(problem, process)
        return replies.refused(problem)
    else:
        log.accepted(receipt, cost.told())
        meters.accepted(receipt)
        return replies.accepted(receipt)
    finally:
        meters.end(process, cost.received, cost.steps, cost.seconds)


def _is_here(path: str) -> bool:
    rest = path.removeprefix(URL)
    return rest != path and (not rest or (rest.rfind("/") == 0 and rest != "/"))


def _name(environ: Environ) -> str | None:
    return environ["PATH_INFO"].removeprefix(URL)[1:] or None


def _host(environ: Environ) -> str:
    host: str = environ.get("HTTP_HOST") or environ["SERVER_NAME"]
    return host.partition(":")[0].lower()


def _require_readable(house: House, process: Process, environ: Environ) -> None:
    """Raise `Problem` where a body need not be read: there is no space for it, or it is packed."""
    house.require_space(process)
    if environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() != "identity":
        raise Problem(Code.NOT_MULTIPART, "The body is packed; send it without Content-Encoding.")


def _take(house: House, process: Process, environ: Environ, cost: Cost) -> Receipt:
    length = environ.get("CONTENT_LENGTH", "")
    incoming = form.sections(
        Counted(environ["wsgi.input"], cost),
        environ.get("CONTENT_TYPE", ""),
        int(length) if length.isdecimal() else None,
        house.settings.max_body,
    )
    return intake.receive(house, process, incoming, Arrival(datetime.now(UTC), cost.peer))
