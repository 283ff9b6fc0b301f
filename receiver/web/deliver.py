"""The door that deliveries come through: POST /api/nextstep/delivery[/<process>]."""

from datetime import UTC, datetime

from flask import Blueprint, Response, request

from receiver import intake, log
from receiver.delivery import Arrival, Receipt
from receiver.house import House
from receiver.problems import Code, Problem
from receiver.process import Process
from receiver.web import form, replies, routing
from receiver.web.cost import HEADER, Cost, Counted

URL = "/api/nextstep/delivery"


def blueprint(house: House) -> Blueprint:
    """Return the delivery API over a house whose configuration is proven."""
    door = Blueprint("deliver", __name__)

    @door.post(URL, defaults={"name": None})
    @door.post(f"{URL}/<name>")
    def deliver(name: str | None) -> Response:
        cost = Cost(request.headers.getlist(HEADER), request.remote_addr or "")
        response = _answer(house, name, cost)
        response.headers[HEADER] = cost.request
        return response

    return door


def _answer(house: House, name: str | None, cost: Cost) -> Response:
    process = None
    try:
        process = _admit(house, name)
        receipt = _take(house, process, cost)
    except Problem as problem:
        log.refused(problem, process.name if process else "-", cost.told())
        return replies.refused(problem)
    log.accepted(receipt, cost.told())
    return replies.accepted(receipt)


def _admit(house: House, name: str | None) -> Process:
    """Decide everything that can be decided before the body is read."""
    host = request.host.partition(":")[0].lower()
    process = routing.admit(house.processes, name, host, request.headers.getlist("Authorization"))
    house.require_space(process)
    return process


def _take(house: House, process: Process, cost: Cost) -> Receipt:
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise Problem(Code.NOT_MULTIPART, "The body is packed; send it without Content-Encoding.")
    incoming = form.sections(
        Counted(request.environ["wsgi.input"], cost),
        request.headers.get("Content-Type", ""),
        request.content_length,
        house.settings.max_body,
    )
    return intake.receive(house, process, incoming, Arrival(datetime.now(UTC), cost.peer))
