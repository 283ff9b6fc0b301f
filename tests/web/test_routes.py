"""A route that is remembered is the one that werkzeug finds, for every request."""

import pytest
from flask import Flask, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.test import EnvironBuilder

from receiver.web.replies import REMEMBERED, ROUTED_BY, Routes

ENVIRON = EnvironBuilder("/there/one", "http://host.example/under", query_string="a=b").get_environ()
OTHERS = {
    "wsgi.url_scheme": "https",
    "HTTP_CONNECTION": "upgrade",
    "HTTP_HOST": "other.example",
    "HTTP_UPGRADE": "websocket",
    "PATH_INFO": "/there/two",
    "QUERY_STRING": "a=c",
    "REQUEST_METHOD": "POST",
    "SCRIPT_NAME": "/over",
    "SERVER_NAME": "third.example",
    "SERVER_PORT": "8080",
}


def rules() -> list[Rule]:
    return [
        Rule("/there/<name>", endpoint="there", methods=["GET"]),
        Rule("/folder/", endpoint="folder"),
        Rule("/there/<name>", endpoint="talk", websocket=True),
    ]


def told(routes: Map, environ: dict, *names: str | None) -> tuple:
    """Return all that an adapter knows, and the route that it finds or what it raises instead."""
    adapter = routes.bind_to_environ(environ, *names)
    known = {name: value for name, value in vars(adapter).items() if name not in ("map", "_found")}
    try:
        rule, values = adapter.match(return_rule=True)
    except HTTPException as error:
        return known, type(error), error.get_headers()
    return known, rule.endpoint, values


@pytest.mark.parametrize("changed", [{}, *({name: value} for name, value in OTHERS.items())], ids=str)
@pytest.mark.parametrize("path", ["/there/one", "/folder", "/folder/", "/nowhere", "/there//one"])
def test_each_request_finds_what_it_found_without_a_memory(path, changed):
    plain, routes = Map(rules()), Routes(rules())
    environ = ENVIRON | {"PATH_INFO": path} | changed
    told(routes, ENVIRON)
    for _ in range(2):
        assert told(routes, environ) == told(plain, environ)


def test_the_name_of_the_server_and_a_subdomain_count_too():
    plain, routes = Map(rules()), Routes(rules())
    for names in [(None, ""), ("host.example", ""), ("example", None), ("example", ""), ("example", "host")]:
        assert told(routes, ENVIRON, *names) == told(plain, ENVIRON, *names)


def test_all_that_werkzeug_reads_of_a_request_is_compared():
    class Read(dict):
        def __getitem__(self, name):
            read.add(name)
            return super().__getitem__(name)

        def get(self, name, default=None):
            read.add(name)
            return super().get(name, default)

    read: set[str] = set()
    for changed in [{}, {"HTTP_CONNECTION": "upgrade"}, {"HTTP_HOST": ""}]:
        environ = Read(ENVIRON | changed)
        if not environ["HTTP_HOST"]:
            del environ["HTTP_HOST"]
        Map(rules()).bind_to_environ(environ)
    assert read == set(ROUTED_BY)


def test_requests_that_are_alike_share_what_was_found():
    routes = Routes(rules())
    assert routes.bind_to_environ(dict(ENVIRON)) is routes.bind_to_environ(ENVIRON | {"REMOTE_PORT": "1"})


def test_only_so_many_requests_are_remembered():
    routes = Routes(rules())
    first = routes.bind_to_environ(ENVIRON)
    for number in range(1, REMEMBERED):
        routes.bind_to_environ(ENVIRON | {"QUERY_STRING": str(number)})
    assert routes.bind_to_environ(ENVIRON) is first
    for number in range(REMEMBERED):
        routes.bind_to_environ(ENVIRON | {"QUERY_STRING": f"b{number}"})
    assert routes.bind_to_environ(ENVIRON) is not first


def test_what_a_hook_takes_from_the_values_of_a_url_is_there_for_the_next_request():
    app = Flask("any", static_folder=None)
    app.url_map = Routes()
    app.add_url_rule("/<language>/<name>", view_func=lambda name: f"{name} {request.view_args}", endpoint="page")
    app.url_value_preprocessor(lambda _endpoint, values: values.pop("language"))
    client = app.test_client()
    assert [client.get("/en/home").text for _ in range(2)] == ["home {'name': 'home'}"] * 2


def test_a_url_is_built_for_the_host_that_was_asked():
    app = Flask("any", static_folder=None)
    app.url_map = Routes()
    app.add_url_rule("/here", view_func=lambda: url_for("here", _external=True), endpoint="here")
    client = app.test_client()
    bases = ["http://one.example", "https://two.example", "http://one.example"]
    assert [client.get("/here", base_url=base).text for base in bases] == [f"{base}/here" for base in bases]


def test_a_page_tells_which_methods_it_takes():
    app = Flask("any", static_folder=None)
    app.url_map = Routes()
    app.add_url_rule("/here", view_func=lambda: "", endpoint="here", methods=["PUT"])
    client = app.test_client()
    assert [set(client.options("/here").allow) for _ in range(2)] == [{"OPTIONS", "PUT"}] * 2
    assert client.get("/here").status_code == 405
