"""The delivery API in this process: what of a request decides, and what is told of it."""

from io import BytesIO

import pytest
from werkzeug.test import EnvironBuilder, TestResponse, run_wsgi_app
from werkzeug.wrappers import Request

from receiver.app import create_app
from receiver.core.delivery import Receipt
from receiver.core.problems import Code, Problem
from receiver.core.settings import Settings
from receiver.operations.meters import Meters
from receiver.site.config.tokens import Usage
from receiver.web import deliveries
from receiver.web.deliveries import PACED, URL
from tests.web.test_application import HEADERS, ROOT, TOKEN, body


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECEIVER_TOKEN", TOKEN)
        return create_app(Settings.from_environment({"RECEIVER_SITE": str(ROOT), "RECEIVER_DATA": str(data)}))


def post(app, path="/referrals", content=None, headers=None, **environ):
    given = {"data": body() if content is None else content, "headers": HEADERS | (headers or {})}
    request = EnvironBuilder(method="POST", path=URL + path, **given).get_environ() | environ
    return TestResponse(*run_wsgi_app(app, request), Request(request))


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 200, None),
        ({"Content-Encoding": " Identity "}, 200, None),
        ({"Content-Encoding": "gzip"}, 415, "not-multipart"),
        ({"Content-Encoding": ""}, 200, None),
        ({"Authorization": "Bearer wrong"}, 401, "token-refused"),
        ({"Authorization": f"bearer   {TOKEN} "}, 200, None),
        ({"Content-Type": "text/plain"}, 415, "not-multipart"),
    ],
)
def test_the_head_of_a_request_decides_before_its_body_is_read(app, headers, status, code):
    answer = post(app, headers=headers)
    assert (answer.status_code, answer.get_json().get("code")) == (status, code)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("a-B_c.1", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("", False),
        ("a b", False),
        ("one,two", False),
        ("é", False),
    ],
)
def test_a_plain_request_id_is_given_back_and_another_one_made(app, sent, kept):
    given = post(app, "/nothing", HTTP_X_REQUEST_ID=sent).headers["X-Request-ID"]
    assert (given == sent) is kept
    assert kept or (len(given) == 16 and int(given, 16) >= 0)


@pytest.mark.parametrize(
    ("environ", "code"),
    [
        ({"CONTENT_LENGTH": "0"}, "truncated-body"),
        ({"CONTENT_LENGTH": ""}, "truncated-body"),
        ({"CONTENT_LENGTH": "", "wsgi.input_terminated": True}, None),
        ({"CONTENT_LENGTH": str(2**40)}, "body-too-large"),
        ({"CONTENT_LENGTH": "1e3"}, "truncated-body"),  # no length that HTTP knows
    ],
)
def test_a_body_is_as_long_as_the_request_says(app, environ, code):
    assert post(app, **environ).get_json().get("code") == code


@pytest.mark.parametrize(
    ("environ", "host"),
    [
        ({"HTTP_HOST": "A.example.org:8080", "SERVER_NAME": "b"}, "a.example.org"),
        ({"HTTP_HOST": "", "SERVER_NAME": "B"}, "b"),
        ({"SERVER_NAME": "b"}, "b"),
    ],
)
def test_the_host_is_the_senders_word_or_the_servers(environ, host):
    assert deliveries._host(environ) == host


@pytest.mark.parametrize(
    ("environ", "length"),
    [
        ({}, 0),
        ({"CONTENT_LENGTH": "17"}, 17),
        ({"CONTENT_LENGTH": "", "wsgi.input_terminated": False}, 0),
        ({"CONTENT_LENGTH": "", "wsgi.input_terminated": True}, None),
    ],
)
def test_a_body_of_no_length_is_read_where_the_server_ends_it(environ, length):
    assert deliveries._length(environ) == length


def test_a_server_that_waits_for_bodies_is_asked_before_one_is_read(app):
    asked = []
    assert post(app, **{PACED: lambda: asked.append("waited")}).status_code == 200
    assert asked == ["waited"]


def test_a_server_that_cannot_wait_for_bodies_is_said_so(app, monkeypatch):
    said = []
    monkeypatch.setattr("receiver.log.unpaced", lambda: said.append("unpaced"))
    post(app, **{PACED: lambda: None})
    assert said == []
    post(app)
    assert said == ["unpaced"]


def test_each_request_is_counted_in_and_out_once_however_it_ends(app, monkeypatch):
    told, content = [], body()
    for name in ("begin", "leave", "end"):
        monkeypatch.setattr(Meters, name, lambda _, *counted, name=name: told.append((name, *counted)))
    post(app, content=content)
    post(app, "/nothing")
    with pytest.raises(deliveries.BodyAwaited):
        post(app, **{PACED: wait})
    assert [each[:3] for each in told] == [
        ("begin",),
        ("end", "referrals", len(content)),
        ("begin",),
        ("end", "-", 0),
        ("begin",),
        ("leave",),
    ]
    steps, whole = told[1][3:]
    assert 0 < sum(steps.values()) <= whole


def wait():
    raise deliveries.BodyAwaited


def test_a_body_that_is_awaited_is_neither_an_answer_nor_counted(app):
    before = metrics(app)
    with pytest.raises(deliveries.BodyAwaited):
        post(app, **{PACED: wait})
    assert metrics(app) == before


def metrics(app) -> list[str]:
    page = app.test_client().get("/metrics").text
    return [line for line in page.splitlines() if line.startswith(("receiver_request", "receiver_in_", "receiver_del"))]


def test_what_was_accepted_stays_so_if_it_cannot_be_counted(app, monkeypatch):
    def fail(*_):
        raise ValueError("secret")

    crashed = []
    monkeypatch.setattr(Meters, "accepted", fail)
    monkeypatch.setattr("receiver.log.crashed", crashed.append)
    assert post(app).status_code == 200
    assert [type(error) for error in crashed] == [ValueError]


def test_each_outcome_is_counted_for_its_process_and_a_defect_is_logged(app, monkeypatch):
    counted, crashed = [], []
    monkeypatch.setattr(Meters, "accepted", lambda _, receipt: counted.append(("accepted", receipt.process)))
    monkeypatch.setattr(Meters, "refused", lambda _, problem, process: counted.append((problem.code.value, process)))
    monkeypatch.setattr("receiver.log.crashed", crashed.append)
    post(app)
    post(app, "/nothing")
    post(app, headers={"Authorization": "Bearer wrong"})
    assert crashed == []
    monkeypatch.setattr("receiver.web.deliveries.receive", None)
    post(app)
    assert counted == [
        ("accepted", "referrals"),
        ("no-such-process", "-"),
        ("token-refused", "referrals"),
        ("internal-error", "-"),
    ]
    assert [type(error) for error in crashed] == [TypeError]


def test_the_token_that_came_is_noted_and_a_wrong_one_is_not(app, monkeypatch):
    noted = []
    monkeypatch.setattr(Usage, "note", lambda _, process, _tokens, place: noted.append((process, place)))
    post(app)
    post(app, headers={"Authorization": "Bearer wrong"})
    assert noted == [("referrals", 0)]


def test_what_is_read_of_a_body_is_counted_piece_by_piece():
    cost = deliveries.Cost({"wsgi.input": BytesIO(b"seven b")})
    assert [cost.read(4), cost.read(4), cost.received] == [b"seve", b"n b", 7]


def test_a_cost_is_told_to_the_microsecond(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(deliveries, "perf_counter", lambda: now[0])
    cost = deliveries.Cost({"wsgi.input": BytesIO(), "REMOTE_ADDR": "192.0.2.7", "HTTP_X_REQUEST_ID": "mine"})
    cost.steps["read"] = 0.12345678
    now[0] += 1.00000078
    assert cost.to_dict() == {
        "received": 0,
        "peer": "192.0.2.7",
        "request": "mine",
        "seconds": 1.000001,
        "steps": {"read": 0.123457},
    }


def test_an_error_that_nobody_foresaw_is_a_problem_with_a_request_id(app, monkeypatch):
    def fail(*_):
        raise ValueError("secret")

    monkeypatch.setattr("receiver.web.deliveries.receive", fail)
    answer = post(app, headers={"X-Request-ID": "mine"})
    assert (answer.status_code, answer.get_json()["code"]) == (500, "internal-error")
    assert (answer.headers["X-Request-ID"], "secret" in answer.text) == ("mine", False)


def test_what_a_request_cost_is_logged_with_its_outcome(app, monkeypatch):
    told = []
    monkeypatch.setattr("receiver.log.accepted", lambda receipt, cost: told.append((receipt.process, cost)))
    monkeypatch.setattr("receiver.log.refused", lambda problem, process, cost: told.append((process, cost)))
    content = body()
    post(app, content=content, headers={"X-Request-ID": "mine"}, REMOTE_ADDR="192.0.2.7")
    post(app, "/nothing", content=content)
    post(app, content=content, headers={"Authorization": "Bearer wrong"})
    (first, cost), (second, unread), (third, _) = told
    assert (first, second, third) == ("referrals", "-", "referrals")
    assert (cost["received"], cost["peer"], cost["request"]) == (len(content), "192.0.2.7", "mine")
    assert 0 < sum(cost["steps"].values()) <= cost["seconds"] < 60
    assert unread["received"] == 0


def test_a_trace_is_told_each_outcome_and_cannot_spoil_an_answer(app, monkeypatch):
    traced, crashed = [], []
    monkeypatch.setattr("receiver.log.crashed", crashed.append)

    def trace(cost, status):
        traced.append((type(cost.outcome), cost.process, cost.parent, status))
        raise ValueError

    api = deliveries.blueprint(holder(app), meters(app), trace)
    other = type(app)("other")
    other.register_blueprint(api)
    assert post(other, headers={"traceparent": "00-1"}).status_code == 200
    assert post(other, "/nothing").status_code == 404
    assert [type(error) for error in crashed] == [ValueError] * 2
    monkeypatch.setattr("receiver.web.deliveries.receive", None)
    assert post(other).status_code == 500
    assert traced == [
        (Receipt, "referrals", "00-1", 200),
        (Problem, "-", "", 404),
        (Problem, "referrals", "", 500),
    ]


def holder(app):
    return closure(app)["current"]


def meters(app):
    return closure(app)["meters"]


def closure(app):
    deliver = app.view_functions["delivery.deliver"]
    return {
        name: cell.cell_contents for name, cell in zip(deliver.__code__.co_freevars, deliver.__closure__, strict=True)
    }


def test_without_a_name_the_token_or_the_default_leads(app):
    assert post(app, "").status_code == 200
    answer = post(app, "", headers={"Authorization": ""})
    assert answer.get_json()["code"] in (Code.TOKEN_REFUSED, Code.NO_SUCH_PROCESS)


def test_health_pages_ask_for_no_token(app):
    client = app.test_client()
    assert client.get("/healthz").get_json() == {"status": "alive"}
    answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json()["status"]) == (200, "ready")
    assert {"name", "ready", "reason"} <= set(answer.get_json()["checks"][0])
    assert client.get("/metrics").content_type == "text/plain; version=0.0.4; charset=utf-8"


def test_a_service_that_is_not_ready_says_what_is_wrong(app, monkeypatch):
    from receiver.operations import health

    real = health.checks
    monkeypatch.setattr(health, "checks", lambda context: [*real(context), health.Check("disk", False, "full")])
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.get_json()["status"]) == (503, "not ready")
    assert answer.get_json()["checks"][-1] == {"name": "disk", "ready": False, "reason": "full"}
