"""The source of docs/openapi.json, from the tables that answer requests.

`receiver schema --openapi` prints it. The format is OpenAPI 3.1.
"""

import json
from typing import Any, TypeAlias

from receiver.core import limits
from receiver.core.delivery import ID_LENGTH, Status
from receiver.core.problems import Code
from receiver.web import deliveries, replies
from receiver.web.deliveries import URL
from receiver.web.health import EXPOSITION

PROBLEM = "application/problem+json"
RETRYING = (
    "The same delivery again gets the same receipt and writes nothing, so sending again is always safe. 2xx is said "
    "only of what is durable."
)

NO_ANSWER = "Never by the service: a proxy got no answer from it. Send the same again; nothing is published twice."
BY_PROXIES = {
    429: "Never by the service: a limit of a proxy before it. Send the same again, after `Retry-After` if it is there.",
    502: NO_ANSWER,
    504: NO_ANSWER,
}


def text() -> str:
    """Return the document as it is shipped."""
    return json.dumps(document(), indent=2) + "\n"


Schema: TypeAlias = dict[str, Any]


def document() -> Schema:
    """Return the OpenAPI document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "receiver: delivery API",
            "summary": "Takes in deliveries and writes the records that the next system imports.",
            "description": "docs/http.md says the same for people, and what to do about each problem.",
            "version": "1",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "http://127.0.0.1:8080", "description": "As it listens, without a proxy before it."}],
        "paths": {
            URL + "/{process}": {"parameters": [_process()], "post": _deliver("deliver", "Deliver to a process")},
            URL: {"post": _deliver("deliverUnnamed", "Deliver to the process that host, token or default tells")},
            "/healthz": {"get": _asked("alive", "Tell that a worker lives", {"200": _json("It does.", "Alive")})},
            "/readyz": {"get": _asked("ready", "Tell whether a delivery would be taken", _readiness())},
            "/metrics": {"get": _asked("metrics", "Tell what is going on, for Prometheus", _metrics())},
        },
        "components": {
            "securitySchemes": {"token": _token()},
            "parameters": {"RequestId": _request_id()},
            "headers": {"RequestId": {key: _request_id()[key] for key in ("description", "schema")}},
            "requestBodies": {"Delivery": _body()},
            "responses": {"Published": _published(), "Held": _held(), **_problems()},
            "schemas": schemas(),
        },
    }


def _deliver(name: str, summary: str) -> Schema:
    statuses = sorted([*_statuses(), *BY_PROXIES])
    answers = {"200": "Published", "202": "Held"} | {str(status): _name(status) for status in statuses}
    return {
        "operationId": name,
        "summary": summary,
        "description": RETRYING,
        "security": [{"token": []}, {}],
        "parameters": [{"$ref": "#/components/parameters/RequestId"}],
        "requestBody": {"$ref": "#/components/requestBodies/Delivery"},
        "responses": {status: {"$ref": f"#/components/responses/{answer}"} for status, answer in answers.items()},
    }


def _asked(name: str, summary: str, answers: Schema) -> Schema:
    return {"operationId": name, "summary": summary, "security": [], "responses": answers}


# what is sent


def _process() -> Schema:
    return {
        "name": "process",
        "in": "path",
        "required": True,
        "description": "The name of a folder in mappings/.",
        "schema": {"type": "string", "minLength": 1},
    }


def _request_id() -> Schema:
    return {
        "name": deliveries.HEADER,
        "in": "header",
        "description": "What the log calls this request: taken over where one plain word came, made up otherwise.",
        "schema": {"type": "string", "pattern": f"^{deliveries.PLAIN.pattern}$"},
    }


def _token() -> Schema:
    return {"type": "http", "scheme": "bearer", "description": "A token of the process; none where it is open."}


def _body() -> Schema:
    content = {
        "type": "object",
        "description": f"One section for each part that the process names, in any order; {limits.MAX_PARTS} at most.",
        "properties": {
            "metadata": {"type": "string", "description": "JSON or XML, as the schema of the process has it."},
            "file": {"type": "string", "contentMediaType": "application/octet-stream", "description": "A document."},
        },
        "additionalProperties": True,
    }
    encoding = {
        "metadata": {"contentType": "application/json, application/xml"},
        "file": {"contentType": "image/tiff, application/pdf, image/png, image/jpeg, application/dicom"},
    }
    return {"required": True, "content": {"multipart/form-data": {"schema": content, "encoding": encoding}}}


# what is answered


def _published() -> Schema:
    return _receipt(
        "Published, and durable. With `duplicate` it came before, and nothing was written.", Status.PUBLISHED
    )


def _held() -> Schema:
    return _receipt("Kept, not published: somebody looks at it. It need not be sent again.", Status.HELD)


def _receipt(description: str, status: Status) -> Schema:
    answer = _json(description, "Receipt", {"properties": {"status": {"const": status}}})
    return answer | {"headers": {deliveries.HEADER: {"$ref": "#/components/headers/RequestId"}}}


def _statuses() -> list[int]:
    return sorted({status for status, _ in replies.STATUSES.values()})


def _name(status: int) -> str:
    return f"Problem{status}"


def _problems() -> Schema:
    by_proxies = {_name(status): {"description": told} for status, told in BY_PROXIES.items()}
    return {_name(status): _problem(status) for status in _statuses()} | by_proxies


def _problem(status: int) -> Schema:
    codes = {code: title for code, (answered, title) in replies.STATUSES.items() if answered == status}
    told = " ".join(f"`{code}`: {title}." for code, title in codes.items())
    narrowed = {"properties": {"status": {"const": status}, "code": {"enum": list(codes)}}}
    schema: Schema = {"allOf": [ref("Problem"), narrowed]}
    if status == 404:
        schema = {"anyOf": [schema, ref("NoDoor")]}
    return {"description": told, "headers": _headers(status), "content": {PROBLEM: {"schema": schema}}}


def _headers(status: int) -> Schema:
    headers: Schema = {deliveries.HEADER: {"$ref": "#/components/headers/RequestId"}}
    if status == 401:
        headers["WWW-Authenticate"] = {"required": True, "schema": {"const": "Bearer"}}
    if status in replies.LATER:
        seconds = {"type": "string", "pattern": "^[0-9]+$"}
        headers["Retry-After"] = {"required": True, "description": "Seconds.", "schema": seconds}
    return headers


def _readiness() -> Schema:
    return {
        "200": _json("It would.", "Readiness", {"properties": {"status": {"const": "ready"}}}),
        "503": _json(
            "It would not; `checks` tell why.", "Readiness", {"properties": {"status": {"const": "not ready"}}}
        ),
    }


def _metrics() -> Schema:
    return {"200": {"description": "The text format.", "content": {EXPOSITION: {"schema": {"type": "string"}}}}}


def _json(description: str, name: str, narrowed: Schema | None = None) -> Schema:
    schema = {"allOf": [ref(name), narrowed]} if narrowed else ref(name)
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def ref(name: str) -> Schema:
    """Return a reference to one of `schemas`."""
    return {"$ref": f"#/components/schemas/{name}"}


def schemas() -> Schema:
    """Return the schema of every answer, by its name."""
    text: Schema = {"type": "string"}
    file = {
        "path": text | {"description": "Below the root of all output; absolute for a folder outside of it."},
        "sha256": text | {"pattern": "^[0-9a-f]{64}$"},
        "size": {"type": "integer", "minimum": 0, "description": "Bytes."},
    }
    violation = {
        "where": text | {"description": "A part, a place in the metadata, or a line of a template."},
        "rule": text,
        "message": text,
        "schema": {"type": ["string", "null"], "description": "Where the rule stands."},
    }
    check = {"name": text, "ready": {"type": "boolean"}, "reason": text}
    return {
        "Receipt": _receipt_schema(text),
        "File": _closed(file),
        "Problem": _problem_schema(text),
        "Violation": _closed(violation),
        "NoDoor": _closed({"type": {"const": "about:blank"}, "title": text, "status": {"const": 404}, "detail": text}),
        "Alive": _closed({"status": {"const": "alive"}}),
        "Readiness": _closed({"status": text, "checks": {"type": "array", "items": ref("Check")}}),
        "Check": _closed(check),
    }


def _receipt_schema(text: Schema) -> Schema:
    files = {"type": "array", "items": ref("File")}
    version = "1 for the first content under a sourceId; null for what is held, which is not accepted yet."
    return _closed(
        {
            "id": text | {"pattern": f"^[A-Z2-7]{{{ID_LENGTH}}}$", "description": "Made of the content."},
            "status": {"enum": [Status.PUBLISHED, Status.HELD]},
            "duplicate": {"type": "boolean"},
            "process": text,
            "sourceId": text,
            "version": {"type": ["integer", "null"], "minimum": 1, "description": version},
            "documents": files,
            "records": files,
        }
    )


def _problem_schema(text: Schema) -> Schema:
    shape = {
        "type": text | {"pattern": "^urn:receiver:problem:[a-z-]+$"},
        "title": text,
        "status": {"type": "integer"},
        "detail": text,
        "code": {"enum": list(Code), "description": "Stable; docs/http.md tells what to do about each."},
        "violations": {"type": "array", "items": ref("Violation")},
    }
    return _closed(shape) | {"description": "RFC 9457: all that is wrong, and never a value."}


def _closed(properties: Schema) -> Schema:
    """Return the schema of an object with exactly these properties."""
    return {"type": "object", "required": list(properties), "properties": properties, "additionalProperties": False}
