"""The application under servers that know nothing of it, in somebody else's application, and twice in one process."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, g, request
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder, TestResponse, run_wsgi_app
from werkzeug.wrappers import Request

from receiver.app import blueprints, create_app
from receiver.core.settings import Settings
from tests.support.running import TOKEN, free_port

ROOT = Path(__file__).parent.parent.parent
URL = "/api/nextstep/delivery/referrals"
CASE = ROOT / "mappings/referrals/samples/faxed-letter"
FAX, METADATA = (CASE / "file--123456789.tif").read_bytes(), (CASE / "metadata.json").read_bytes()
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "multipart/form-data; boundary=cut"}
START = 60  # seconds that a start may take on a busy machine
# Two workers of gunicorn start at once; none of its configuration is ours.
SERVERS = {
    "gunicorn -k sync": (
        "gunicorn",
        "--workers",
        "2",
        "--worker-class",
        "sync",
        "--bind",
        "127.0.0.1:{port}",
        "wsgi:app",
    ),
    "gunicorn -k gthread": (
        *("gunicorn", "--workers", "2", "--worker-class", "gthread", "--threads", "4"),
        *("--bind", "127.0.0.1:{port}", "wsgi:app"),
    ),
    "waitress": ("waitress", "--listen=127.0.0.1:{port}", "wsgi:app"),
    "flask run": ("flask", "--app", "wsgi", "run", "--port", "{port}"),
}


@pytest.fixture
def settings(tmp_path, monkeypatch) -> Settings:
    monkeypatch.setenv("RECEIVER_TOKEN", TOKEN)
    return settings_of(tmp_path / "var")


def settings_of(data: Path) -> Settings:
    return Settings.from_environment({"RECEIVER_SITE": str(ROOT), "RECEIVER_DATA": str(data)})


def body() -> bytes:
    part = b'--cut\r\nContent-Disposition: form-data; name="%s"\r\nContent-Type: %s\r\n\r\n%s\r\n'
    return part % (b"file", b"image/tiff", FAX) + part % (b"metadata", b"application/json", METADATA) + b"--cut--\r\n"


def delivered(client: FlaskClient) -> dict[str, Any]:
    answer = client.post(URL, data=body(), headers=HEADERS)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


@contextmanager
def served(command: tuple[str, ...], data: Path) -> Iterator[HTTPConnection]:
    """Run a server, in a session of its own, and yield a connection that is kept open."""
    port = free_port()
    module, *arguments = (each.format(port=port) for each in command)
    environment = os.environ | {"RECEIVER_SITE": str(ROOT), "RECEIVER_DATA": str(data), "RECEIVER_TOKEN": TOKEN}
    log = data.parent / "log"
    with log.open("wb") as written:
        server = subprocess.Popen(
            [sys.executable, "-m", module, *arguments], cwd=ROOT, env=environment, stdout=written, stderr=written
        )
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        yield answering(connection, server, log)
    finally:
        connection.close()
        server.terminate()
        server.wait(timeout=40)


def answering(connection: HTTPConnection, server: subprocess.Popen[bytes], log: Path) -> HTTPConnection:
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text()
        try:
            connection.request("GET", "/healthz")
            assert connection.getresponse().read()
        except OSError:
            connection.close()
            time.sleep(0.05)
        else:
            return connection
    raise AssertionError(log.read_text())


@pytest.mark.parametrize("server", SERVERS)
def test_a_delivery_is_published_under_any_server(server, tmp_path):
    content = body()
    with served(SERVERS[server], tmp_path / "var") as connection:
        for duplicate in (b"false", b"true"):
            connection.request("POST", URL, content, HEADERS)
            answer = connection.getresponse()
            told = answer.read()
            assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json"), told
            assert b'"duplicate": ' + duplicate in told
        assert (tmp_path / "log").read_text().count("slow clients hold threads") == 1
        connection.request("GET", "/metrics")
        assert b"receiver_deliveries_total" in connection.getresponse().read()
    assert len(list((tmp_path / "var/output/referrals").iterdir())) == 3


def test_a_chunked_body_is_read_to_its_end_under_another_server(tmp_path):
    content = body()
    with served(SERVERS["gunicorn -k gthread"], tmp_path / "var") as connection:
        connection.request("POST", URL, iter([content[:1000], content[1000:]]), HEADERS, encode_chunked=True)
        assert connection.getresponse().status == 200


def test_a_body_of_no_known_length_is_empty(settings):
    environ = EnvironBuilder(method="POST", path=URL, data=body(), headers=HEADERS).get_environ()
    del environ["CONTENT_LENGTH"]
    answer = TestResponse(*run_wsgi_app(create_app(settings), environ), Request(environ))
    assert (answer.status_code, answer.get_json()["code"]) == (400, "truncated-body")


def test_two_applications_in_one_process_know_nothing_of_each_other(tmp_path, settings):
    other = settings_of(tmp_path / "other")
    one, two = create_app(settings).test_client(), create_app(other).test_client()
    assert [delivered(client)["duplicate"] for client in (one, two, one)] == [False, False, True]
    assert b'referrals",outcome="published",process="referrals"' not in two.get("/metrics").data
    assert {settings.output, other.output} == {each for each in (settings.output, other.output) if each.is_dir()}


def test_a_second_application_on_the_same_data_shares_the_ledger(settings):
    one, two = create_app(settings).test_client(), create_app(settings).test_client()
    assert [delivered(client)["duplicate"] for client in (one, two)] == [False, True]


def test_deliveries_come_in_under_a_prefix_of_somebody_elses_application(settings):
    app = Flask("theirs")
    seen: list[str] = []

    @app.before_request
    def first() -> None:
        g.who = request.endpoint

    @app.after_request
    def last(response: Response) -> Response:
        seen.append(g.who)
        response.headers["X-Theirs"] = "yes"
        return response

    deliveries, health = blueprints(settings)
    app.register_blueprint(deliveries, url_prefix="/inbound/faxes")
    app.register_blueprint(health, url_prefix="/inbound")
    client = app.test_client()
    answer = client.post("/inbound/faxes/referrals", data=body(), headers=HEADERS)
    assert (answer.status_code, answer.headers["X-Theirs"], seen) == (200, "yes", ["delivery.deliver"])
    assert client.get("/inbound/readyz").status_code == 200
    assert client.post(URL, data=body(), headers=HEADERS).status_code == 404


def test_what_their_hook_makes_of_an_answer_is_what_is_sent(settings):
    app = Flask("theirs")
    app.register_blueprint(blueprints(settings)[0])
    closed: list[str] = []
    made = {
        "text": lambda answer: answer.set_data("theirs"),
        "empty": lambda answer: setattr(answer, "status_code", 204),
    }

    @app.after_request
    def last(response: Response) -> Response:
        name = request.args["as"]
        made[name](response)
        response.call_on_close(lambda: closed.append(name))
        return response

    client = app.test_client()
    text = client.post(f"{URL}?as=text", data=body(), headers=HEADERS)
    assert (text.data, text.headers["Content-Length"]) == (b"theirs", "6")
    text.close()
    empty = client.post(f"{URL}?as=empty", data=body(), headers=HEADERS)
    assert (empty.status_code, empty.data, "Content-Length" in empty.headers) == (204, b"", False)
    empty.close()
    assert closed == ["text", "empty"]


def test_what_their_application_refuses_before_stays_their_answer(settings):
    app = Flask("theirs")
    app.register_blueprint(blueprints(settings)[0])
    app.before_request(lambda: ("not today", 418))
    assert app.test_client().post(URL, data=body(), headers=HEADERS).status_code == 418
