"""The door that deliveries come through: POST /api/nextstep/delivery[/<process>]."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from receiver import intake, log
from receiver.delivery import Arrival, Receipt
from receiver.health.usage import Usage
from receiver.house import Current, House
from receiver.problems import Code, Problem
from receiver.process import Process
from receiver.web import form, replies, routing
from receiver.web.cost import HEADER, Cost, Counted

if TYPE_CHECKING:  # the library behind it must not be imported before the service starts: see metrics/folder.py
    from receiver.metrics.meters import Meters

URL = "/api/nextstep/delivery"
NONE = "-"  # the process of a request that led to none: unknown names are not told, nor told apart


def blueprint(current: Current, meters: "Meters") -> Blueprint:
    """Return the delivery API. Each delivery is judged by the house that is in force when it begins."""
    door = Blueprint("deliver", __name__)
    usage = Usage(current.house.settings.data)

    @door.post(URL, defaults={"name": None})
    @door.post(f"{URL}/<name>")
    def deliver(name: str | None) -> Response:
        cost = Cost(request.headers.getlist(HEADER), request.remote_addr or "")
        with meters.in_flight():
            response = _answer(current.house, name, cost, meters, usage)
        response.headers[HEADER] = cost.request
        return response

    return door


def broken(meters: "Meters", error: Exception) -> Response:
    """Answer an error that nobody foresaw."""
    problem = replies.defect(error)
    meters.refused(problem, NONE)
    return replies.refused(problem)


def _answer(house: House, name: str | None, cost: Cost, meters: "Meters", usage: Usage) -> Response:
    process = NONE
    try:
        led = routing.lead(house.processes, name, _host(), _authorization())
        process = led.name
        _let_in(house, led, usage)
        receipt = _take(house, led, cost)
    except Problem as problem:
        log.refused(problem, process, cost.told())
        meters.refused(problem, process)
        return replies.refused(problem)
    else:
        log.accepted(receipt, cost.told())
        meters.accepted(receipt)
        return replies.accepted(receipt)
    finally:
        meters.took(process, cost.received, cost.steps, cost.seconds)


def _host() -> str:
    return request.host.partition(":")[0].lower()


def _authorization() -> list[str]:
    return request.headers.getlist("Authorization")


def _let_in(house: House, process: Process, usage: Usage) -> None:
    """Decide what can be decided before the body is read."""
    routing.let_in(process, _authorization())
    usage.note(process, routing.bearer(_authorization()))
    house.require_space(process)
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise Problem(Code.NOT_MULTIPART, "The body is packed; send it without Content-Encoding.")


def _take(house: House, process: Process, cost: Cost) -> Receipt:
    incoming = form.sections(
        Counted(request.environ["wsgi.input"], cost),
        request.headers.get("Content-Type", ""),
        request.content_length,
        house.settings.max_body,
    )
    return intake.receive(house, process, incoming, Arrival(datetime.now(UTC), cost.peer))
