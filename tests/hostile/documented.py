"""Holds answers against docs/openapi.json, as a program would that was generated from it."""

import json
import re
from functools import cache
from typing import Any

import jsonschema_rs

from tests.support.running import ROOT, Answer

FILE = ROOT / "docs" / "openapi.json"
DOCUMENT: dict[str, Any] = json.loads(FILE.read_text())
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
TEMPLATES = {re.compile(re.sub(r"\{\w+\}", "[^/?]+", path) + r"(\?.*)?"): path for path in DOCUMENT["paths"]}


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """Return what a node refers to, or itself."""
    while "$ref" in node:
        place: Any = DOCUMENT
        for key in node["$ref"].removeprefix("#/").split("/"):
            place = place[key]
        node = place
    return node


def operation(method: str, url: str) -> dict[str, Any] | None:
    """Return the operation that a request asks for, None where the document has none."""
    for template, path in TEMPLATES.items():
        if template.fullmatch(url):
            return DOCUMENT["paths"][path].get(method.lower())
    return None


def faults(asked: dict[str, Any], answer: Answer) -> list[str]:
    """Return what is not as the document has it: status, headers, media type, content."""
    if str(answer.status) not in asked["responses"]:
        return [f"status {answer.status}"]
    expected = resolved(asked["responses"][str(answer.status)])
    headers = {name: resolved(header) for name, header in expected.get("headers", {}).items()}
    found = [f"no {name}" for name in headers if headers[name].get("required") and name.lower() not in answer.headers]
    found += [
        f"{name} is not as told"
        for name, header in headers.items()
        if name.lower() in answer.headers and not _validator(header["schema"])(answer.headers[name.lower()])
    ]
    kind = answer.headers["content-type"]
    if kind not in expected["content"]:
        return [*found, f"type {kind}"]
    content = answer.json if kind.endswith("json") else answer.body.decode()
    return found if _validator(expected["content"][kind]["schema"])(content) else [*found, "content is not as told"]


def _validator(schema: dict[str, Any]) -> Any:
    return _compiled(json.dumps(schema))


@cache
def _compiled(schema: str) -> Any:
    return jsonschema_rs.validator_for(json.loads(schema) | {"components": DOCUMENT["components"]}).is_valid
