"""docs/openapi.json tells what the service answers: requests are made up out of it, answers held against it."""

import string
from urllib.parse import quote

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from receiver.web import openapi, replies
from receiver.web.deliveries import PLAIN

from . import made_up
from .cases.building import TOKEN, body, head, multipart_type, section
from .documented import DOCUMENT, FILE, METHODS, faults, resolved
from .outside import Outside

PROCESSES = st.sampled_from(["scans", "forms", "kept"])
CONTENTS = {
    "application/json": made_up.json_texts(),
    "application/xml": made_up.xml_texts(),
    "image/tiff": st.just(b"II*\0"),
}
OPERATIONS = [(method, path) for path, item in DOCUMENT["paths"].items() for method in METHODS & item.keys()]


@pytest.fixture(scope="module")
def outside(hostile):
    sender = Outside(hostile)
    yield sender
    sender.hang_up()


def test_it_is_up_to_date():
    assert FILE.read_text() == openapi.text(), "run `make docs`"


def references(node: object) -> list[str]:
    """Return every reference, and prove every schema on the way."""
    if isinstance(node, list):
        return [found for each in node for found in references(each)]
    if not isinstance(node, dict):
        return []
    if "schema" in node and "content" not in node and isinstance(node["schema"], dict) and "properties" not in node:
        jsonschema_rs.meta.validate(node["schema"])
    found = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
    return found + [inner for value in node.values() for inner in references(value)]


def test_every_reference_leads_somewhere_and_everything_is_referred_to():
    found = set(references(DOCUMENT))
    named = {f"#/components/{kind}/{name}" for kind, every in DOCUMENT["components"].items() for name in every}
    assert found == {name for name in named if "/securitySchemes/" not in name}
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)


@st.composite
def urls(draw, path: str) -> str:
    """A URL of a path: the processes there are, and any other that its schema allows."""
    return path.replace(
        "{process}", draw(PROCESSES | st.text(min_size=1, max_size=8).map(lambda name: quote(name, "")))
    )


@st.composite
def sections(draw) -> list[bytes]:
    """Sections as the request body's schema has them, in the types it names, and some that it does not know."""
    form = resolved({"$ref": "#/components/requestBodies/Delivery"})["content"]["multipart/form-data"]
    found = []
    for name in form["schema"]["properties"]:
        for _ in range(draw(st.sampled_from([1, 1, 1, 0, 2]))):
            kind = draw(st.sampled_from(form["encoding"][name]["contentType"].split(", ")))
            found.append(section(name, draw(CONTENTS.get(kind, made_up.MAGIC)), kind))
    if draw(st.integers(0, 4)) == 0:
        found.append(section(draw(made_up.NAMES), draw(made_up.SCRAPS), draw(made_up.TYPES)))
    return draw(st.permutations(found))


REQUEST_IDS = st.none() | st.from_regex(PLAIN, fullmatch=True) | st.text(string.printable[:95], max_size=9)


@settings(max_examples=200, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_request_that_it_allows_is_answered_as_it_says(outside, data):
    method, path = data.draw(st.sampled_from(OPERATIONS))
    url = data.draw(urls(path))
    token = data.draw(st.sampled_from([TOKEN, TOKEN, TOKEN, None, "wrong"]))
    request_id = data.draw(REQUEST_IDS)
    content = body(*data.draw(sections())) if method == "post" else b""
    lines = [f"Content-Length: {len(content)}"] + ([] if request_id is None else [f"X-Request-ID: {request_id}"])
    answer = outside.ask(head(multipart_type(), *lines, path=url, token=token, method=method.upper()) + content)
    assert answer.status < 500
    assert faults(DOCUMENT["paths"][path][method], answer) == []


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_a_method_that_it_does_not_have_is_refused_with_those_it_has(outside, path):
    for method in METHODS - DOCUMENT["paths"][path].keys() - {"head", "options"}:  # these two come with GET
        answer = outside.ask(head(path=path.replace("{process}", "scans"), method=method.upper()))
        assert answer.status == 405
        assert {each.lower() for each in answer.headers["allow"].split(", ")} >= METHODS & DOCUMENT["paths"][
            path
        ].keys()


def test_what_proxies_answer_by_themselves_is_told_and_never_ours():
    document = openapi.document()
    for path in (openapi.URL, openapi.URL + "/{process}"):
        answers = document["paths"][path]["post"]["responses"]
        assert {"429", "502", "504"} <= set(answers)
    assert not {429, 502, 504} & {status for status, _ in replies.STATUSES.values()}
