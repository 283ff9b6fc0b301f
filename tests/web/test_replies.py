"""What is answered for each outcome: status, headers and body, as a platform reads them."""

import json

import pytest
from flask import Flask
from flask.sessions import NullSession
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.test import EnvironBuilder, TestResponse, run_wsgi_app
from werkzeug.wrappers import Request

from receiver.core.delivery import Kind, Output, Receipt, Status
from receiver.core.problems import Code, Problem, Violation
from receiver.web import replies

LATER = {Code.BUSY, Code.SHUTTING_DOWN, Code.STORAGE_FAILED, Code.SCANNER_AWAY, Code.DISK_FULL}


def output(kind: Kind, name: str) -> Output:
    return Output(kind, f"staged-{name}", f"scans/{name}", f"/out/scans/{name}", 7, "ab" * 32)


RECEIPT = Receipt(
    "A" * 20,
    Status.PUBLISHED,
    "scans",
    "42é",
    2,
    (output(Kind.DOCUMENT, "a.pdf"),),
    (output(Kind.RECORD, "a.hl7"), output(Kind.RECORD, "b.hl7")),
    duplicate=True,
)


@pytest.mark.parametrize("code", Code)
def test_a_problem_is_answered_with_all_that_it_says(code):
    violations = [Violation("/fields/mrn", "pattern", "must match é", "fields.json#/pattern"), Violation("a", "b", "c")]
    reply = replies.refused(Problem(code, "what is wrong", violations))
    status, title = replies.STATUSES[code]
    assert json.loads(reply.data) == {
        "type": f"urn:receiver:problem:{code}",
        "title": title,
        "status": status,
        "detail": "what is wrong",
        "code": code,
        "violations": [
            {"where": "/fields/mrn", "rule": "pattern", "message": "must match é", "schema": "fields.json#/pattern"},
            {"where": "a", "rule": "b", "message": "c", "schema": None},
        ],
    }
    assert (reply.status_code, reply.content_type) == (status, "application/problem+json")
    assert reply.headers.get("WWW-Authenticate") == ("Bearer" if code is Code.TOKEN_REFUSED else None)
    assert reply.headers.get("Retry-After") == ("30" if code in LATER else None)
    assert "must match é".encode() in reply.data


def test_what_is_the_services_own_is_5xx_and_what_is_the_senders_is_4xx():
    ours = LATER | {Code.INTERNAL_ERROR}
    assert {code for code in Code if replies.STATUSES[code][0] >= 500} == ours
    assert all(replies.STATUSES[code][0] >= 400 for code in Code)


@pytest.mark.parametrize(("status", "answered"), [(Status.PUBLISHED, 200), (Status.HELD, 202)])
def test_a_receipt_names_every_file(status, answered):
    reply = replies.accepted(RECEIPT._replace(status=status))
    assert (reply.status_code, reply.content_type) == (answered, "application/json")
    assert "42é".encode() in reply.data
    assert reply.data.endswith(b"}\n")
    assert json.loads(reply.data) == {
        "id": "A" * 20,
        "status": status,
        "duplicate": True,
        "process": "scans",
        "sourceId": "42é",
        "version": 2,
        "documents": [{"path": "scans/a.pdf", "sha256": "ab" * 32, "size": 7}],
        "records": [
            {"path": "scans/a.hl7", "sha256": "ab" * 32, "size": 7},
            {"path": "scans/b.hl7", "sha256": "ab" * 32, "size": 7},
        ],
    }


def test_what_no_door_takes_is_told_where_deliveries_go():
    reply = replies.unroutable(MethodNotAllowed(["POST", "OPTIONS"]))
    assert (reply.status_code, reply.headers["Allow"]) == (405, "OPTIONS, POST")
    assert json.loads(reply.data) == {
        "type": "about:blank",
        "title": "Method Not Allowed",
        "status": 405,
        "detail": "Deliveries go by POST to /api/nextstep/delivery/<process>.",
    }
    reply = replies.unroutable(NotFound())
    assert (reply.status_code, reply.content_type) == (404, "application/problem+json")
    assert "Allow" not in reply.headers
    assert "Allow" not in replies.unroutable(MethodNotAllowed()).headers
    assert replies.unroutable(HTTPException()).status_code == 500


def test_liveness_and_readiness_are_plain_json():
    reply = replies.not_ready(Problem(Code.STORAGE_FAILED, "it is away"))
    assert (reply.status_code, reply.content_type) == (503, "application/json")
    assert json.loads(reply.data) == {
        "status": "not ready",
        "checks": [{"name": "ledger", "ready": False, "reason": "it is away"}],
    }
    assert (replies.alive().status, json.loads(replies.alive().data)) == ("200 OK", {"status": "alive"})


def test_a_defect_says_nothing_of_what_it_met(caplog, monkeypatch):
    problem = replies.defect(ValueError("secret"))
    assert (problem.code, problem.violations) == (Code.INTERNAL_ERROR, ())
    assert "secret" not in problem.detail + caplog.text
    crashed = []
    monkeypatch.setattr("receiver.log.crashed", crashed.append)
    replies.defect(error := ValueError("secret"))
    assert crashed == [error]


def test_all_requests_have_the_same_session_which_is_never_saved():
    sessions = replies.NoSessions()
    first, second = (sessions.open_session(Flask("any"), Request({})) for _ in range(2))
    assert isinstance(first, NullSession)
    assert first is second


@pytest.mark.parametrize(("method", "status", "body"), [("GET", 200, b"ready"), ("HEAD", 200, b""), ("GET", 204, b"")])
def test_a_reply_has_a_body_where_http_lets_it_have_one(method, status, body):
    environ = EnvironBuilder(method=method).get_environ()
    answer = TestResponse(*run_wsgi_app(replies.Reply("ready", status), environ), Request(environ))
    assert (answer.status_code, answer.data) == (status, body)


def test_the_place_that_a_hook_adds_is_written_as_a_uri():
    environ, reply = EnvironBuilder().get_environ(), replies.Reply("ready")
    reply.headers["Location"] = "/é"
    assert TestResponse(*run_wsgi_app(reply, environ), Request(environ)).headers["Location"] == "/%C3%A9"
