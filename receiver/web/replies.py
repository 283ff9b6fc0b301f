"""Receipts, problems, and the only table of status codes.

`Reply`, `NoSessions` and `Routes` are what Flask is given so that it does nothing for a delivery that nobody needs.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flask import Flask, Request, Response
from flask.sessions import NullSession, SessionInterface
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.routing import Map, MapAdapter

from receiver import log
from receiver.core import units
from receiver.core.delivery import Output, Receipt, Status
from receiver.core.problems import Code, Problem

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_encode = units.json_writer(json.JSONEncoder(ensure_ascii=False))

LATER = {503, 507}  # statuses that mean: the same again, later
RETRY_AFTER = 30  # seconds: long enough for a restart or a full disk's alarm, short enough for a waiting fax

EMPTY = {204, 304}  # statuses without a body: we have none, a hook of an application's may


class Reply(Response):
    """A whole reply.

    Its headers are right when it is made: werkzeug would copy and look through them once more.
    """

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer with what stands in it, unless HTTP or a hook wants it otherwise."""
        headers = self.headers.to_wsgi_list()
        names = map(str.lower, dict(headers))  # to ask `self.headers` for what is not there raises an error within
        if environ["REQUEST_METHOD"] == "HEAD" or self.status_code in EMPTY or "location" in names:
            return super().__call__(environ, start_response)
        start_response(self.status, headers)
        return self

    def __iter__(self) -> Iterator[bytes]:
        """Return the body for the server, which calls `close` at its end (PEP 3333)."""
        return self.iter_encoded()


class NoSessions(SessionInterface):
    """Flask's own sessions are not used, and no delivery pays for one."""

    _none = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:  # noqa: ARG002 (Flask calls it so)
        """Return the one that is never saved."""
        return self._none


REMEMBERED = 64  # requests that differ in what follows: a process has one URL, reached by a few names of the host
ROUTED_BY = (  # what `Map.bind_to_environ` reads of a request
    "wsgi.url_scheme",
    "HTTP_CONNECTION",
    "HTTP_HOST",
    "HTTP_UPGRADE",
    "PATH_INFO",
    "QUERY_STRING",
    "REQUEST_METHOD",
    "SCRIPT_NAME",
    "SERVER_NAME",
    "SERVER_PORT",
)


class Routes(Map):
    """The routes of an application, which has all of them before its first request.

    Where a request leads is remembered: most are deliveries to one URL, and the search takes a twentieth of their CPU.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._bound = lru_cache(REMEMBERED)(self._bind)

    def bind_to_environ(self, environ: Any, server_name: str | None = None, subdomain: str | None = None) -> MapAdapter:
        """Return what finds the route of a request."""
        return self._bound(server_name, subdomain, *map(environ.get, ROUTED_BY))

    def _bind(self, server_name: str | None, subdomain: str | None, *values: str | None) -> "Bound":
        environ = {name: value for name, value in zip(ROUTED_BY, values, strict=True) if value is not None}
        return Bound(super().bind_to_environ(environ, server_name, subdomain))


class Bound(MapAdapter):
    """What finds the route of all requests that are alike."""

    def __init__(self, adapter: MapAdapter) -> None:
        vars(self).update(vars(adapter))
        self._found = lru_cache(1)(super().match)

    def match(self, *args: Any, **kwargs: Any) -> Any:
        """Return the route, and values from the URL that a hook may change."""
        route, values = self._found(*args, **kwargs)
        return route, dict(values)


# code → (status, title). Titles are the same for every occurrence (RFC 9457 §3.1.3).
STATUSES: dict[Code, tuple[int, str]] = {
    Code.MALFORMED_REQUEST: (400, "The request is malformed"),
    Code.MALFORMED_BODY: (400, "The body is malformed"),
    Code.TRUNCATED_BODY: (400, "The body is not whole"),
    Code.AMBIGUOUS_REQUEST: (400, "The request can be read in two ways"),
    Code.TOKEN_REFUSED: (401, "A valid token is needed"),
    Code.NO_SUCH_PROCESS: (404, "No such process"),
    Code.TOO_SLOW: (408, "The request came too slowly"),
    Code.SOURCE_ID_CONFLICT: (409, "The sourceId came before with other content"),
    Code.BODY_TOO_LARGE: (413, "The body is too large"),
    Code.TOO_MANY_PARTS: (413, "There are too many parts"),
    Code.PART_TOO_LARGE: (413, "A part is too large"),
    Code.URL_TOO_LONG: (414, "The URL is too long"),
    Code.NOT_MULTIPART: (415, "The request is not multipart/form-data"),
    Code.PART_TYPE: (415, "A part has a type that is not taken"),
    Code.PART_CONTENT: (415, "A part is not what its type says"),
    Code.EXPECTATION_FAILED: (417, "The expectation cannot be met"),
    Code.PART_MISSING: (422, "A part is missing"),
    Code.PART_REPEATED: (422, "A part came more than once"),
    Code.PART_UNKNOWN: (422, "A part is not known"),
    Code.PART_EMPTY: (422, "A part is empty"),
    Code.METADATA_MALFORMED: (422, "The metadata cannot be parsed"),
    Code.METADATA_INVALID: (422, "The metadata breaks its schema"),
    Code.FIELDS_INVALID: (422, "The fields are not as they must be"),
    Code.CONFIDENCE_LOW: (422, "The confidence is too low"),
    Code.RULE_BROKEN: (422, "The delivery breaks a rule of the process"),
    Code.DOCUMENT_BROKEN: (422, "A document cannot be read"),
    Code.TEMPLATE_FAILED: (422, "A template cannot render this delivery"),
    Code.RECORD_INVALID: (422, "A record breaks its schema"),
    Code.MALWARE_FOUND: (422, "A part holds malware"),
    Code.NO_RECORD: (422, "No record applies to this delivery"),
    Code.NAME_TAKEN: (422, "A file of this name is in the output already"),
    Code.HEADERS_TOO_LARGE: (431, "Headers are too large"),
    Code.INTERNAL_ERROR: (500, "The service has a defect"),
    Code.BUSY: (503, "The same delivery is in progress"),
    Code.SHUTTING_DOWN: (503, "The service is shutting down"),
    Code.STORAGE_FAILED: (503, "The storage failed"),
    Code.DISK_FULL: (507, "The disk is full"),
    Code.SCANNER_AWAY: (503, "The virus scanner does not answer"),
}


def alive() -> Response:
    """Answer that the process is there."""
    return _json({"status": "alive"}, 200, "application/json")


def not_ready(problem: Problem) -> Response:
    """Answer that no delivery is taken, as /readyz does."""
    checks = [{"name": "ledger", "ready": False, "reason": problem.detail}]
    return _json({"status": "not ready", "checks": checks}, 503, "application/json")


def accepted(receipt: Receipt) -> Response:
    """Answer 200 for what is published, 202 for what is held."""
    return _json(receipt_body(receipt), 202 if receipt.status is Status.HELD else 200, "application/json")


def refused(problem: Problem) -> Response:
    """Answer a problem as RFC 9457 has it, with every violation and never a value."""
    status, title = STATUSES[problem.code]
    body = {
        "type": f"urn:receiver:problem:{problem.code}",
        "title": title,
        "status": status,
        "detail": problem.detail,
        "code": problem.code,
        "violations": [asdict(violation) for violation in problem.violations],
    }
    reply = _json(body, status, "application/problem+json")
    if status == 401:
        reply.headers["WWW-Authenticate"] = "Bearer"
    if status in LATER:
        reply.headers["Retry-After"] = str(RETRY_AFTER)
    return reply


def unroutable(error: HTTPException) -> Response:
    """Answer what no door takes: another URL, another method."""
    status = error.code or 500
    detail = "Deliveries go by POST to /api/nextstep/delivery/<process>."
    body = {"type": "about:blank", "title": error.name, "status": status, "detail": detail}
    reply = _json(body, status, "application/problem+json")
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        reply.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return reply


def defect(error: Exception) -> Problem:
    """Return what an error that nobody foresaw is answered with.

    What the error says may hold a value.
    """
    log.crashed(error)
    return Problem(Code.INTERNAL_ERROR, "The request met a defect of the service; its log tells the place.")


def receipt_body(receipt: Receipt) -> dict[str, Any]:
    """Return the receipt as the platform reads it."""
    return {
        "id": receipt.id,
        "status": receipt.status,
        "duplicate": receipt.duplicate,
        "process": receipt.process,
        "sourceId": receipt.source_id,
        "version": receipt.version,
        "documents": list(map(_file, receipt.documents)),
        "records": list(map(_file, receipt.records)),
    }


def _file(output: Output) -> dict[str, Any]:
    return {"path": output.path, "sha256": output.sha256, "size": output.size}


def _json(content: dict[str, Any], status: int, kind: str) -> Response:
    line = f"{status} {HTTP_STATUS_CODES[status]}"  # werkzeug would write the phrase in capitals
    return Reply((_encode(content) + "\n").encode(), line, content_type=kind)
